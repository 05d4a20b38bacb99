"""Prodigy: An Expeditiously Adaptive Parameter-Free Learner. Mishchenko and Defazio, 2023.
arXiv:2306.06101.

Adam that estimates its learning rate as d, the distance from the initial parameters p₀ to the
solution, with larger estimates than D-Adaptation. lr is 1, or a schedule.

    r = √b₂ r + d² lr / d₀ ⟨g, p₀ - p⟩                 over all leaves
    m = b₁ m + (1 - b₁) d g
    v = b₂ v + (1 - b₂) d² g²
    s = √b₂ s + d² lr / d₀ g
    k = d lr
    d = max(d, c r / ‖s‖₁)
    p = p - k (m / (√v + d ε) + λ p)
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import warn
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, divide, ema, root
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot
from adamjax.trees import PyTree, count_resolved
from adamjax.variants.dadapt_adam import with_step_size
from adamjax.wrappers.copy_params import check_copies, copy_params
from adamjax.wrappers.step_size import StepSize, larger, total


class ProdigyState(NamedTuple):
    """Step count, estimate of d, m, v, s as `gradients`, and p₀ in float32."""

    count: Array
    found: StepSize
    mu: PyTree
    nu: PyTree
    gradients: PyTree
    start: PyTree = None

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the moments for `adamjax.store`."""
        return {"mu": "mean", "nu": "square"}  # the estimate of d needs s in full precision


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
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, in units of d.
      b3: decay rate of r and s, 0 <= b3 < 1. None is √b2.
      d0: initial d, smaller than any plausible value.
      d_coef: c, a factor of the estimate of d.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), or a negative number.
    """

    def advance(gradients, state, params, step):
        params = check_copies(state.start, params, gradients)
        found, d = state.found, state.found.d
        weight = d / d0 * found.factor * step.learning_rate
        product = total(lambda g, start, p: g * (start - p), gradients, state.start, params)
        numerator = step.b3 * found.numerator + weight * product
        mu = map_leaves(lambda m, g: ema(d * g, m, step.b1), state.mu, gradients)
        nu = map_leaves(lambda v, g: ema((d * g) ** 2, v, step.b2), state.nu, gradients)
        s = map_leaves(lambda s, g: step.b3 * s + weight * g, state.gradients, gradients)
        length = total(jnp.abs, s)
        found = larger(found, numerator, length, step.d_coef * divide(numerator, length))
        eps = found.d * step.eps
        u = map_leaves(lambda g, m, v: divide(m, root(v) + eps), gradients, mu, nu)
        return u, state._replace(found=found, mu=mu, nu=nu, gradients=s)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype), "gradients": Slot()}
    betas = {"b1": b1, "b2": b2} | ({} if b3 is None else {"b3": b3})
    scalars = {"learning_rate": learning_rate, "eps": eps, "d_coef": d_coef}
    rule = with_step_size(
        advance, ProdigyState, slots, betas, scalars, d0=d0, bias_correction=bias_correction
    )

    def init(params: PyTree) -> ProdigyState:
        _warn_of_low_precision(params, options.get("param_rounding"), d0)
        state: Any = rule.init(params)
        return state._replace(start=copy_params(params))

    tx = optax.GradientTransformationExtraArgs(init, rule.update)
    return optimizer(tx, learning_rate, step_size=lambda state: state.found.factor, **options)


def _warn_of_low_precision(params: PyTree, param_rounding: str | None, d0: Any) -> None:
    """Warn if rounding discards the first steps, as a residual in bfloat16 does too."""
    coarse = {None: ("bfloat16", "float16"), "kahan": ("bfloat16",)}.get(param_rounding, ())
    # d increases if some 0.3% of the parameters move.
    if count_resolved(params, d0, coarse) < 0.01 * count_resolved(params, d0, ()):
        warn(
            "prodigy: the first steps, of about d0, are below the resolution of the parameters, so "
            'd does not increase; use param_rounding="stochastic"'
        )


PRODIGY = register(
    _prodigy,
    Paper(
        "Prodigy: An Expeditiously Adaptive Parameter-Free Learner",
        "Mishchenko, Konstantin and Defazio, Aaron",
        2023,
        "International Conference on Machine Learning, 2024",
        arxiv="2306.06101",
    ),
    summary="learning rate from an estimate of the distance to the solution",
    learning_rate=1.0,
    notes='d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its '
    "present value. In bfloat16 and float16, the first steps, of about d0, change only parameters "
    'near 0. If there are hardly any, d does not increase. Use `param_rounding="stochastic"`.',
    reduces_to=(
        Reduction({"d0": 1.0, "d_coef": 0.0}, "adam", {"learning_rate": 1.0, "style": "mlx"}),
    ),
)
prodigy = PRODIGY.optimizer
