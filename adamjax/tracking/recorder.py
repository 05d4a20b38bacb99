"""Record metrics on the host, in memory and in a file that survives a crash."""

import itertools
import json
import math
import operator
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TextIO

import jax
import numpy as np

from adamjax.checks import warn
from adamjax.tracking.layers import Spike, find_spikes
from adamjax.tracking.plots import plot_layers, plot_metrics

Record = dict[str, int | float]

_FIRST_CHARACTERS = '{"step": '


class Recorder:
    """Keep scalar metrics by step, in memory and in a file.

    Every line is passed to the operating system before `record` returns, so a crash of the process
    loses no earlier record. An existing file is continued: its records are read into `history`,
    and new lines follow. If a crash tore the last line, the fragment is removed with a warning that
    quotes it.

    A line is a JSON object, with the strings "nan", "inf" and "-inf", which JSON lacks as numbers.
    `pandas.read_json(path, lines=True)` reads the file.

    With several processes, record on one of them. Only one recorder may have a file open.

    Args:
      path: the file, a name that ends in `.jsonl`. Missing folders are made. None keeps the records
        in memory only.
      sink: `sink(step, values)`, called with the numbers by name after each line is written, such
        as a function that sends them to TensorBoard or Weights & Biases.

    Raises:
      ValueError: for another ending, or a file that a recorder has not written.

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

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        sink: Callable[[int, Record], Any] | None = None,
    ):
        self.path = None if path is None else Path(path)
        self._sink = sink
        self._records: list[Record] = []
        self._file: TextIO | None = None
        if self.path is None:
            return
        _check_ending(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = ""
        if self.path.exists():
            self._records, text = _read(self.path)
            os.truncate(self.path, len(text.encode()))
        self._file = open(self.path, "a", encoding="utf-8", newline="")  # noqa: SIM115 (see close)
        if text and not text.endswith("\n"):
            self._file.write("\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file into a recorder in memory, without a change to the file.

        Args:
          path: a recorder's file. A torn last line is left out with a warning.

        Returns:
          A recorder without a file.

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: a recorder has not written it. The message names the line.
        """
        _check_ending(Path(path))
        recorder = cls()
        recorder._records, _ = _read(Path(path))
        return recorder

    def record(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append one step's metrics, to memory and to the file.

        Device arrays are fetched together, which waits for the step that computes them. If steps
        are short, record every tenth step or so.

        Args:
          step: the number of the step.
          metrics: real scalars by name: numbers, NumPy or JAX arrays of shape (). The names may
            differ between steps. An array of shape (n,) becomes `name/0` to `name/n-1`.

        Raises:
          TypeError: `step` is not an integer, or a metric not a real number.
          ValueError: a metric has two axes or more, its name is "step" or not printable, or the
            recorder is closed. Nothing is recorded then.

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
        if self._file is not None:
            json_values = {k: v if math.isfinite(v) else str(v) for k, v in record.items()}
            self._file.write(json.dumps(json_values) + "\n")
            self._file.flush()
        if self._sink is not None:
            self._sink(int(record["step"]), {k: v for k, v in record.items() if k != "step"})

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The values of every metric in the order of recording, "step" first, NaN if missing."""
        return _columns(self._records)

    def plot(self, file: str | os.PathLike[str], *, name: str = "", title: str = "") -> None:
        """Save the figure of `plot_metrics`.

        Args:
          file: the file, .png, .svg or .pdf.
          name: the name of the tracker, if several were recorded.
          title: the title of the figure.

        Raises:
          ImportError: matplotlib is not installed.
          ValueError: no metric of `track` was recorded.
        """
        plot_metrics(self.history, file, name=name, title=title)

    def plot_layers(
        self, file: str | os.PathLike[str], metric: str = "update_ratio", *, name: str = ""
    ) -> None:
        """Save the figure of `plot_layers`, a heat map of a metric by layer and step.

        Args:
          file: the file, .png, .svg or .pdf.
          metric: the metric of the layers.
          name: the name of the tracker, if several were recorded.

        Raises:
          ImportError: matplotlib is not installed.
          ValueError: the metric was not recorded.
        """
        plot_layers(self.history, metric, file, name=name)

    def spikes(
        self, *, factor: float = 10.0, last: int | None = None, name: str = ""
    ) -> list[Spike]:
        """Return the spikes of layers, as `adamjax.tracking.find_spikes`.

        Args:
          factor: the least norm in units of the layer's moving average.
          last: the number of records with metrics of layers to look at, None for all. 1 gives an
            alarm during the run.
          name: the name of the tracker, if several were recorded.

        Returns:
          The spikes, those of the first step first.

        Raises:
          ValueError: no metric of layers was recorded.
        """
        measured = (r for r in reversed(self._records) if any("_spike/" in key for key in r))
        records = list(itertools.islice(measured, last))[::-1]
        return find_spikes(_columns(records), factor=factor, name=name)

    def close(self) -> None:
        """Close the file. The history stays readable."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _columns(records: list[Record]) -> dict[str, np.ndarray]:
    keys = dict.fromkeys(["step", *(key for record in records for key in record)])
    return {key: np.array([record.get(key, np.nan) for record in records]) for key in keys}


def _check_ending(path: Path) -> None:
    if path.suffix != ".jsonl":
        raise ValueError(f"path must end in .jsonl, not {str(path)!r}")


def _read(path: Path) -> tuple[list[Record], str]:
    """Return the records in a file and the text of their lines. Warn of a torn last line."""
    records, torn = [], ""
    try:
        lines = path.read_bytes().decode().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                records.append(_parse(line))
            except (ValueError, TypeError, AttributeError) as error:
                ours = records or _FIRST_CHARACTERS.startswith(line[: len(_FIRST_CHARACTERS)])
                if line.endswith("\n") or not ours:
                    raise ValueError(f"line {number} is {line!r}") from error
                torn = line
    except ValueError as error:
        raise ValueError(f"path: {path} was not written by a Recorder: {error}") from error
    if torn:
        warn(f"{path}: a torn last line, {torn!r}, is left out")
    return records, "".join(lines).removesuffix(torn)


def _parse(line: str) -> Record:
    # Strings are "nan", "inf" or "-inf".
    values = json.loads(line).items()
    record = {key: value if isinstance(value, int) else float(value) for key, value in values}
    if not isinstance(record.get("step"), int):
        raise ValueError("no step")
    return record


def _as_record(step: int, metrics: Mapping[str, Any]) -> Record:
    """Fetch the metrics from the devices together, as plain numbers by name."""
    step, *values = jax.device_get([step, *metrics.values()])
    try:
        record: Record = {"step": operator.index(step)}
    except TypeError as error:
        raise TypeError(f"step must be an integer, not {step!r}") from error
    for key, value in zip(metrics, values, strict=True):
        if key == "step":
            raise ValueError('metrics["step"]: the step is the first argument')
        if not isinstance(key, str) or not key.isprintable():
            raise ValueError(f"metrics[{key!r}]: a name must be printable text")
        array = np.asarray(value)
        if array.ndim > 1:
            raise ValueError(
                f"metrics[{key!r}] must be a scalar or of one axis, but has shape {array.shape}"
            )
        for i, number in enumerate(np.atleast_1d(array).tolist()):
            if not isinstance(number, int | float):
                raise TypeError(f"metrics[{key!r}] must be a real number, not {value!r}")
            full = f"{key}/{i}" if array.ndim else key
            record[full] = int(number) if isinstance(number, bool) else number
    return record
