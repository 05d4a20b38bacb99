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

from adamjax.checks import check_beta, lookup_or_suggest
from adamjax.modifiers.mars import mars
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
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
    first = lookup_or_suggest("style", style, _FIRST_DIFFERENCES)
    correct = mars(b1, gamma, first_difference=first, dtype=mu_dtype)
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    plain = _plain(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)
    corrected = optax.chain(correct, adam)
    return corrected if optimize_1d else partition_matrices(corrected, plain)


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
    return corrected if optimize_1d else partition_matrices(corrected, plain)


def _plain(
    b1_1d: ScalarOrSchedule, b2_1d: ScalarOrSchedule, eps: ScalarOrSchedule, mu: Any, nu: Any
) -> optax.GradientTransformationExtraArgs:
    """The direction of leaves that are no matrices; mu and nu are dtypes."""
    check_beta("b1_1d", b1_1d)
    check_beta("b2_1d", b2_1d)
    return scale_by_adam(b1_1d, b2_1d, eps, mu_dtype=mu, nu_dtype=nu)


MARS_ADAMW = register(
    scale_by_mars_adamw,
    Paper(
        "MARS: Unleashing the Power of Variance Reduction for Training Large Models",
        "Yuan, Huizhuo and Liu, Yifeng and Wu, Shuang and Zhou, Xun and Gu, Quanquan",
        2024,
        "International Conference on Machine Learning, 2025",
        arxiv="2411.10438",
    ),
    summary="adds to each gradient a share of its change since the step before",
    learning_rate=3e-3,
    notes="The learning rate and the decay are for all leaves. The authors give the others, "
    "which have Adam's direction, a decay of 0.1 at first: "
    "`adamjax.partition_matrices(mars_adamw(...), adamw(..., weight_decay=0.1))`.",
    styles=STYLES,
)
mars_adamw = MARS_ADAMW.optimizer

MARS_LION = register(
    scale_by_mars_lion,
    Paper(
        "MARS: Unleashing the Power of Variance Reduction for Training Large Models",
        "Yuan, Huizhuo and Liu, Yifeng and Wu, Shuang and Zhou, Xun and Gu, Quanquan",
        2024,
        "International Conference on Machine Learning, 2025",
        arxiv="2411.10438",
    ),
    summary="the sign of an average of corrected gradients; no second moment",
    learning_rate=3e-3,
    formula="c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = sign(b₁ m + (1-b₁) c)",
    styles={},
)
mars_lion = MARS_LION.optimizer
