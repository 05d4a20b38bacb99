"""Symbolic Discovery of Optimization Algorithms. Chen et al., 2023. arXiv:2302.06675.

The sign of an interpolated momentum. It keeps one moment, half of Adam's state.

    u = sign(b₁ m + (1 - b₁) g)
    m = b₂ m + (1 - b₂) g
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.moments import ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift


def scale_by_lion(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.99, *, mu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Lion rule.

    Args:
      b1: weight of the momentum in the update, 0 <= b1 < 1.
      b2: decay rate of the momentum m, 0 <= b2 < 1.
      mu_dtype: dtype in which m is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByLionState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1).

    >>> tx, g = scale_by_lion(), jnp.float32(2.0)
    >>> float(tx.update(g, tx.init(g))[0])
    1.0
    """

    def rule(g, moments, step):
        u = jnp.sign(ema(g, moments.mu, step.b1))
        return u, moments._replace(mu=ema(g, moments.mu, step.b2))

    slots = {"mu": Slot(mu_dtype)}
    return lift(rule, optax.ScaleByLionState, slots, betas={"b1": b1, "b2": b2})


LION = register(
    scale_by_lion,
    Paper(
        "Symbolic Discovery of Optimization Algorithms",
        "Chen, Xiangning and Liang, Chen and Huang, Da and Real, Esteban and Wang, Kaiyuan "
        "and Liu, Yao and Pham, Hieu and Dong, Xuanyi and Luong, Thang and Hsieh, Cho-Jui and "
        "Lu, Yifeng and Le, Quoc V.",
        2023,
        "Advances in Neural Information Processing Systems 36",
        arxiv="2302.06675",
    ),
    summary="sign of an interpolated momentum, no second moment",
    learning_rate=1e-4,
    notes="Use a 3 to 10 times smaller learning rate and a 3 to 10 times larger weight decay than "
    "with AdamW.",
)
lion = LION.optimizer
