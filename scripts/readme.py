"""Writes the generated parts of README.md, or with --check says whether they are up to date."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

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


def result(name: str) -> dict[str, Any]:
    """What a benchmark has measured."""
    file = ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def storage_table() -> str:
    """The formats of `store` side by side, each figure from a benchmark's results."""
    moved = {
        (row["device"], row["row"]): row["bytes_per_parameter"]
        for backend in result("compiled").values()
        for row in backend["rows"]
    }
    tracking = result("tracking")
    transformer = next(
        row["formats"]
        for row in result("quality")["comparisons"]
        if (row["task"], row["optimizer"]) == ("transformer", "adamw, b2 = 0.999")
    )
    rows = [
        "| `storage=` | bytes of state | bytes moved: TPU v5e | H200 "
        "| update beside float32's: cosine | norm | loss of a transformer |",
        "|---|---|---|---|---|---|---|",
    ]
    for storage in ("float32", "bfloat16", "8bit_v16", "8bit"):
        update = tracking["by_b2"]["0.999"][storage]
        loss = transformer[storage]["held_out"]
        cells = [
            f'`"{storage}"`',
            f"{tracking['formats'][storage]['state_bytes']:g}",
            *(f"{moved[device, f'adamw {storage}']:.1f}" for device in ("TPU v5e", "H200")),
            f"{update['cosine']:.5f}",
            f"{update['norm_ratio']:.4f}",
            f"{loss['mean']:.4f} ± {loss['standard_error']:.4f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


PARTS = {"variants": variants_table, "storage": storage_table, "examples": examples_table}


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
