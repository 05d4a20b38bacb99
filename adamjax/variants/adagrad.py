"""Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
Duchi, Hazan and Singer, 2011. JMLR 12, 2121-2159.

Each element divided by the root of the sum of all its squares: rare features keep large steps.
The sum never forgets, and there is no momentum.

    s = s + g²
    u = g / (√s + ε)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, pick
from adamjax.moments import Array, divide, inside
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree

STYLES = {
    "torch": "torch, TensorFlow 1: u = g / (√s + ε); torch takes ε = 1e-10 and starts s at 0",
    "keras": "Keras, Optax: u = g / √(s + ε); both take ε = 1e-7 and start s at 0.1",
}
_DENOMINATORS = {"torch": lambda nu, eps: jnp.sqrt(nu) + eps, "keras": inside}


class AdagradState(NamedTuple):
    """Steps done, and the sum of squares s."""

    count: Array
    nu: PyTree


def scale_by_adagrad(
    eps: ScalarOrSchedule = 1e-10,
    *,
    initial_accumulator_value: float = 0.0,
    style: str = "torch",
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Adagrad, u = g / (√s + ε) elementwise, s the sum of all squares.

    Args:
      eps: ε, placed as `style` says.
      initial_accumulator_value: s before the first step, not negative.
      style: "torch" or "keras", see `STYLES`.
      nu_dtype: dtype in which s is stored; None for float32. A sum in bfloat16 soon stands still.

    Returns:
      A transformation with an `AdagradState`.

    Raises:
      ValueError: for a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_adagrad(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    denominator = pick("style", style, _DENOMINATORS)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)

    def rule(g, moments, step):
        nu = moments.nu + g * g
        return divide(g, denominator(nu, step.eps)), moments._replace(nu=nu)

    slots = {"nu": Slot(fill=initial_accumulator_value, dtype=nu_dtype)}
    return lift(rule, AdagradState, slots, scalars={"eps": eps})


def adagrad(
    learning_rate: ScalarOrSchedule = 1e-2,
    eps: ScalarOrSchedule = 1e-10,
    *,
    initial_accumulator_value: float = 0.0,
    style: str = "torch",
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Adagrad (JMLR 12, 2011) as a ready-made optimizer: p <- p - lr g / (√s + ε).

    The arguments of `scale_by_adagrad`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`.

    >>> import jax.numpy as jnp
    >>> tx, g = adagrad(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    -0.5
    """
    direction = scale_by_adagrad(
        eps,
        initial_accumulator_value=initial_accumulator_value,
        style=style,
        nu_dtype=nu_dtype,
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay=decay,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="adagrad",
        make=adagrad,
        direction=scale_by_adagrad,
        paper=Paper(
            "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
            "Duchi, John and Hazan, Elad and Singer, Yoram",
            2011,
            "Journal of Machine Learning Research 12, 2121-2159",
            url="https://jmlr.org/papers/v12/duchi11a.html",
        ),
        changes="sums the squares instead of averaging them, and has no momentum",
        formula="s = s + g²;  u = g / (√s + ε)",
        slots=("nu",),
        styles=STYLES,
    )
)
