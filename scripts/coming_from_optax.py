"""The table of docs/coming-from-optax.md: how each optimizer differs from that of Optax.

python scripts/coming_from_optax.py measures the distances again.
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
import optax.contrib

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import adamjax  # noqa: E402
from adamjax.derive import OPTAX_STYLES  # noqa: E402
from adamjax.interop import tables  # noqa: E402
from adamjax.interop.optax_arguments import optax_call  # noqa: E402

DISTANCES = ROOT / "scripts" / "coming_from_optax.json"
STEPS = 20
RATE = 0.01
EQUAL = 1e-3  # radam comes within 1e-4: it divides by 1 - b₂ᵗ, which Optax rounds


def table() -> str:
    """Return one row for each optimizer that Optax and adamjax share."""
    distances = json.loads(DISTANCES.read_text(encoding="utf-8"))
    rows = [
        "| optimizer | defaults | distance | Optax's steps | other names of arguments |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *(_row(row, distances[row.name]) for row in tables.OPTAX.values())])


def _row(row: tables.OptaxOptimizer, distance: float) -> str:
    equal = distance < EQUAL
    cells = [
        f"`{row.name}`",
        "equal" if equal else "differ",
        "" if equal else f"{distance:.2g}",
        *_call(row),
    ]
    return f"| {' | '.join(cells)} |"


def _call(row: tables.OptaxOptimizer) -> tuple[str, str]:
    """Return the call that equals Optax's with its default arguments, and the renamed ones."""
    if row.refused:
        return f"`adamjax.optax.contrib.{row.name}(lr)`", "all"
    call = optax_call(row.name, {"learning_rate": RATE})
    known = inspect.signature(getattr(adamjax, row.name)).parameters
    differ = {
        name: value
        for name, value in call.arguments.items()
        if name != "learning_rate" and not _is_default(name, value, known[name].default)
    }
    alias = OPTAX_STYLES.get(row.name, {})
    if differ.keys() & alias:
        differ = {"style": "optax"} | {k: x for k, x in differ.items() if k not in alias}
    names = ", ".join(f"`{theirs}` is `{ours}`" for ours, theirs in call.names.items())
    settings = "".join(f", {name}={value!r}" for name, value in differ.items())
    return f"`{call.variant}(lr{settings})`", names


def _is_default(name: str, value: Any, default: Any) -> bool:
    if name == "weight_decay":
        return (value or 0.0) == (default or 0.0)
    return default is None or value == default  # None leaves the choice to the style


def _function(name: str) -> Any:
    return getattr(optax, name, None) or getattr(optax.contrib, name)


def distance(name: str) -> float:
    """Return the distance after 20 steps with defaults, relative to the length of Optax's way."""
    start = {"w": jnp.linspace(-1.0, 1.0, 12).reshape(3, 4), "b": jnp.linspace(0.5, 2.0, 3)}
    theirs, ours = (
        _train(f(learning_rate=RATE), start) for f in (_function(name), getattr(adamjax, name))
    )
    return float(_norm(ours, theirs) / _norm(theirs, start))


def _norm(one: Any, other: Any) -> Any:
    squares = jax.tree.map(lambda x, y: jnp.sum((x - y) ** 2), one, other)
    return jnp.sqrt(sum(jax.tree.leaves(squares)))


def _train(tx: optax.GradientTransformation, params: Any) -> Any:
    tx, state = optax.with_extra_args_support(tx), tx.init(params)
    update = jax.jit(lambda g, state, p: tx.update(g, state, p, obj_fn=_loss))
    for step in range(STEPS):
        noise = jax.tree.map(lambda p, step=step: jnp.sin(9 * p + step), params)
        grads = jax.tree.map(jnp.add, jax.grad(_loss)(params), noise)
        updates, state = update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return params


def _loss(params: Any) -> Any:
    return jnp.sum(params["w"] ** 4) + jnp.sum(jnp.sin(params["b"]) ** 2)


if __name__ == "__main__":
    measured = {name: float(f"{distance(name):.2g}") for name in tables.OPTAX}
    DISTANCES.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
