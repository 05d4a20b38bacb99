"""MARS: Unleashing the Power of Variance Reduction for Training Large Models. Yuan et al., 2024.

arXiv:2411.10438. AdamW, or Lion, of gradients that are corrected by a share of what has changed
since the one before, which takes noise out of them.

    c = g + γ b₁/(1-b₁) (g - g')            g' the gradient before, 0 at first
    c = c / max(1, ‖c‖)
    m = b₁ m + (1 - b₁) c
    v = b₂ v + (1 - b₂) c²
    u = m̂ / (√v̂ + ε)                        MARS-Lion: u = sign(m)
"""

from typing import Any

import optax

from adamjax.checks import check_decay, pick
from adamjax.modifiers.by_matrix import by_matrix
from adamjax.modifiers.mars import mars
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask
from adamjax.variants.adam import scale_by_adam
from adamjax.variants.lion import scale_by_lion

STYLES = {
    "author": "the authors' code: the first gradient is compared with 0",
    "timm": "timm: the first gradient is not corrected",
}
_FIRST_DIFFERENCES = {"author": True, "timm": False}


def scale_by_mars_adamw(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of MARS-AdamW, Adam's of the gradients that `adamjax.mars` corrects.

    Args:
      b1: decay of the average m of the corrected gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v̂ + ε.
      gamma: γ, the share of the correction.
      optimize_1d: whether all leaves are treated so, and not matrices alone, as the authors do; the
        others then have Adam's direction.
      b1_1d: b₁ of these others.
      b2_1d: b₂ of these others.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which m and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `MarsState` and an `optax.ScaleByAdamState`, inside an
      `optax.transforms.PartitionState` unless `optimize_1d`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative eps or gamma, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_mars_adamw(), jnp.array([[2.0]])
    >>> jnp.round(tx.update(g, tx.init(g))[0], 4).tolist()
    [[1.0]]
    """
    first = pick("style", style, _FIRST_DIFFERENCES)
    correct = mars(b1, gamma, first_difference=first, dtype=mu_dtype)
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    plain = _plain(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)
    corrected = optax.chain(correct, adam)
    return corrected if optimize_1d else by_matrix(corrected, plain)


def scale_by_mars_lion(
    b1: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of MARS-Lion, sign(m), m the average of the gradients that `mars` corrects.

    The arguments and errors of `scale_by_mars_adamw`; ε and `nu_dtype` are for the leaves that are
    no matrices. The state has an `optax.ScaleByLionState`.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_mars_lion(), jnp.array([[2.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[1.0]]
    """
    correct = mars(b1, gamma, dtype=mu_dtype)
    corrected = optax.chain(correct, scale_by_lion(b1, b1, mu_dtype=mu_dtype))
    plain = _plain(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)
    return corrected if optimize_1d else by_matrix(corrected, plain)


def _plain(
    b1_1d: ScalarOrSchedule, b2_1d: ScalarOrSchedule, eps: ScalarOrSchedule, mu: Any, nu: Any
) -> optax.GradientTransformationExtraArgs:
    """The direction of leaves that are no matrices; mu and nu are dtypes."""
    check_decay("b1_1d", b1_1d)
    check_decay("b2_1d", b2_1d)
    return scale_by_adam(b1_1d, b2_1d, eps, mu_dtype=mu, nu_dtype=nu)


def mars_adamw(
    learning_rate: ScalarOrSchedule = 3e-3,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    style: str = "author",
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """MARS-AdamW (arXiv:2411.10438) as a ready-made optimizer: p <- p - lr (u + λ p).

    The arguments of `scale_by_mars_adamw`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`. The learning rate
    and the decay are for all leaves. The authors give the others, which have Adam's direction, a
    decay of 0.1 at first: `adamjax.by_matrix(mars_adamw(...), adamw(..., weight_decay=0.1))`.

    >>> import jax.numpy as jnp
    >>> tx, g = mars_adamw(0.5), jnp.array([[2.0]])
    >>> jnp.round(tx.update(g, tx.init(g))[0], 4).tolist()
    [[-0.5]]
    """
    direction = scale_by_mars_adamw(
        b1,
        b2,
        eps,
        gamma=gamma,
        optimize_1d=optimize_1d,
        b1_1d=b1_1d,
        b2_1d=b2_1d,
        style=style,
        mu_dtype=mu_dtype,
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


def mars_lion(
    learning_rate: ScalarOrSchedule = 3e-3,
    b1: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-8,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """MARS-Lion (arXiv:2411.10438) as a ready-made optimizer: p <- p - lr (sign(m) + λ p).

    The arguments of `scale_by_mars_lion`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`.

    >>> import jax.numpy as jnp
    >>> tx, g = mars_lion(0.5), jnp.array([[2.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[-0.5]]
    """
    direction = scale_by_mars_lion(
        b1,
        eps,
        gamma=gamma,
        optimize_1d=optimize_1d,
        b1_1d=b1_1d,
        b2_1d=b2_1d,
        mu_dtype=mu_dtype,
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
        name="mars_adamw",
        make=mars_adamw,
        direction=scale_by_mars_adamw,
        paper=Paper(
            "MARS: Unleashing the Power of Variance Reduction for Training Large Models",
            "Yuan, Huizhuo and Liu, Yifeng and Wu, Shuang and Zhou, Xun and Gu, Quanquan",
            2024,
            "International Conference on Machine Learning, 2025",
            arxiv="2411.10438",
        ),
        changes="adds to each gradient a share of its change since the step before",
        formula="c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = Adam's of c",
        slots=("mu", "nu", "previous"),
        styles=STYLES,
        static=("optimize_1d",),
    )
)

MARS_LION = register(
    VARIANT._replace(
        name="mars_lion",
        make=mars_lion,
        direction=scale_by_mars_lion,
        changes="the sign of an average of corrected gradients; no second moment",
        formula="c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = sign(b₁ m + (1-b₁) c)",
        styles={},
    )
)
