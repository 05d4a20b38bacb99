"""Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
Liu et al., 2023. arXiv:2305.14342.

The average of the gradients divided by an estimate of the curvature, made once in a while, and
clipped where that is too small to be trusted: there it is sign descent.

    m = b₁ m + (1 - b₁) g
    h = b₂ h + (1 - b₂) ĥ                     on the steps that have an estimate ĥ
    u = clip(m / max(ρ h, ε), ±1)
"""

import contextlib
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.modifiers.map_updates import select_unmasked
from adamjax.moments import Array, clamp, divide, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree, check_real, check_same_tree


class SophiaState(NamedTuple):
    """Steps done, the average m of the gradients, and h as `nu`."""

    count: Array
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits: curvature may be negative."""
        return {"mu": "signed", "nu": "signed"}


def scale_by_sophia(
    b1: ScalarOrSchedule = 0.965,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-15,
    *,
    rho: ScalarOrSchedule = 0.04,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Sophia: m over the curvature, clipped to ±1.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1; not corrected for its bias.
      b2: decay of the average h of the estimates, 0 <= b2 < 1; not corrected either.
      eps: ε, the least denominator: where the curvature is negative, or unknown, u is sign(m).
      rho: ρ, in the paper γ: how much of the curvature counts. The authors choose it such that from
        a tenth to a half of the elements are not clipped.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which h is stored; None for float32.

    Returns:
      A transformation with a `SophiaState`. Its `update` takes one argument more, `hessian=`: an
      estimate of the diagonal of the Hessian, a tree like the gradients; under `optax.masked` or
      `optax.partition` like all of them, of which it takes its own. The authors make one every
      10 steps. With None, the default, h stays as it is; before the first estimate it is 0 and each
      element moves by its sign. Where a compiled step has to choose, `jax.lax.cond` chooses between
      an update with and one without. The estimate of Gauss, Newton and Bartlett, which makes it
      Sophia-G, is n ĝ², ĝ the gradient of the mean loss of n examples against labels that are drawn
      from the model's own predictions.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or rho; in `update`, for a `hessian`
        that does not fit the gradients.

    >>> tx, g = scale_by_sophia(rho=1.0), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> float(u)
    1.0
    >>> u, state = tx.update(g, state, hessian=jnp.float32(100.0))  # h is 1, m 2 (1 - 0.965²)
    >>> round(float(u), 4)
    0.1375
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = moments.nu if step.hessian is None else ema(clamp(step.hessian), moments.nu, step.b2)
        limit = jnp.maximum(step.rho * nu, step.eps)
        u = jnp.where(jnp.abs(mu) < limit, divide(mu, limit), jnp.sign(mu))
        return u, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        SophiaState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "rho": rho},
        leaf_inputs=_hessian,
    )


def _hessian(updates: PyTree, extra_args: dict[str, Any]) -> dict[str, PyTree]:
    """Return the estimate without the leaves that a mask has taken from the gradients alone."""
    hessian = extra_args.get("hessian")
    if hessian is not None:
        with contextlib.suppress(ValueError):  # checked below, with the leaf's path
            hessian = select_unmasked(hessian, updates)
        check_real("hessian", hessian)
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
    summary="divides by an estimate of the curvature in place of √v, and clips",
    learning_rate=1e-4,
    weight_decay=0.1,
    notes="Its `update` takes `hessian=`, see `scale_by_sophia`.",
)
sophia = SOPHIA.optimizer
