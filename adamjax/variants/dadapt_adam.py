"""Learning-Rate-Free Learning by D-Adaptation. Defazio and Mishchenko, 2023. arXiv:2301.07733.

Adam that finds its learning rate: it bounds from below how far it is from the start to the
solution. lr is 1, but for a schedule.

    k = d lr,  q = √b₂
    r = q r + (1 - q) k ⟨g, s / (√v + ε)⟩              over all leaves, s and v of the step before
    m = b₁ m + (1 - b₁) k g
    v = b₂ v + (1 - b₂) g²
    s = q s + (1 - q) k g
    d = max(d, r / ((1 - q) ‖s‖₁))
    p = p - m / (√v + ε) - k λ p
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, check_positive
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, clamp, divide, ema, increment
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, value_at
from adamjax.trees import PyTree, check_real, check_same_tree
from adamjax.wrappers.step_size import StepSize, first_step_size, larger, next_step_size, total


class DadaptAdamState(NamedTuple):
    """What is between the steps of D-Adapt Adam.

    Attributes:
      count: steps done.
      found: the step size, and what it is found from.
      mu: the average of the gradients, times the step sizes.
      nu: that of their squares.
      gradients: s, the slower average of what mu is of.
    """

    count: Array
    found: StepSize
    mu: PyTree
    nu: PyTree
    gradients: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits; m has other units than v."""
        return {"mu": "signed", "nu": "square"}


def _dadapt_adam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    d0: float = 1e-6,
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
      eps: ε.
      d0: initial d, smaller than any plausible value.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.
    """
    check_not_negative("learning_rate", learning_rate)
    check_beta("b1", b1)
    check_beta("b2", b2)
    check_not_negative("eps", eps)
    check_positive("d0", d0)

    tx = _update(
        learning_rate,
        b1,
        b2,
        eps,
        d0=d0,
        bias_correction=bias_correction,
        mu_dtype=mu_dtype,
        nu_dtype=nu_dtype,
    )
    return optimizer(
        tx,
        learning_rate,
        includes_learning_rate=True,
        step_size=lambda state: state.found.factor,
        **options,
    )


def _update(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule,
    b2: ScalarOrSchedule,
    eps: ScalarOrSchedule,
    *,
    d0: float,
    bias_correction: bool,
    mu_dtype: Any,
    nu_dtype: Any,
) -> optax.GradientTransformationExtraArgs:
    """u, without the step size or with it in m; the step size is in the state."""

    def init(params: PyTree) -> DadaptAdamState:
        check_real("params", params)
        mu, nu, gradients = (
            jax.tree.map(slot.start, params) for slot in (Slot(mu_dtype), Slot(nu_dtype), Slot())
        )
        count, found = jnp.zeros([], jnp.int32), first_step_size(d0)
        return DadaptAdamState(count, found, mu, nu, gradients)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del params, extra_args
        check_real("updates", updates)
        check_same_tree("updates", updates, "the state's mu", state.mu)
        lr, first, second, small = (value_at(x, state.count) for x in (learning_rate, b1, b2, eps))
        found, decay1, decay2 = next_step_size(
            state.found, first, second, bias_correction=bias_correction
        )
        k, updates = found.factor * lr, map_leaves(clamp, updates)
        q = second**0.5
        slow = decay2.one_minus / (1 + q)  # 1 - q

        def step(g: Array, m: Array, v: Array) -> Array:
            del g
            return divide(m, jnp.sqrt(v) + small)

        seen = map_leaves(step, updates, state.gradients, state.nu)
        numerator = q * found.numerator + slow * k * total(jnp.multiply, updates, seen)
        mu = map_leaves(lambda m, g: ema(k * g, m, decay1), state.mu, updates)
        nu = map_leaves(lambda v, g: ema(g * g, v, decay2), state.nu, updates)
        s = map_leaves(lambda s, g: s + slow * (k * g - s), state.gradients, updates)
        length = slow * total(jnp.abs, s)
        found = larger(found, numerator, length, divide(numerator, length))
        return map_leaves(step, updates, mu, nu), DadaptAdamState(
            increment(state.count), found, mu, nu, s
        )

    return optax.GradientTransformationExtraArgs(init, update)


DADAPT_ADAM = register(
    _dadapt_adam,
    Paper(
        "Learning-Rate-Free Learning by D-Adaptation",
        "Defazio, Aaron and Mishchenko, Konstantin",
        2023,
        "International Conference on Machine Learning, 2023",
        arxiv="2301.07733",
    ),
    summary="finds its learning rate, by a bound on how far it is to the solution",
    learning_rate=1.0,
    notes='d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its '
    "present value.",
)
dadapt_adam = DADAPT_ADAM.optimizer
