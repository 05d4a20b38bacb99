"""On the Convergence of Adam and Beyond. Reddi, Kale and Kumar, 2018. arXiv:1904.09237.

Adam that divides by the largest v so far, so that no element's step size ever grows again.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    w = max(w, v)
    u = m̂ / (√ŵ + ε)
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.moments import (
    adam_update,
    adam_update_eps_hat,
    adam_update_no_bias_correction,
    debias,
    divide,
    ema,
)
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift

STYLES = {
    "torch": "torch, PaddlePaddle: u = m̂ / (√(w / (1 - b₂ᵗ)) + ε), w the largest raw v",
    "keras": "Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√w + ε), w the largest raw v",
    "paper": "the paper: u = m / (√w + ε), no bias correction",
    "optax": "Optax: u = m̂ / (√w + ε), w the largest v̂ = v / (1 - b₂ᵗ)",
}


def _adam_debiased(mu, nu_max, step):
    return divide(debias(mu, step.b1), jnp.sqrt(nu_max + step.eps_root) + step.eps)


_DIRECTIONS = {
    "torch": adam_update,
    "keras": adam_update_eps_hat,
    "paper": adam_update_no_bias_correction,
    "optax": _adam_debiased,
}


def scale_by_amsgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "torch",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of AMSGrad: Adam's with the running maximum of v.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      style: "torch", "keras", "paper" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAmsgradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_amsgrad(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.0
    """
    direction = lookup_or_suggest("style", style, _DIRECTIONS)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        seen = debias(nu, step.b2) if style == "optax" else nu
        nu_max = jnp.maximum(moments.nu_max, seen)
        return direction(mu, nu_max, step), moments._replace(mu=mu, nu=nu, nu_max=nu_max)

    return lift(
        rule,
        optax.ScaleByAmsgradState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "nu_max": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


AMSGRAD = register(
    scale_by_amsgrad,
    Paper(
        "On the Convergence of Adam and Beyond",
        "Reddi, Sashank J. and Kale, Satyen and Kumar, Sanjiv",
        2018,
        "International Conference on Learning Representations, 2018",
        arxiv="1904.09237",
    ),
    summary="divides by the largest v so far, so that step sizes never grow again",
    learning_rate=1e-3,
    styles=STYLES,
)
amsgrad = AMSGRAD.optimizer
