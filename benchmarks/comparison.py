"""Two reports side by side, where they can be compared: `python -m benchmarks compare`."""

from collections.abc import Iterator, Mapping
from typing import Any

from examples import console

MUST_AGREE = ("benchmark", "hardware", "settings")


class UnlikeError(Exception):
    """Two reports that say nothing about each other; the message says why."""


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Tells what both have measured, and marks what has changed by more than the spread.

    Raises:
      UnlikeError: they are of different machines, or of different settings.
    """
    check(old, new)
    for name, section in new["sections"].items():
        before = old["sections"].get(name, {"rows": {}})["rows"]
        table = [
            (group, subject, *map(median, (was, now)), verdict(was, now))
            for group, subject, was, now in pairs(before, section["rows"])
        ]
        print(f"\n{name} ({section['unit']})")
        console.table(("group", "subject", "old", "new", "beyond the spread"), table)
    for package, version in new["versions"].items():
        if old["versions"].get(package) != version:
            print(f"{package}: {old['versions'].get(package)} and now {version}")


def check(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raises `UnlikeError` unless they can be compared.

    >>> check({"hardware": {"cores": 2}}, {"hardware": {"cores": 4}})
    Traceback (most recent call last):
    benchmarks.comparison.UnlikeError: different hardware: cores is 2 and 4
    """
    for part in MUST_AGREE:
        mine, others = old.get(part), new.get(part)
        if mine == others:
            continue
        if not (isinstance(mine, Mapping) and isinstance(others, Mapping)):
            raise UnlikeError(f"different {part}: {mine} and {others}")
        differing = [key for key in {**mine, **others} if mine.get(key) != others.get(key)]
        told = "; ".join(f"{key} is {mine.get(key)} and {others.get(key)}" for key in differing)
        raise UnlikeError(f"different {part}: {told}")


def pairs(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, str, list[float], list[float]]]:
    """What is in both: group, subject and the quartiles of each."""
    for group, rows in new.items():
        for subject, now in rows.items():
            if subject in old.get(group, {}):
                yield group, subject, old[group][subject], now


def median(quartiles: list[float]) -> str:
    return f"{quartiles[1]:.4g}"


def verdict(old: list[float], new: list[float]) -> str:
    """Whether the new quartiles lie apart from the old ones.

    >>> verdict([1.0, 1.1, 1.2], [1.15, 1.2, 1.3]), verdict([1.0, 1.1, 1.2], [1.3, 1.4, 1.5])
    ('', 'higher')
    """
    if new[0] > old[2]:
        return "higher"
    return "lower" if new[2] < old[0] else ""
