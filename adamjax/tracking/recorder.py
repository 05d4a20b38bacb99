"""The host's side of tracking: metrics kept in memory and in a file that survives a crash."""

import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TextIO

import jax
import numpy as np

from adamjax.tracking import sinks
from adamjax.tracking.plots import plot_metrics


class Recorder:
    """Keeps scalar metrics by step: in memory, and line by line in a file.

    Each `record` is in the operating system's hands when it returns, so that a crash of the
    process loses nothing recorded before it. A file that exists is continued: what it holds is
    read back into `history`, and new lines follow. If a crash tore its last line, the
    fragment is cut off, with a warning that quotes it.

    A file ending in `.jsonl` has one JSON object a line; NaN and infinities, which JSON lacks, are
    the strings "nan", "inf" and "-inf". A file ending in `.csv` has a header; when a metric
    appears that the header lacks, the file is rewritten with the column added (into a temporary
    file that then takes its place), and a metric that a step lacks is an empty cell.

    With several processes, record on one of them. One file has one open recorder: close it before
    another continues the file.

    Args:
      path: where to write, a name that ends in `.jsonl` or `.csv`; missing folders are made. None
        keeps the records in memory alone.

    Raises:
      ValueError: another ending, or a file that a recorder has not written.

    Example:
      >>> import tempfile, pathlib
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.jsonl"
      >>> with Recorder(path) as recorder:
      ...     recorder.record(1, {"loss": 2.5})
      ...     recorder.record(2, {"loss": float("nan")})
      >>> print(path.read_text(), end="")
      {"step": 1, "loss": 2.5}
      {"step": 2, "loss": "nan"}
      >>> Recorder.load(path).history["loss"]
      array([2.5, nan])
    """

    def __init__(self, path: str | os.PathLike[str] | None = None):
        self.path = None if path is None else Path(path)
        self._records: list[sinks.Record] = []
        self._columns = ["step"]
        self._file: TextIO | None = None
        self._header = ""
        if self.path is None:
            return
        self._format = sinks.format_of(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = False
        if self.path.exists() and self.path.stat().st_size:
            self._records, self._columns, torn = sinks.read(self.path)
            self._header = self._format.header(self._columns)
        if torn:
            self._rewrite(self.path)
        else:
            self._open(self.path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """A recorder in memory with what a file holds; the file is left as it is.

        Args:
          path: a file that a recorder wrote, whole or with its last line torn (a warning says so).

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: it is not a recorder's; the message names the line.
        """
        recorder = cls()
        recorder._records, recorder._columns, _ = sinks.read(Path(path))
        return recorder

    def record(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append one step's metrics, to memory and to the file.

        Device arrays are fetched together, which waits for the step that computes them: record
        every tenth step or so if steps are short.

        Args:
          step: the step's number.
          metrics: real scalars by name: numbers, NumPy or JAX arrays of shape (). The names may
            differ from one step to the next.

        Raises:
          TypeError: `step` is not an integer, or a metric not a real number.
          ValueError: a metric is not a scalar, or its name is "step" or not printable; or the
            recorder is closed. Nothing has been recorded then.

        Example:
          >>> recorder = Recorder()
          >>> recorder.record(10, {"loss": np.float32(0.5), "correct": 7})
          >>> recorder.history
          {'step': array([10]), 'loss': array([0.5]), 'correct': array([7])}
        """
        if self.path is not None and self._file is None:
            raise ValueError(
                f"the recorder of {self.path} is closed; open a new one to continue it"
            )
        record = _as_record(step, metrics)
        self._records.append(record)
        self._columns += [key for key in record if key not in self._columns]
        if self.path is None or self._file is None:
            return
        if self._header == self._format.header(self._columns):
            self._file.write(self._format.line(record, self._columns))
            self._file.flush()
        else:
            self._rewrite(self.path)

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Every metric's values in the order of recording, "step" first; NaN where one is missing.

        Example:
          >>> recorder = Recorder()
          >>> recorder.record(1, {"loss": 2.0})
          >>> recorder.record(2, {"loss": 1.0, "accuracy": 0.5})
          >>> recorder.history["accuracy"]
          array([nan, 0.5])
        """
        return {
            key: np.array([record.get(key, np.nan) for record in self._records])
            for key in self._columns
        }

    def to_tensorboard(self, logdir: str | os.PathLike[str]) -> None:
        """Write what has been recorded as TensorBoard scalars, with tensorboardX.

        Args:
          logdir: TensorBoard's folder for this run.

        Raises:
          ImportError: tensorboardX is not installed.
        """
        try:
            from tensorboardX import SummaryWriter  # pyrefly: ignore[missing-import]
        except ImportError as error:
            message = "to_tensorboard needs tensorboardX: pip install tensorboardX"
            raise ImportError(message) from error
        with SummaryWriter(os.fspath(logdir)) as writer:
            for record in self._records:
                for key, value in record.items():
                    if key != "step":
                        writer.add_scalar(key, value, int(record["step"]))

    def plot(self, file: str | os.PathLike[str], *, name: str = "", title: str = "") -> None:
        """Save the three panels of `plot_metrics` as a picture.

        Args:
          file: where to; the ending says the format (.png, .svg, .pdf).
          name: which tracker, if several were recorded.
          title: above the panels.

        Raises:
          ImportError: matplotlib is not installed.
          ValueError: nothing was recorded that `track` measures.
        """
        plot_metrics(self.history, file, name=name, title=title)

    def close(self) -> None:
        """Close the file; the history stays readable."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, path: Path) -> None:
        self._file = open(path, "a", encoding="utf-8", newline="")  # noqa: SIM115 (see close)

    def _rewrite(self, path: Path) -> None:
        header = self._format.header(self._columns)
        lines = [self._format.line(record, self._columns) for record in self._records]
        self.close()  # Some systems do not replace an open file.
        try:
            sinks.write(path, header + "".join(lines))
            self._header = header
        finally:
            self._open(path)


def _as_record(step: int, metrics: Mapping[str, Any]) -> sinks.Record:
    """Plain numbers by name, fetched from the devices together."""
    step, *values = jax.device_get([step, *metrics.values()])
    try:
        record: sinks.Record = {"step": operator.index(step)}
    except TypeError as error:
        raise TypeError(f"step must be an integer, not {step!r}") from error
    for key, value in zip(metrics, values, strict=True):
        if key == "step":
            raise ValueError('metrics["step"]: the step is the first argument')
        if not isinstance(key, str) or not key.isprintable():
            raise ValueError(f"metrics[{key!r}]: a name must be printable text")
        array = np.asarray(value)
        if array.ndim:
            raise ValueError(f"metrics[{key!r}] must be a scalar, but has shape {array.shape}")
        number = array.item()
        if not isinstance(number, int | float):
            raise TypeError(f"metrics[{key!r}] must be a real number, not {value!r}")
        record[key] = int(number) if isinstance(number, bool) else number
    return record
