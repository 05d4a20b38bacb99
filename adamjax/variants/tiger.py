"""Tiger: a tight-fisted optimizer. Su, 2023. kexue.fm/archives/9512.

Lion with one decay for both averages: the sign of the average of the gradients.

    m = b₁ m + (1 - b₁) g
    u = sign(m)
"""

from typing import Any

import optax

from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.lion import scale_by_lion


def scale_by_tiger(
    b1: ScalarOrSchedule = 0.965,
    *,
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Tiger, the sign of m: Lion's with b₂ = b₁.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      mu_dtype: dtype in which m is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByLionState`.

    Raises:
      ValueError: for b1 outside [0, 1).

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_tiger(), jnp.float32(2.0)
    >>> float(tx.update(g, tx.init(g))[0])
    1.0
    """
    return scale_by_lion(b1, b1, mu_dtype=mu_dtype)


TIGER = register(
    scale_by_tiger,
    Paper(
        "Tiger: A Tight-fisted Optimizer",
        "Su, Jianlin",
        2023,
        url="https://kexue.fm/archives/9512",
    ),
    summary="the sign of the average; no second moment",
    learning_rate=1e-3,
    notes="The author's code also multiplies the learning rate of matrices by RMS(p), and "
    "halves that of biases and scales, which it knows by their names; that is not done "
    "here. `optax.scale_by_param_block_rms` behind `scale_by_tiger` is near to it.",
    reduces_to=(
        Reduction(
            {"learning_rate": 1e-3, "b1": 0.875},
            "lion",
            {"learning_rate": 1e-3, "b1": 0.875, "b2": 0.875},
        ),
    ),
)
tiger = TIGER.optimizer
