"""AdaShift: Decorrelation and Convergence of Adaptive Learning Rate Methods. Zhou et al., 2018.
arXiv:1810.00143.

Adam with v decorrelated from m. The gradients in v are delayed by n steps, and m averages the last
n gradients. By default there is one v for each leaf.

    m = Σ b₁ⁱ g₋ᵢ / Σ b₁ⁱ              i = 0 … n-1, g₋ᵢ the gradient i steps ago
    v = b₂ v + (1 - b₂) max(g₋ₙ²)      the maximum over the leaf
    u = m / (√(v / (1 - b₂ᵗ⁻ⁿ)) + ε)   0 in the first n steps
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, lookup_or_suggest
from adamjax.moments import Array, divide, ema, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "paper": "the paper: m is the weighted mean of the last n gradients",
    "port": "the port to PyTorch: m starts at 0 after n steps, a deficit that decays with b₁",
}


class AdashiftState(NamedTuple):
    """Step `count`, ring buffer `window` of n gradients, v in `nu`, deficit of m in `missing`."""

    count: Array
    window: PyTree
    nu: PyTree
    missing: PyTree = None
    roles = {"window": "signed", "nu": "square"}


def _slide(g: Array, window: Array, steps: Array, b1: Any) -> tuple[Array, Array, Array]:
    """Return the oldest gradient, the ring buffer with g in its place, and its weighted mean."""
    n = len(window)
    place = steps % n
    updated = window.at[place].set(g)
    age = ((place - jnp.arange(n)) % n).astype(g.dtype)
    weights = b1**age
    return window[place], updated, jnp.tensordot(weights / jnp.sum(weights), updated, 1)


def scale_by_adashift(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-10,
    *,
    window: int = 10,
    reduce: str = "max",
    style: str = "paper",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdaShift rule.

    Args:
      b1: ratio of the weights of successive gradients in m, 0 <= b1 < 1.
      b2: decay rate of v, 0 <= b2 < 1. With a schedule, bias correction uses the present value.
      eps: ε, added to √v̂.
      window: n >= 1, number of gradients in m. The state stores n gradients.
      reduce: "max" for one v per leaf, "none" for one per element.
      style: implementation to follow, "paper" or "port", see `STYLES`.
      mu_dtype: dtype in which the gradients are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `AdashiftState`.

    Raises:
      ValueError: for a number out of range, or an unknown reduce or style.

    >>> tx, g = scale_by_adashift(window=1), jnp.array([3.0, 4.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), [round(float(x), 4) for x in tx.update(-g, state)[0]]
    ([0.0, 0.0], [-0.75, -1.0])
    """
    check_count("window", window)
    check_beta("b1", b1)
    lookup_or_suggest("style", style, STYLES)
    per_leaf = lookup_or_suggest("reduce", reduce, {"max": True, "none": False})

    def rule(g, moments, step):
        oldest, gradients, mu = _slide(g, moments.window, moments.count - 1, step.b1)
        q = jnp.max(oldest**2, initial=0, keepdims=True) if per_leaf else oldest**2
        nu = ema(q, moments.nu, step.b2)
        after = moments._replace(window=gradients, nu=nu)
        if style == "port":
            missing = jnp.where(step.count == window, mu, step.b1 * moments.missing)
            mu, after = mu - missing, after._replace(missing=missing)
        full = step.count > window
        since = jnp.where(full, step.count - window, 1)
        correction = -jnp.expm1(-step.b2.neg_log * since)
        u = divide(mu, root(nu / correction) + step.eps, step.eps)
        return jnp.where(full, u, 0), after

    slots = {
        "window": Slot(mu_dtype, shape=lambda shape: (window, *shape)),
        "nu": Slot(nu_dtype, shape=(lambda shape: (1,) * len(shape)) if per_leaf else None),
    }
    if style == "port":
        slots["missing"] = Slot(mu_dtype)
    return lift(rule, AdashiftState, slots, betas={"b2": b2}, scalars={"b1": b1, "eps": eps})


ADASHIFT = register(
    scale_by_adashift,
    Paper(
        "AdaShift: Decorrelation and Convergence of Adaptive Learning Rate Methods",
        "Zhou, Zhiming and Zhang, Qingru and Lu, Guansong and Wang, Hongwei and Zhang, Weinan "
        "and Yu, Yong",
        2018,
        "International Conference on Learning Representations, 2019",
        arxiv="1810.00143",
    ),
    summary="decorrelates v from m by delaying the gradients in v by n steps",
    learning_rate=1e-3,
    styles=STYLES,
)
adashift = ADASHIFT.optimizer
