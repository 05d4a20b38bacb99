"""Tiger: A Tight-fisted Optimizer. Su, 2023. https://kexue.fm/archives/9512.

The sign of the momentum: Lion with b₁ = b₂.

    m = b₁ m + (1 - b₁) g
    u = sign(m)
"""

from typing import Any

import optax

from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.lion import scale_by_lion


def scale_by_tiger(
    b1: ScalarOrSchedule = 0.965, *, mu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Tiger rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      mu_dtype: dtype in which m is stored, float32 if None.

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
        "Tiger: A Tight-fisted Optimizer", "Su, Jianlin", 2023, url="https://kexue.fm/archives/9512"
    ),
    summary="sign of the momentum, no second moment",
    learning_rate=1e-3,
    notes="The author's code also multiplies the learning rate of matrices by RMS(p) and halves "
    "that of biases and scales. For a similar effect, chain `optax.scale_by_param_block_rms` "
    "behind `adamjax.scale_by_tiger`.",
    reduces_to=(
        Reduction({"b1": 0.875}, "lion", {"learning_rate": 1e-3, "b1": 0.875, "b2": 0.875}),
    ),
)
tiger = TIGER.optimizer
