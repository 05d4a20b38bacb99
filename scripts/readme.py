"""Writes the generated parts of README.md and docs/. --check only compares them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import adamjax  # noqa: E402
from benchmarks import matrices, matrix_optimizers, mup, record, sweep  # noqa: E402
from scripts import coming_from_optax, comparison, papers, scaling, storage, support  # noqa: E402


def variants_table() -> str:
    rows = ["| variant | paper | difference from Adam | styles |", "|---|---|---|---|"]
    for name in adamjax.list_variants():
        record = adamjax.get_variant(name)
        paper = f"[{record.paper.short()}]({record.paper.link()})"
        changes = record.summary.replace("|", "\\|")
        rows.append(f"| `{name}` | {paper} | {changes} | {', '.join(record.styles)} |")
    return "\n".join(rows)


def result(name: str) -> dict[str, Any]:
    """Measurements of the last run of a benchmark. "compiled.tpu" is that for TPUs."""
    file = record.RESULTS / f"{name}.json"
    return record.read(file) if file.exists() else record.newest(name)


def both(name: str) -> list[dict[str, Any]]:
    """Measurements of a benchmark that compiles for absent devices: for TPUs and for GPUs."""
    return [result(f"{name}.{backend}") for backend in ("tpu", "cuda")]


def storage_table() -> str:
    """The formats of `store`, each figure from a benchmark's results."""
    moved = {
        (row["device"], row["row"]): row["bytes_per_parameter"]
        for report in both("compiled")
        for row in report["rows"]
    }
    transformer = next(
        row["formats"]
        for row in result("quality")["comparisons"]
        if (row["task"], row["optimizer"]) == ("transformer", "adamw, b2 = 0.999")
    )
    rows = [
        "| `storage=` | state [bytes] | memory traffic, TPU v5e | H200 | loss of a transformer |",
        "|---|---|---|---|---|",
    ]
    for name in storage.FORMATS:
        traffic = [
            moved[on, f"adamw {name}"] / moved[on, "optax.adamw"] for on in ("TPU v5e", "H200")
        ]
        loss = transformer[name]["held_out"]
        state = result("tracking")["formats"][name]["state_bytes"]
        cells = [f'`"{name}"`', f"{state:g}", *(f"{share:.2f}" for share in traffic)]
        cells.append(f"{loss['mean']:.4f} ± {loss['standard_error']:.4f}")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def bfloat16_sentence() -> str:
    """The losses of bfloat16 parameters with and without stochastic rounding."""
    report = result("bfloat16_parameters")
    losses = [f"{row['loss']:.2f}" for row in report["rows"].values()]
    steps, rate = report["settings"]["steps"], report["settings"]["learning_rate"]
    return (
        f"A small transformer, {steps:,} steps at learning rate {rate:g}: with `optax.adamw`, "
        f"float32 parameters\nreach loss {losses[0]} and bfloat16 parameters only {losses[1]}. "
        f'`param_rounding="stochastic"` reaches {losses[2]}\nwith bfloat16 parameters, and '
        f'{losses[3]} with `storage="8bit"` as well '
        "([results](benchmarks/README.md#commands))."
    )


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"bfloat16 parameters": bfloat16_sentence, "storage": storage_table},
    "docs/variants.md": {"variants": variants_table},
    "docs/comparison.md": {
        "ranking": lambda: comparison.ranking_table(result("pathologies")),
        "problems": lambda: comparison.problems_table(result("pathologies")),
        "learning rates": lambda: comparison.rates_table(result("pathologies")),
        "sensitivity": lambda: comparison.sensitivity_table(result("sensitivity")),
        "memory": comparison.memory_table,
    },
    "docs/storage.md": {
        "bytes moved": lambda: storage.bytes_table(both("compiled"), storage.FLOAT32_PARAMETERS),
        "low parameters": lambda: storage.bytes_table(
            both("compiled"), storage.BFLOAT16_PARAMETERS
        ),
        "cycles": lambda: storage.cycles_table(result("compiled.tpu")),
        "peak memory": lambda: storage.peak_table(both("memory")),
        "tracking": lambda: storage.tracking_table(result("tracking")),
        "long tail": lambda: storage.long_tail_table(result("long_tail")),
        "quality": lambda: storage.quality_table(result("quality")),
        "times": lambda: storage.times_table(result("timing")),
        "compilation": lambda: storage.compile_table(result("many_leaves")),
    },
    "docs/whole-step.md": {
        "released step": lambda: storage.released_table(both("release")),
    },
    "docs/papers.md": {"overview": papers.overview, "experiments": papers.sections},
    "docs/scaling.md": {
        "what fits": scaling.fits_table,
        "float32 parameters": lambda: scaling.sizes_table("float32"),
        "bfloat16 parameters": lambda: scaling.sizes_table("bfloat16"),
        "machines": scaling.machines_table,
        "what is moved": scaling.overhead_table,
    },
    "docs/matrices.md": {
        "matrix optimizers": lambda: matrix_optimizers.markdown(result("matrix_optimizers")),
        "Muon compiled": lambda: matrices.markdown(result("matrices"), "program"),
        "Muon on 8 devices": lambda: matrices.markdown(result("matrices"), "sharding"),
        "Muon steps": lambda: matrices.markdown(result("matrices"), "steps"),
    },
    "benchmarks/README.md": {"sweeps": lambda: sweep.markdown(result("sweep"))},
    "docs/transfer.md": {"transfer": lambda: mup.table(result("mup"))},
    "docs/support.md": {"support": support.table},
    "docs/coming-from-optax.md": {"equivalents": coming_from_optax.table},
}


def with_part(text: str, part: str, content: str) -> str:
    """The text with this content between the part's two marks."""
    mark = f"<!-- {part}: written by scripts/readme.py -->"
    before, start, rest = text.partition(mark)
    _, end, after = rest.partition(f"<!-- end of {part} -->")
    if not (start and end):
        raise SystemExit(f"the marks of {part!r} are lost")
    return f"{before}{start}\n\n{content}\n\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if behind")
    check = parser.parse_args().check
    behind = []
    for file, parts in PARTS.items():
        text = old = (ROOT / file).read_text(encoding="utf-8")
        for part, content in parts.items():
            text = with_part(text, part, content())
        if text != old:
            behind.append(file)
            if not check:
                (ROOT / file).write_text(text, encoding="utf-8")
    if check and behind:
        print(f"{', '.join(behind)}: behind; run scripts/readme.py")
    return int(check and bool(behind))


if __name__ == "__main__":
    sys.exit(main())
