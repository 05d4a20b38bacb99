"""Adam: A Method for Stochastic Optimization. Kingma and Ba, 2014. arXiv:1412.6980.

The average of the gradients, each element divided by the root of the average of its squares, both
freed of their bias towards the zero they start from.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = m / (1 - b₁ᵗ) / (√(v / (1 - b₂ᵗ)) + ε)
"""

from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import adam_update, adam_update_eps_hat, adam_update_no_bias_correction, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch, Optax: u = m̂ / (√v̂ + ε)",
    "keras": "Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√v + ε), the paper's ε̂",
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
    """The direction of Adam, u = m̂ / (√v̂ + ε) elementwise, to be chained with a learning rate.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says; torch and Optax take 1e-8, Keras 1e-7.
      eps_root: added under the root, √(v̂ + eps_root), for differentiating through the update.
      style: "torch", "keras" or "mlx", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32. bfloat16 freezes v at b2 = 0.999.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx = scale_by_adam()
    >>> updates, state = tx.update({"w": jnp.float32(2.0)}, tx.init({"w": jnp.float32(0.0)}))
    >>> round(float(updates["w"]), 6)
    1.0
    """
    direction = lookup_or_suggest("style", style, DIRECTIONS)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        return direction(mu, nu, step), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


ADAM = register(
    scale_by_adam,
    Paper(
        "Adam: A Method for Stochastic Optimization",
        "Kingma, Diederik P. and Ba, Jimmy",
        2014,
        "International Conference on Learning Representations, 2015",
        arxiv="1412.6980",
    ),
    summary="the method that all others are compared with",
    learning_rate=1e-3,
    styles=STYLES,
)
adam = ADAM.optimizer
