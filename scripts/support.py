"""The support table: which options each variant has, from its record and its signature."""

import inspect

import jax
import jax.numpy as jnp

import adamjax
from adamjax.registry import Variant

PARAMS = {"matrix": jax.ShapeDtypeStruct((128, 128), jnp.float32)}
COLUMNS = (
    "variant",
    "`scale_by_*`",
    "styles",
    "`mu_dtype`",
    "`nu_dtype`",
    "low-precision `storage`",
    "default weight decay",
    "update needs `params`",
    "`static_args`",
)


def table() -> str:
    """One row per variant."""
    rows = [_row(adamjax.get_variant(name)) for name in adamjax.list_variants()]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _row(record: Variant) -> list[str]:
    arguments = inspect.signature(record.optimizer).parameters
    return [
        f"`{record.name}`",
        _yes(record.scale_by is not None),
        _yes(record.styles),
        _yes("mu_dtype" in arguments),
        _yes("nu_dtype" in arguments),
        _yes(record.roles),
        f'`"{arguments["decay_mode"].default}"`',
        _yes(_needs_params(record)),
        _yes(record.static),
    ]


def _yes(value: object) -> str:
    return "yes" if value else "–"


def _needs_params(record: Variant) -> bool:
    tx = record.optimizer(learning_rate=0.1, weight_decay=0.0)
    state = jax.eval_shape(tx.init, PARAMS)
    try:
        jax.eval_shape(tx.update, PARAMS, state)
    except ValueError:
        return True
    return False
