"""Prodigy: An Expeditiously Adaptive Parameter-Free Learner. Mishchenko and Defazio, 2023.

arXiv:2306.06101. Adam that finds its learning rate: it estimates how far it is from the start p₀ to
the solution by what gradients have to say of the way there. lr is 1, but for a schedule.

    r = √b₂ r + d² lr / d₀ ⟨g, p₀ - p⟩                 over all leaves
    m = b₁ m + (1 - b₁) d g
    v = b₂ v + (1 - b₂) d² g²
    s = √b₂ s + d² lr / d₀ g
    k = d lr
    d = max(d, c r / ‖s‖₁)
    p = p - k (m / (√v + d ε) + λ p)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, check_positive
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, clamp, divide, ema, increment
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, value_at
from adamjax.trees import PyTree
from adamjax.wrappers.copy_params import check_copies, copy_params
from adamjax.wrappers.step_size import StepSize, first_step_size, larger, next_step_size, total


class ProdigyState(NamedTuple):
    """What is between the steps of Prodigy.

    Attributes:
      count: steps done.
      found: the step size, and what it is found from.
      mu, nu: the averages of the gradients and of their squares, in units of d.
      gradients: s, their weighted sum.
      start: p₀ (float32).
    """

    count: Array
    found: StepSize
    mu: PyTree
    nu: PyTree
    gradients: PyTree
    start: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits; the estimate of d needs all of s."""
        return {"mu": "mean", "nu": "square"}


def _prodigy(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule | None = None,
    d0: float = 1e-6,
    d_coef: ScalarOrSchedule = 1.0,
    bias_correction: bool = False,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Adam with an estimated step size.

    Args:
      learning_rate: a factor of d. Keep it at 1, or pass a schedule from 1 down.
      b1: decay rate of the average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the average v of their squares, 0 <= b2 < 1.
      eps: ε, in units of d.
      b3: decay rate of the two sums from which d is estimated, 0 <= b3 < 1. None is √b2.
      d0: initial d, smaller than any plausible value.
      d_coef: c, a factor of the estimate of d.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.
    """
    check_not_negative("learning_rate", learning_rate)
    for name, value in (("b1", b1), ("b2", b2), ("b3", 0.0 if b3 is None else b3)):
        check_beta(name, value)
    check_not_negative("eps", eps)
    check_positive("d0", d0)
    check_not_negative("d_coef", d_coef)

    tx = _update(
        learning_rate,
        b1,
        b2,
        eps,
        b3=b3,
        d0=d0,
        d_coef=d_coef,
        bias_correction=bias_correction,
        mu_dtype=mu_dtype,
        nu_dtype=nu_dtype,
    )
    return optimizer(
        tx,
        learning_rate,
        step_size=lambda state: state.found.factor,
        **options,
    )


def _update(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule,
    b2: ScalarOrSchedule,
    eps: ScalarOrSchedule,
    *,
    b3: ScalarOrSchedule | None,
    d0: float,
    d_coef: ScalarOrSchedule,
    bias_correction: bool,
    mu_dtype: Any,
    nu_dtype: Any,
) -> optax.GradientTransformationExtraArgs:
    """u, without the step size or with it in m; the step size is in the state."""

    def init(params: PyTree) -> ProdigyState:
        mu, nu, gradients = (
            jax.tree.map(slot.start, params) for slot in (Slot(mu_dtype), Slot(nu_dtype), Slot())
        )
        count, found = jnp.zeros([], jnp.int32), first_step_size(d0)
        return ProdigyState(count, found, mu, nu, gradients, copy_params(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        check_copies(state.start, params, updates)
        now = [value_at(x, state.count) for x in (learning_rate, b1, b2, eps, d_coef)]
        lr, first, second, small, coefficient = now
        third = second**0.5 if b3 is None else value_at(b3, state.count)
        found, decay1, decay2 = next_step_size(
            state.found, first, second, bias_correction=bias_correction
        )
        d, updates = found.d, map_leaves(clamp, updates)
        weight = d / d0 * found.factor * lr
        way = total(lambda g, start, p: g * (start - p), updates, state.start, params)
        numerator = third * found.numerator + weight * way
        mu = map_leaves(lambda m, g: ema(d * g, m, decay1), state.mu, updates)
        nu = map_leaves(lambda v, g: ema((d * g) ** 2, v, decay2), state.nu, updates)
        s = map_leaves(lambda s, g: third * s + weight * g, state.gradients, updates)
        length = total(jnp.abs, s)
        found = larger(found, numerator, length, coefficient * divide(numerator, length))

        def direction(g: Array, m: Array, v: Array) -> Array:
            del g
            return divide(m, jnp.sqrt(v) + found.d * small)

        u = map_leaves(direction, updates, mu, nu)
        return u, ProdigyState(increment(state.count), found, mu, nu, s, state.start)

    return optax.GradientTransformationExtraArgs(init, update)


PRODIGY = register(
    _prodigy,
    Paper(
        "Prodigy: An Expeditiously Adaptive Parameter-Free Learner",
        "Mishchenko, Konstantin and Defazio, Aaron",
        2023,
        "International Conference on Machine Learning, 2024",
        arxiv="2306.06101",
    ),
    summary="finds its learning rate, from how far gradients say that it is to go",
    learning_rate=1.0,
    notes='d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its '
    "present value.",
    reduces_to=(
        Reduction({"d0": 1.0, "d_coef": 0.0}, "adam", {"learning_rate": 1.0, "style": "mlx"}),
    ),
)
prodigy = PRODIGY.optimizer
