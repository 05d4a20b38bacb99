"""AdaShift: Decorrelation and Convergence of Adaptive Learning Rate Methods. Zhou et al., 2018.
arXiv:1810.00143.

Adam whose v knows nothing of the gradients in m: these are the last n, v is made of those before
them, one number for a leaf.

    m = Σ b₁ⁱ g₋ᵢ / Σ b₁ⁱ              i = 0 … n-1, g₋ᵢ the gradient of i steps before
    v = b₂ v + (1 - b₂) max(g₋ₙ²)      the largest of the leaf
    u = m / (√(v / (1 - b₂ᵗ⁻ⁿ)) + ε)   0 for the first n steps
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, lookup_or_suggest
from adamjax.moments import Array, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "paper": "the paper: m is the weighted mean of all of the last n gradients",
    "port": "the port to PyTorch: m starts at 0 when the first n gradients have been seen, and "
    "forgets with b₁ that they are not in it",
}


class AdashiftState(NamedTuple):
    """Steps done, the last n gradients in a ring, v; what a port leaves out of m."""

    count: Array
    window: PyTree
    nu: PyTree
    missing: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"window": "signed", "nu": "square"}


def _slide(g: Array, window: Array, steps: Array, b1: Any) -> tuple[Array, Array, Array]:
    """The oldest gradient of a ring, the ring with g in its place, and its weighted mean."""
    n = len(window)
    place = steps % n
    kept = window.at[place].set(g)
    age = ((place - jnp.arange(n)) % n).astype(g.dtype)
    weights = b1**age
    return window[place], kept, jnp.tensordot(weights / jnp.sum(weights), kept, 1)


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
    """The direction of AdaShift: the last n gradients over the size of those before.

    Args:
      b1: how much less than the next each gradient of the last n counts, 0 <= b1 < 1.
      b2: decay of v, 0 <= b2 < 1. Under a schedule the correction is that of the present b2.
      eps: ε, outside the root.
      window: n, at least 1. The state holds n gradients.
      reduce: "max", one v for each leaf, or "none", one for each element.
      style: "paper" or "port", see `STYLES`.
      mu_dtype: dtype in which the gradients are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AdashiftState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, a window that is no whole number from
        1, an unknown reduce or style.

    >>> tx, g = scale_by_adashift(window=1), jnp.array([3.0, 4.0])
    >>> u, state = tx.update(g, tx.init(g))
    >>> u.tolist(), [round(float(x), 4) for x in tx.update(-g, state)[0]]
    ([0.0, 0.0], [-0.75, -1.0])
    """
    check_count("window", window)
    check_beta("b1", b1)
    lookup_or_suggest("style", style, STYLES)
    whole = lookup_or_suggest("reduce", reduce, {"max": True, "none": False})
    slots = {
        "window": Slot(mu_dtype, shape=lambda shape: (window, *shape)),
        "nu": Slot(nu_dtype, shape=(lambda shape: (1,) * len(shape)) if whole else None),
    }
    if style == "port":
        slots["missing"] = Slot(mu_dtype)

    def rule(g, moments, step):
        oldest, kept, mu = _slide(g, moments.window, moments.count - 1, step.b1)
        q = jnp.max(oldest**2, initial=0, keepdims=True) if whole else oldest**2
        nu = ema(q, moments.nu, step.b2)
        after = moments._replace(window=kept, nu=nu)
        if style == "port":
            missing = jnp.where(step.count == window, mu, step.b1 * moments.missing)
            mu, after = mu - missing, after._replace(missing=missing)
        full = step.count > window
        since = jnp.where(full, step.count - window, 1)
        correction = -jnp.expm1(-step.b2.neg_log * since)
        u = divide(mu, jnp.sqrt(nu / correction) + step.eps)
        return jnp.where(full, u, 0), after

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
    summary="makes v of gradients that are not in m, those before the last n",
    learning_rate=1e-3,
    styles=STYLES,
)
adashift = ADASHIFT.optimizer
