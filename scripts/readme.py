"""Writes the generated parts of README.md, or with --check says whether they are up to date."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import adamjax  # noqa: E402


def variants_table() -> str:
    rows = ["| variant | paper | what it changes | styles |", "|---|---|---|---|"]
    for name in adamjax.list_variants():
        record = adamjax.get_variant(name)
        paper = f"[{record.paper.short()}]({record.paper.link()})"
        changes = record.changes.replace("|", "\\|")
        rows.append(f"| `{name}` | {paper} | {changes} | {', '.join(record.styles)} |")
    return "\n".join(rows)


def examples_table() -> str:
    """The table of examples/README.md, with links that hold from the root."""
    text = (ROOT / "examples" / "README.md").read_text()
    match = re.search(r"(?:^\|.*\n)+", text, flags=re.M)
    if match is None:
        raise SystemExit("examples/README.md has no table")
    return match[0].rstrip().replace("](results/", "](examples/results/")


PARTS = {"variants": variants_table, "examples": examples_table}


def with_part(text: str, part: str, content: str) -> str:
    """The text with this content between the part's two marks."""
    mark = f"<!-- {part}: written by scripts/readme.py -->"
    before, start, rest = text.partition(mark)
    _, end, after = rest.partition(f"<!-- end of {part} -->")
    if not (start and end):
        raise SystemExit(f"README.md has lost the marks of {part!r}")
    return f"{before}{start}\n\n{content}\n\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if behind")
    check = parser.parse_args().check
    readme = ROOT / "README.md"
    text = old = readme.read_text()
    for part, content in PARTS.items():
        text = with_part(text, part, content())
    if check:
        if text != old:
            print("README.md is behind: run scripts/readme.py")
        return int(text != old)
    readme.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
