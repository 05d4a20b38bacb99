"""Title of the paper. Authors, year. arXiv:0000.00000.

One sentence: what it changes against Adam. Then the update, in readable Unicode:

    m = b₁ m + (1 - b₁) g
    u = sign(m)

Copy this file to `variants/<name>.py`, write the rule, give the functions and the record their
names, write `VARIANT = register(Variant(...))`, import the functions in `adamjax/__init__.py`, and
write the oracle `tests/oracles/<name>.py`. The parts stay in this order.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.moments import Array, ema
from adamjax.registry import Paper
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


class TemplateState(NamedTuple):
    """Only where Optax has no state with these fields."""

    count: Array
    mu: PyTree


def scale_by_template(
    b1: ScalarOrSchedule = 0.9, *, mu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """The direction, in one line with its formula.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      mu_dtype: dtype in which m is stored; None for float32.

    Returns:
      A transformation with a `TemplateState`.

    Raises:
      ValueError: for b1 outside [0, 1).

    >>> tx, g = scale_by_template(), jnp.float32(-2.0)
    >>> float(tx.update(g, tx.init(g))[0])
    -1.0
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        return jnp.sign(mu), moments._replace(mu=mu)

    return lift(rule, TemplateState, {"mu": Slot(mu_dtype)}, betas={"b1": b1})


TEMPLATE = register(
    scale_by_template,
    Paper("Title", "Last, First and Last, First", 2000, arxiv="0000.00000"),
    summary="one sentence: what it changes against Adam",
    learning_rate=1e-3,
)
template = TEMPLATE.optimizer
