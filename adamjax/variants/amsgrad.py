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

from adamjax.checks import pick
from adamjax.moments import adam_hat, adam_outside, adam_uncorrected, debias, divide, ema
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask

STYLES = {
    "torch": "torch, PaddlePaddle: u = m̂ / (√(w / (1 - b₂ᵗ)) + ε), w the largest raw v",
    "keras": "Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√w + ε), w the largest raw v",
    "paper": "the paper: u = m / (√w + ε), no bias correction",
    "optax": "Optax: u = m̂ / (√w + ε), w the largest v̂ = v / (1 - b₂ᵗ)",
}


def _adam_debiased(mu, nu_max, step):
    return divide(debias(mu, step.b1), jnp.sqrt(nu_max + step.eps_root) + step.eps)


_DIRECTIONS = {
    "torch": adam_outside,
    "keras": adam_hat,
    "paper": adam_uncorrected,
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
    direction = pick("style", style, _DIRECTIONS)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        seen = debias(nu, step.b2) if style == "optax" else nu
        nu_max = jnp.maximum(moments.nu_max, seen)
        return direction(mu, nu_max, step), moments._replace(mu=mu, nu=nu, nu_max=nu_max)

    return lift(
        rule,
        optax.ScaleByAmsgradState,
        {"mu": Slot(dtype=mu_dtype), "nu": Slot(dtype=nu_dtype), "nu_max": Slot(dtype=nu_dtype)},
        decays={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


def amsgrad(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: str = "torch",
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AMSGrad (arXiv:1904.09237) as a ready-made optimizer: p <- p - lr m̂ / (√max v̂ + ε).

    The arguments of `scale_by_amsgrad`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`.

    >>> import jax.numpy as jnp
    >>> tx, g = amsgrad(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    -0.5
    """
    direction = scale_by_amsgrad(
        b1, b2, eps, eps_root=eps_root, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype
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
        name="amsgrad",
        make=amsgrad,
        direction=scale_by_amsgrad,
        paper=Paper(
            "On the Convergence of Adam and Beyond",
            "Reddi, Sashank J. and Kale, Satyen and Kumar, Sanjiv",
            2018,
            "International Conference on Learning Representations, 2018",
            arxiv="1904.09237",
        ),
        changes="divides by the largest v so far, so that step sizes never grow again",
        formula="v = b₂ v + (1-b₂) g²;  w = max(w, v);  u = m̂ / (√ŵ + ε)",
        slots=("mu", "nu", "nu_max"),
        styles=STYLES,
    )
)
