"""The blocks of the Markdown files: Python, its expected output, and commands."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("adamjax", "benchmarks", "docs", "examples", "scripts", "tests")

_FENCED = re.compile(r"^```python(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_AT_END = re.compile(r"\n((?:# .*\n)+)$")
_FIGURE = re.compile(r"(-?\d+\.\d+)")


class Block(NamedTuple):
    """Some Python of a file.

    Attributes:
      section: the heading of second level above it.
      kind: the word behind the language, if there is one.
      code: as it stands there.
      line: of its first statement.
    """

    section: str
    kind: str
    code: str
    line: int


def files() -> list[Path]:
    """Every Markdown file of the project, without those of environments and runs."""
    below = [file for part in PARTS for file in ROOT.glob(f"{part}/**/*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def blocks(file: Path) -> list[Block]:
    """The blocks of a file, in order."""
    text, found = file.read_text(encoding="utf-8"), []
    for match in _FENCED.finditer(text):
        before = text[: match.start(2)]
        headings = re.findall(r"^## (.*)$", before, flags=re.MULTILINE)
        section = headings[-1] if headings else ""
        found.append(Block(section, match[1] or "", match[2], 1 + before.count("\n")))
    return found


def commands(file: Path) -> list[str]:
    """The commands of a file's `sh` blocks, each in one line and without its comment."""
    text = "".join(_SHELL.findall(file.read_text(encoding="utf-8")))
    lines = text.replace("\\\n", " ").splitlines()
    bare = (re.sub(r"(^|\s+)#.*$", "", line).strip() for line in lines)
    return [line for line in bare if line]


def run(block: Block, file: Path, names: dict) -> None:
    """Run a block among these names. A traceback shows the line of the file."""
    code = "\n" * (block.line - 1) + block.code
    exec(compile(code, str(file), "exec"), names)


def expected(code: str) -> list[str]:
    """The expected output: comments behind `print`, or lines of comments at the end."""
    if at_end := _AT_END.search(code):
        return re.sub("^# ", "", at_end[1], flags=re.MULTILINE).splitlines()
    return re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.MULTILINE)


def same(printed: str, wanted: str) -> bool:
    """Whether two lines agree: decimal fractions within 3 of their last digit, the rest exactly."""
    ours, theirs = _FIGURE.split(printed), _FIGURE.split(wanted)
    if ours[::2] != theirs[::2]:
        return False
    for one, other in zip(ours[1::2], theirs[1::2], strict=True):
        digits = len(other.partition(".")[2])
        if abs(float(one) - float(other)) > 3.5 * 10.0**-digits:
            return False
    return True
