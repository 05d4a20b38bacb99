"""Learning-Rate-Free Learning by D-Adaptation. Defazio and Mishchenko, 2023. arXiv:2301.07733.

Adam that estimates its learning rate as d, a lower bound on the distance from the initial
parameters to the solution. lr is 1, or a schedule.

    k = d lr,  q = √b₂
    r = q r + (1 - q) k ⟨g, s / (√v + ε)⟩              over all leaves, with the previous s and v
    m = b₁ m + (1 - b₁) k g
    v = b₂ v + (1 - b₂) g²
    s = q s + (1 - q) k g
    d = max(d, r / ((1 - q) ‖s‖₁))
    p = p - m / (√v + ε) - k λ p
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_constants, check_positive
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, clamp, divide, ema, increment, root
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, check_precision, check_settings, value_at
from adamjax.trees import PyTree, check_same_tree, flatten_floating
from adamjax.wrappers.step_size import StepSize, first_step_size, larger, next_step_size, total


class DadaptAdamState(NamedTuple):
    """Step count, estimate of d, m, v, and s as `gradients`."""

    count: Array
    found: StepSize
    mu: PyTree
    nu: PyTree
    gradients: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the moments for `adamjax.store`."""
        return {"mu": "signed", "nu": "square"}  # m contains d, and v does not


def with_step_size(
    advance: Callable[..., tuple[PyTree, Any]],
    state_type: Callable[..., Any],
    slots: Mapping[str, Slot],
    betas: Mapping[str, ScalarOrSchedule],
    scalars: Mapping[str, ScalarOrSchedule],
    *,
    d0: float,
    bias_correction: bool,
) -> optax.GradientTransformationExtraArgs:
    """Turn a rule on trees into a transformation with one step size for all leaves.

    `advance` maps `(gradients, state, params, step)` to `(updates, state)`. `state.found` has the
    step size. `step` has `b1` and `b2` as a `Beta`, `b3` (by default √b2) and the scalars.
    """
    check_settings(betas, scalars, slots, None)
    check_constants(d0=d0)
    check_positive("d0", d0)

    def init(params: PyTree) -> Any:
        flatten_floating("params", params)
        trees = {name: jax.tree.map(slot.start, params) for name, slot in slots.items()}
        return state_type(jnp.zeros([], jnp.int32), first_step_size(d0), **trees)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        flatten_floating("updates", updates)
        for name, slot in slots.items():
            tree = getattr(state, name)
            leaves = check_same_tree("updates", updates, f"the state's {name}", tree)
            check_precision(name, updates, leaves, slot)
        values = {name: value_at(x, state.count) for name, x in {**betas, **scalars}.items()}
        found, b1, b2 = next_step_size(
            state.found, values["b1"], values["b2"], bias_correction=bias_correction
        )
        step = SimpleNamespace(**{"b3": values["b2"] ** 0.5, **values, "b1": b1, "b2": b2})
        state = state._replace(count=increment(state.count), found=found)
        return advance(map_leaves(clamp, updates), state, params, step)

    return optax.GradientTransformationExtraArgs(init, update)


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
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      d0: initial d, smaller than any plausible value.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.
    """

    def advance(gradients, state, params, step):
        del params
        found, k, q = state.found, state.found.factor * step.learning_rate, step.b3
        one_minus_q = step.b2.one_minus / (1 + q)

        def normalize(average: PyTree, nu: PyTree) -> PyTree:
            return map_leaves(lambda g, m, v: divide(m, root(v) + step.eps), gradients, average, nu)

        product = total(jnp.multiply, gradients, normalize(state.gradients, state.nu))
        numerator = q * found.numerator + one_minus_q * k * product
        mu = map_leaves(lambda m, g: ema(k * g, m, step.b1), state.mu, gradients)
        nu = map_leaves(lambda v, g: ema(g * g, v, step.b2), state.nu, gradients)
        s = map_leaves(lambda s, g: s + one_minus_q * (k * g - s), state.gradients, gradients)
        length = one_minus_q * total(jnp.abs, s)
        found = larger(found, numerator, length, divide(numerator, length))
        return normalize(mu, nu), state._replace(found=found, mu=mu, nu=nu, gradients=s)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "gradients": Slot()}
    betas = {"b1": b1, "b2": b2}
    scalars = {"learning_rate": learning_rate, "eps": eps}
    tx = with_step_size(
        advance, DadaptAdamState, slots, betas, scalars, d0=d0, bias_correction=bias_correction
    )
    options["step_size"] = lambda state: state.found.factor
    return optimizer(tx, learning_rate, includes_learning_rate=True, **options)


DADAPT_ADAM = register(
    _dadapt_adam,
    Paper(
        "Learning-Rate-Free Learning by D-Adaptation",
        "Defazio, Aaron and Mishchenko, Konstantin",
        2023,
        "International Conference on Machine Learning, 2023",
        arxiv="2301.07733",
    ),
    summary="learning rate from a lower bound on the distance to the solution",
    learning_rate=1.0,
    notes='d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its '
    "present value.",
)
dadapt_adam = DADAPT_ADAM.optimizer
