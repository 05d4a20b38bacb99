"""Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
Duchi, Hazan and Singer, 2011. JMLR 12, 2121-2159.

Each element is divided by the root of the sum of its squared gradients, so that rare features keep
large steps. There is no momentum.

    s = s + g²
    u = g / (√s + ε)
"""

from typing import Any, NamedTuple

import optax

from adamjax.checks import check_constants, check_not_negative, lookup_or_suggest
from adamjax.moments import Array, abs_sq, divide, root, sqrt_eps_inside
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "torch": "torch, TensorFlow 1: u = g / (√s + ε), in torch with ε = 1e-10 and s = 0 at t = 0",
    "keras": "Keras, Optax: u = g / √(s + ε), with ε = 1e-7 and s = 0.1 at t = 0",
}
_DENOMINATORS = {"torch": lambda nu, eps: root(nu) + eps, "keras": sqrt_eps_inside}


class AdagradState(NamedTuple):
    """Step `count`, and the sum of squared gradients `nu`."""

    count: Array
    nu: PyTree


def scale_by_adagrad(
    eps: ScalarOrSchedule = 1e-10,
    *,
    initial_accumulator_value: float = 0.0,
    style: str = "torch",
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adagrad rule.

    Args:
      eps: ε, added outside or under the root, see `style`.
      initial_accumulator_value: s before the first step, not negative.
      style: implementation to follow, "torch" or "keras", see `STYLES`.
      nu_dtype: dtype in which s is stored, float32 if None. A sum in bfloat16 soon stops growing.

    Returns:
      A transformation with an `AdagradState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_adagrad(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    denominator = lookup_or_suggest("style", style, _DENOMINATORS)
    check_constants(initial_accumulator_value=initial_accumulator_value)
    check_not_negative("initial_accumulator_value", initial_accumulator_value)

    def rule(g, moments, step):
        nu = moments.nu + abs_sq(g, moments.nu)
        return divide(g, denominator(nu, step.eps)), moments._replace(nu=nu)

    slots = {"nu": Slot(nu_dtype, initial_accumulator_value, square=True)}
    return lift(rule, AdagradState, slots, scalars={"eps": eps})


ADAGRAD = register(
    scale_by_adagrad,
    Paper(
        "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
        "Duchi, John and Hazan, Elad and Singer, Yoram",
        2011,
        "Journal of Machine Learning Research 12, 2121-2159",
        url="https://jmlr.org/papers/v12/duchi11a.html",
    ),
    summary="sum instead of average of squared gradients, no momentum",
    learning_rate=1e-2,
    styles=STYLES,
)
adagrad = ADAGRAD.optimizer
