"""docs/recipes.md is true: its blocks run, section by section, and print what stands there."""

import re
from pathlib import Path

import optax
import pytest

FILE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
SECTIONS = {
    part.splitlines()[0].lstrip("# "): re.findall(r"```python\n(.*?)```", part, flags=re.S)
    for part in re.split(r"\n(?=## )", FILE.read_text(encoding="utf-8"))
}
FRAMEWORKS = "Flax NNX, Flax Linen, Equinox, MaxText, T5X, big_vision and scenic, EasyDeL, brax"
FRAMEWORKS = [*FRAMEWORKS.split(", "), "Levanter", "Tunix"]


def expected(code):
    """What the comments behind `print`, or lines of comments at the end, say will be printed."""
    if at_end := re.search(r"\n((?:# .*\n)+)$", code):
        return re.sub("^# ", "", at_end.group(1), flags=re.M).splitlines()
    return re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.M)


def test_every_framework_has_a_section():
    assert list(SECTIONS)[1:] == FRAMEWORKS
    assert all(SECTIONS.values())


def test_what_is_printed_is_written_beside_it():
    printing = [code for blocks in SECTIONS.values() for code in blocks if "print(" in code]
    assert len(printing) >= 10
    assert all(expected(code) for code in printing)


@pytest.mark.parametrize("section", SECTIONS)
def test_section(section, capsys, monkeypatch):
    # What a recipe hangs into Optax is taken out again.
    for name in ("adamjax", "adam_8bit", "adamjax_adamw", "adamjax_muon"):
        monkeypatch.setattr(optax, name, None, raising=False)
    names = {"__name__": "recipes"}
    for code in SECTIONS[section]:
        exec(compile(code, f"{FILE.name}, {section}", "exec"), names)
        assert capsys.readouterr().out.splitlines() == expected(code)
