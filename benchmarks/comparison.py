"""Two reports side by side, where they can be compared: `python -m benchmarks compare`."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report import in_words
from examples import console

Quartiles = list[Any]  # [float] * 3, or None where a run diverged

MUST_AGREE = ("benchmark", "hardware", "settings")


class UnlikeError(Exception):
    """Two reports that cannot be compared. The message gives the reason."""


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Prints the rows of both reports, and marks changes that exceed the spread.

    Raises:
      UnlikeError: they are of different machines, or of different settings.
    """
    check(old, new)
    for name, section in new["sections"].items():
        before = old["sections"].get(name, {"rows": {}})["rows"]
        table = [
            (group, subject, in_words(was)[0], in_words(now)[0], verdict(was, now))
            for group, subject, was, now in pairs(before, section["rows"])
        ]
        print(f"\n{name} ({section['unit']})")
        console.table(("group", "subject", "old", "new", "beyond the spread"), table)
    for row in only_in_one(old, new):
        print(f"not in both: {row}")
    for package, version in new["versions"].items():
        if old["versions"].get(package) != version:
            print(f"{package}: {old['versions'].get(package)} and now {version}")


def check(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raises `UnlikeError` unless they can be compared.

    >>> two, four = ({"sections": {}, "hardware": {"cores": n}} for n in (2, 4))
    >>> check(two, four)
    Traceback (most recent call last):
    benchmarks.comparison.UnlikeError: different hardware: cores is 2 and 4
    """
    for report in (old, new):
        if "sections" not in report:
            raise UnlikeError(f"not a report of `python -m benchmarks`: {report.get('benchmark')}")
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
) -> Iterator[tuple[str, str, Quartiles, Quartiles]]:
    """Rows of both reports: group, subject and the quartiles of each."""
    for group, rows in new.items():
        for subject, now in rows.items():
            if subject in old.get(group, {}):
                yield group, subject, old[group][subject], now


def only_in_one(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Sections, groups and subjects of which there is nothing to compare."""
    found = [
        {
            f"{name}, {group}, {subject}"
            for name, section in report["sections"].items()
            for group, rows in section["rows"].items()
            for subject in rows
        }
        for report in (old, new)
    ]
    return sorted(found[0] ^ found[1])


def verdict(old: Quartiles, new: Quartiles) -> str:
    """Whether the new quartiles lie apart from the old ones.

    >>> verdict([1.0, 1.1, 1.2], [1.15, 1.2, 1.3]), verdict([1.0, 1.1, 1.2], [1.3, 1.4, 1.5])
    ('', 'higher')
    """
    if None in old or None in new:
        return "" if old == new else "one diverged"
    if new[0] > old[2]:
        return "higher"
    return "lower" if new[2] < old[0] else ""
