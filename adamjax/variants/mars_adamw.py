"""MARS: Unleashing the Power of Variance Reduction for Training Large Models. Yuan et al., 2024.
arXiv:2411.10438.

AdamW or Lion with variance-reduced gradients: a share of the change since the previous gradient is
added to each gradient.

    c = g + γ b₁/(1-b₁) (g - g')            g' the previous gradient, 0 at first
    c = c / max(1, ‖c‖)
    m = b₁ m + (1 - b₁) c
    v = b₂ v + (1 - b₂) c²
    u = m̂ / (√v̂ + ε)                        MARS-Lion: u = sign(m)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, lookup_or_suggest
from adamjax.modifiers.mars import mars
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import Array, adam_update, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree
from adamjax.variants.adam import scale_by_adam
from adamjax.variants.lion import scale_by_lion

STYLES = {
    "author": "the authors' code: g' is 0 at the first step",
    "timm": "timm: g' is g at the first step",
}


class OthersState(NamedTuple):
    """Adam's state of the leaves other than matrices."""

    step_count: Array
    mu: PyTree
    nu: PyTree
    roles = {"mu": "mean", "nu": "square"}


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
    """Rescale updates with the MARS-AdamW rule, `adamjax.mars` and then Adam.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      gamma: γ, weight of the correction.
      optimize_1d: whether leaves other than matrices use the rule too, instead of Adam.
      b1_1d: b₁ of Adam for leaves other than matrices.
      b2_1d: b₂ of Adam for leaves other than matrices.
      style: implementation to follow, "author" or "timm".
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A chain of a `MarsState` and an `optax.ScaleByAdamState`, inside an
      `optax.transforms.PartitionState` unless `optimize_1d`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_mars_adamw(), jnp.array([[2.0]])
    >>> jnp.round(tx.update(g, tx.init(g))[0], 4).tolist()
    [[1.0]]
    """
    lookup_or_suggest("style", style, STYLES)
    corrected = optax.chain(
        mars(b1, gamma, first_difference=style == "author", dtype=mu_dtype),
        scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype),
    )
    adam = _adam_1d(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)
    return corrected if optimize_1d else partition_matrices(corrected, adam, _two_axes)


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
    """Rescale updates with the MARS-Lion rule, `adamjax.mars` and then the sign of m.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      eps: ε of Adam for leaves other than matrices.
      gamma: γ, weight of the correction.
      optimize_1d: whether leaves other than matrices use the rule too, instead of Adam.
      b1_1d: b₁ of Adam for leaves other than matrices.
      b2_1d: b₂ of Adam for leaves other than matrices.
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.

    Returns:
      A chain of a `MarsState` and an `optax.ScaleByLionState`, inside an
      `optax.transforms.PartitionState` unless `optimize_1d`.

    Raises:
      ValueError: for a decay rate outside [0, 1), or a negative number.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_mars_lion(), jnp.array([[2.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[1.0]]
    """
    corrected = optax.chain(
        mars(b1, gamma, dtype=mu_dtype), scale_by_lion(b1, b1, mu_dtype=mu_dtype)
    )
    adam = _adam_1d(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)
    return corrected if optimize_1d else partition_matrices(corrected, adam, _two_axes)


def _two_axes(params: PyTree) -> PyTree:
    """Return layouts in which the leaves with two axes are the matrices."""
    return jax.tree.map(lambda p: "in out -> out in" if jnp.ndim(p) == 2 else "other", params)


def _adam_1d(
    b1_1d: ScalarOrSchedule, b2_1d: ScalarOrSchedule, eps: ScalarOrSchedule, mu: Any, nu: Any
) -> optax.GradientTransformationExtraArgs:
    """Return Adam for leaves other than matrices."""
    check_beta("b1_1d", b1_1d)
    check_beta("b2_1d", b2_1d)

    def rule(g, moments, step):
        mu, nu = ema(g, moments.mu, step.b1), ema(g * g, moments.nu, step.b2)
        return adam_update(mu, nu, step), moments._replace(mu=mu, nu=nu)

    slots, betas = {"mu": Slot(mu), "nu": Slot(nu)}, {"b1": b1_1d, "b2": b2_1d}
    return lift(rule, OthersState, slots, betas=betas, scalars={"eps": eps, "eps_root": 0.0})


MARS_ADAMW = register(
    scale_by_mars_adamw,
    Paper(
        "MARS: Unleashing the Power of Variance Reduction for Training Large Models",
        "Yuan, Huizhuo and Liu, Yifeng and Wu, Shuang and Zhou, Xun and Gu, Quanquan",
        2024,
        "International Conference on Machine Learning, 2025",
        arxiv="2411.10438",
    ),
    summary="Adam of variance-reduced gradients",
    learning_rate=3e-3,
    notes="The learning rate and the weight decay apply to all leaves. The authors use a weight "
    "decay of 0.1 for leaves other than matrices: "
    "`adamjax.partition_matrices(mars_adamw(...), adamw(..., weight_decay=0.1))`.",
    styles=STYLES,
)
mars_adamw = MARS_ADAMW.optimizer

MARS_LION = register(
    scale_by_mars_lion,
    MARS_ADAMW.paper,
    summary="sign of a momentum of variance-reduced gradients, no second moment",
    learning_rate=3e-3,
    formula="c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = sign(b₁ m + (1-b₁) c)",
)
mars_lion = MARS_LION.optimizer
