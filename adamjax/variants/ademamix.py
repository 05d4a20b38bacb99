"""The AdEMAMix Optimizer: Better, Faster, Older. Pagliardini, Ablin and Grangier, 2024.
arXiv:2409.03137.

Adam with a second, much longer average of the gradients in the numerator. It uses gradients of ten
thousand steps ago and still reacts to recent ones.

    m = b₁ m + (1 - b₁) g
    w = b₃ w + (1 - b₃) g
    v = b₂ v + (1 - b₂) g²
    u = (m̂ + α w) / (√v̂ + ε)

At step k of T of a warmup, α is (k/T) α, and 1 / log b₃ is (1 - k/T) / log b₁ + (k/T) / log b₃.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_count, lookup_or_suggest
from adamjax.moments import Array, Beta, abs_sq, debias, denominator, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors' PyTorch file: warmups count from 1 and use log(b + 10⁻⁸)",
    "optax": "the authors' Optax file: warmups count from 0 and use log b",
}
# The step at which k is 0, and the logarithm of the number that is added to b.
_WARMUPS = {"author": (0, math.log(1e-8)), "optax": (1, -math.inf)}


class AdemamixState(NamedTuple):
    """Step `count`, short average m in `mu`, long average w in `mu_slow`, and v in `nu`."""

    count: Array
    mu: PyTree
    mu_slow: PyTree
    nu: PyTree
    roles = {"mu": "mean", "mu_slow": "signed", "nu": "square"}


def _interpolated(b1: Beta, b3: Beta, progress: Any, log_addend: float) -> Beta:
    """Return b₃ during its warmup, where `progress` is k/T."""
    rates = [-jnp.logaddexp(-b.neg_log, log_addend) for b in (b1, b3)]  # -log(b + addend)
    memory = (1 - progress) / rates[0] + progress / rates[1]
    one_minus = jnp.where(progress < 1, -jnp.expm1(-1 / memory), b3.one_minus)
    return Beta(1 - one_minus, one_minus)


def scale_by_ademamix(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    alpha: ScalarOrSchedule = 2.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    b3_warmup: int | None = None,
    alpha_warmup: int | None = None,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdEMAMix rule.

    Args:
      b1: decay rate of the short average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      b3: decay rate of the long average w of the gradients, 0 <= b3 < 1.
      alpha: α, factor of w.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      b3_warmup: number of steps of the warmup from b₁ to b₃, no warmup if None.
      alpha_warmup: number of steps of the warmup of α from 0, no warmup if None.
      style: implementation of the warmups, "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m and w are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `AdemamixState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_ademamix(b3=0.75, alpha=2.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.5
    """
    start, log_addend = lookup_or_suggest("style", style, _WARMUPS)
    for name, steps in {"b3_warmup": b3_warmup, "alpha_warmup": alpha_warmup}.items():
        if steps is not None:
            check_count(name, steps)

    def progress(step, warmup):
        return 1.0 if warmup is None else jnp.minimum(1.0, (step.count - start) / warmup)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        slow = step.b3
        if b3_warmup is not None:
            slow = _interpolated(step.b1, step.b3, progress(step, b3_warmup), log_addend)
        mu_slow = ema(g, moments.mu_slow, slow)
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        mixed = debias(mu, step.b1) + step.alpha * progress(step, alpha_warmup) * mu_slow
        after = moments._replace(mu=mu, mu_slow=mu_slow, nu=nu)
        return divide(mixed, denominator(nu, step), step.eps), after

    slots = {"mu": Slot(mu_dtype), "mu_slow": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    betas = {"b1": b1, "b2": b2, "b3": b3}
    scalars = {"alpha": alpha, "eps": eps, "eps_root": eps_root}
    return lift(rule, AdemamixState, slots, betas=betas, scalars=scalars)


ADEMAMIX = register(
    scale_by_ademamix,
    Paper(
        "The AdEMAMix Optimizer: Better, Faster, Older",
        "Pagliardini, Matteo and Ablin, Pierre and Grangier, David",
        2024,
        "International Conference on Learning Representations, 2025",
        arxiv="2409.03137",
    ),
    summary="adds a second, much longer average of the gradients",
    learning_rate=1e-3,
    notes="The authors use warmups over all steps of training. The default of alpha is 2 in their "
    "PyTorch file and 5 in their Optax file, and the paper recommends 5 to 10.",
    styles=STYLES,
    reduces_to=(Reduction({"alpha": 0.0}, "adam", {}),),
)
ademamix = ADEMAMIX.optimizer
