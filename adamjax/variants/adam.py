"""Adam: A Method for Stochastic Optimization. Kingma and Ba, 2014. arXiv:1412.6980.

The average of the gradients, divided elementwise by the root of the average of their squares. Both
averages start at zero and are corrected for that bias.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = m / (1 - b₁ᵗ) / (√(v / (1 - b₂ᵗ)) + ε)
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import (
    abs_sq,
    adam_update,
    adam_update_eps_hat,
    adam_update_no_bias_correction,
    ema,
)
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch, Optax: u = m̂ / (√v̂ + ε)",
    "keras": "Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√v + ε), ε̂ in the paper",
    "mlx": "MLX by default: u = m / (√v + ε), no bias correction",
}
DIRECTIONS = {
    "torch": adam_update,
    "keras": adam_update_eps_hat,
    "mlx": adam_update_no_bias_correction,
}


def scale_by_adam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adam rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ or √v, see `style`. The default of Keras is 1e-7.
      eps_root: added under the root. Use a small value to differentiate through the update.
      style: implementation to follow, "torch", "keras" or "mlx", see `STYLES`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None. With b2 = 0.999, bfloat16 freezes v.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx = scale_by_adam()
    >>> updates, state = tx.update({"w": jnp.float32(2.0)}, tx.init({"w": jnp.float32(0.0)}))
    >>> round(float(updates["w"]), 6)
    1.0
    """
    direction = lookup_or_suggest("style", style, DIRECTIONS)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        return direction(mu, nu, step), moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    scalars = {"eps": eps, "eps_root": eps_root}
    return lift(rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


ADAM = register(
    scale_by_adam,
    Paper(
        "Adam: A Method for Stochastic Optimization",
        "Kingma, Diederik P. and Ba, Jimmy",
        2014,
        "International Conference on Learning Representations, 2015",
        arxiv="1412.6980",
    ),
    summary="averages of g and g², with bias correction",
    learning_rate=1e-3,
    styles=STYLES,
)
adam = ADAM.optimizer
