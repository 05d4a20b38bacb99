"""docs/recipes.md is true: its blocks run, section by section, and print what stands there."""

import itertools

import optax
import pytest

from tests import documents

FILE = documents.ROOT / "docs" / "recipes.md"
BLOCKS = documents.blocks(FILE)
SECTIONS = {
    section: list(blocks)
    for section, blocks in itertools.groupby(BLOCKS, key=lambda block: block.section)
}
FRAMEWORKS = "Flax NNX, Flax Linen, Equinox, MaxText, T5X, big_vision and scenic, EasyDeL, brax"
FRAMEWORKS = [*FRAMEWORKS.split(", "), "Levanter", "Tunix"]


def test_every_framework_has_a_section():
    assert list(SECTIONS)[1:] == FRAMEWORKS


def test_what_is_printed_is_written_beside_it():
    printing = [block.code for block in BLOCKS if "print(" in block.code]
    assert len(printing) >= 10
    assert all(map(documents.expected, printing))


@pytest.mark.wide
@pytest.mark.parametrize("section", SECTIONS)
def test_section(section, capsys, monkeypatch):
    # What a recipe hangs into Optax is taken out again.
    for name in ("adamjax", "adam_8bit", "adamjax_adamw", "adamjax_muon"):
        monkeypatch.setattr(optax, name, None, raising=False)
    names = {"__name__": "recipes"}
    for block in SECTIONS[section]:
        documents.run(block, FILE, names)
        assert capsys.readouterr().out.splitlines() == documents.expected(block.code)
