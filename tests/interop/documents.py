"""The blocks of docs/interop.md."""

from tests import documents

DOCUMENT = documents.ROOT / "docs" / "interop.md"


def blocks(*kinds):
    """The Python of the blocks that need no more than these frameworks, as one program."""
    found = documents.blocks(DOCUMENT)
    assert {block.kind for block in found} == {"", "torch", "keras"}
    return "\n".join(block.code for block in found if block.kind in kinds)
