"""Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
Liu et al., 2023. arXiv:2305.14342.

Momentum divided by an estimate of the diagonal of the Hessian, which is updated every few steps.
Updates are clipped, so elements of small or negative curvature use sign descent.

    m = b₁ m + (1 - b₁) g
    h = b₂ h + (1 - b₂) ĥ                     on steps with an estimate ĥ
    u = clip(m / max(ρ h, ε), ±1)
"""

import contextlib
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import select_unmasked
from adamjax.moments import Array, clamp, debias, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree, check_same_tree, flatten_floating

STYLES = {
    "author": "the authors' code",
    "optax": "Optax: m̂ in place of m, and an estimate counts from the next step on",
}


class SophiaState(NamedTuple):
    """Step count, momentum m, and h as `nu`."""

    count: Array
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the moments for `adamjax.store`."""
        return {"mu": "signed", "nu": "signed"}  # curvature may be negative


def scale_by_sophia(
    b1: ScalarOrSchedule = 0.965,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-15,
    *,
    rho: ScalarOrSchedule = 0.04,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Sophia rule.

    `update` takes the keyword argument `hessian`, an estimate of the diagonal of the Hessian as a
    tree like the gradients. None, the default, leaves h unchanged. Before the first estimate h is 0
    and u is sign(m). In a compiled step use `jax.lax.cond` to choose between an update with an
    estimate and one without.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the curvature h, 0 <= b2 < 1.
      eps: ε, the smallest denominator.
      rho: ρ, weight of the curvature (γ in the paper).
      style: implementation to follow, "author" or "optax".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which h is stored, float32 if None.

    Returns:
      A transformation with a `SophiaState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style, or a
        `hessian` that does not fit.

    >>> tx, g = scale_by_sophia(rho=1.0), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> float(u)
    1.0
    >>> u, state = tx.update(g, state, hessian=jnp.float32(100.0))  # h is 1, m 2 (1 - 0.965²)
    >>> round(float(u), 4)
    0.1375
    """
    is_optax = lookup_or_suggest("style", style, STYLES) == STYLES["optax"]

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = moments.nu if step.hessian is None else ema(clamp(step.hessian), moments.nu, step.b2)
        m, h = (debias(mu, step.b1), moments.nu) if is_optax else (mu, nu)
        limit = jnp.maximum(step.rho * h, step.eps)
        u = jnp.where(jnp.abs(m) < limit, divide(m, limit), jnp.sign(m))
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    scalars = {"eps": eps, "rho": rho}
    betas = {"b1": b1, "b2": b2}
    return lift(rule, SophiaState, slots, betas=betas, scalars=scalars, leaf_inputs=_hessian)


def _hessian(updates: PyTree, extra_args: dict[str, Any]) -> dict[str, PyTree]:
    """Return the estimate without the leaves that `optax.masked` removed from the gradients."""
    hessian = extra_args.get("hessian")
    if hessian is not None:
        with contextlib.suppress(ValueError):  # the check below names the leaf
            hessian = select_unmasked(hessian, updates)
        flatten_floating("hessian", hessian, real=True)
        check_same_tree("hessian", hessian, "updates", updates)
    return {"hessian": hessian}


SOPHIA = register(
    scale_by_sophia,
    Paper(
        "Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training",
        "Liu, Hong and Li, Zhiyuan and Hall, David and Liang, Percy and Ma, Tengyu",
        2023,
        "International Conference on Learning Representations, 2024",
        arxiv="2305.14342",
    ),
    summary="divides by an estimate of the Hessian diagonal, and clips",
    learning_rate=1e-4,
    weight_decay=0.1,
    styles=STYLES,
    notes="Pass an estimate as `update(..., hessian=...)` every few steps, see "
    "`adamjax.scale_by_sophia`. The authors make one every 10 steps. The "
    "Gauss-Newton-Bartlett estimate of Sophia-G is n ĝ², where ĝ is the gradient of the mean "
    "loss of n examples with labels sampled from the model. The authors choose ρ so that 10% "
    "to 50% of the elements are not clipped.",
)
sophia = SOPHIA.optimizer
