"""FOCUS: First Order Concentrated Updating Scheme. Liu et al., 2025. arXiv:2501.12243.

Sign descent that is drawn to where the parameter has been on average, so that it keeps to the
bottom of a narrow valley in noise.

    m = b₁ m + (1 - b₁) g
    a = b₂ a + (1 - b₂) p,  â = a / (1 - b₂ᵗ)
    u = sign(m) + γ sign(p - â)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.moments import Array, ema
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, cast, lift, value_at, without_corrections
from adamjax.trees import Mask, PyTree, resolve_mask


class FocusState(NamedTuple):
    """Steps done, the average m, and the average â of the parameters, free of bias."""

    count: Array
    mu: PyTree
    average: PyTree


def scale_by_focus(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    gamma: ScalarOrSchedule = 0.1,
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of FOCUS: sign(m), and γ towards the average of the parameter.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average of the parameters, 0 <= b2 < 1. The authors train GPT-2 with 0.99.
      gamma: γ, how strongly it is drawn to the average. At the first step, where p is the average,
        not at all: sign(0) = 0.
      mu_dtype: dtype in which m is stored; None for float32.

    Returns:
      A transformation with a `FocusState`, that needs the parameters.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative gamma.

    >>> tx, g = scale_by_focus(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g), jnp.float32(1.0))
    >>> float(u)
    1.0
    >>> round(float(tx.update(g, state, jnp.float32(0.9))[0]), 4)
    0.9
    """

    def rule(g, moments, step, p):
        mu = ema(g, moments.mu, step.b1)
        before = jnp.where(step.count == 1, p, moments.average)
        # Exactly 0 where nothing has moved, as a difference of p and a quotient may not be.
        gap = (1 - step.b2.one_minus / step.b2.bias_correction) * (p - before)
        u = jnp.sign(mu) + step.gamma * jnp.sign(gap)
        return u, moments._replace(mu=mu, average=p - gap)

    return lift(
        rule,
        FocusState,
        {"mu": Slot(mu_dtype), "average": Slot()},
        betas={"b1": b1, "b2": b2},
        scalars={"gamma": gamma},
        needs_params=True,
    )


def _decayed_by_average(
    direction: optax.GradientTransformationExtraArgs, weight_decay: ScalarOrSchedule, mask: Mask
) -> optax.GradientTransformationExtraArgs:
    """Adds λ â to the direction: the authors' weight decay."""
    check_not_negative("weight_decay", weight_decay)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        updates, state = direction.update(updates, state, params)
        inner = without_corrections(state)
        wd = value_at(weight_decay, inner.count - 1)
        treedef = jax.tree.structure(updates)
        decays = treedef.unflatten(resolve_mask(mask=mask, params=params))

        def decayed(u: Array, average: Array, on: bool) -> Array:
            return (u + cast(wd, average.dtype) * average * on).astype(u.dtype)

        return jax.tree.map(decayed, updates, inner.average, decays), state

    return optax.GradientTransformationExtraArgs(direction.init, update)


def focus(
    learning_rate: ScalarOrSchedule = 1e-2,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    gamma: ScalarOrSchedule = 0.1,
    weight_decay: ScalarOrSchedule = 0.0,
    decay_mode: str = "average",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """FOCUS (arXiv:2501.12243), ready-made: p <- p - lr (sign(m) + γ sign(p - â) + λ â).

    The arguments of `scale_by_focus`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay_mode`, `mask`, `storage`, `param_rounding`.

    Args:
      decay_mode: "average", λ lr â in place of λ lr p, as the authors do; or as everywhere.

    >>> tx, g = focus(0.5), jnp.float32(2.0)
    >>> float(tx.update(g, tx.init(g), jnp.float32(1.0))[0])
    -0.5
    """
    direction = scale_by_focus(b1, b2, gamma=gamma, mu_dtype=mu_dtype)
    if decay_mode == "average":
        direction = _decayed_by_average(direction, weight_decay, mask)
        weight_decay, decay_mode = 0.0, "decoupled"
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="focus",
        make=focus,
        direction=scale_by_focus,
        paper=Paper(
            "FOCUS: First Order Concentrated Updating Scheme",
            "Liu, Yizhou and Liu, Ziming and Gore, Jeff",
            2025,
            arxiv="2501.12243",
        ),
        changes="sign descent, drawn to the average of where the parameter has been",
        formula="u = sign(m) + γ sign(p - â), â the average of p",
        slots=("mu", "average"),
        reduces_to=(Reduction({"learning_rate": 1e-3, "gamma": 0.0}, "tiger", {"b1": 0.9}),),
    )
)
