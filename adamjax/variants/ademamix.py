"""The AdEMAMix Optimizer: Better, Faster, Older. Pagliardini, Ablin and Grangier, 2024.
arXiv:2409.03137.

Adam with a second, much longer average of the gradients in the numerator, so that gradients of ten
thousand steps ago still count while the recent ones are followed as before.

    m = b₁ m + (1 - b₁) g
    w = b₃ w + (1 - b₃) g
    v = b₂ v + (1 - b₂) g²
    u = (m̂ + α w) / (√v̂ + ε)

Over the warm-ups α rises linearly from 0, and the time that w remembers linearly from m's:
1 / log b₃ of step k of T is (1 - k/T) / log b₁ + (k/T) / log b₃.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_count, lookup_or_suggest
from adamjax.moments import Array, Beta, Scalar, debias, denominator, divide, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree

STYLES = {
    "author": "the authors' PyTorch file: warm-ups count from 1, and take log(b + 10⁻⁸)",
    "optax": "the authors' Optax file: warm-ups count from 0, and take log b",
}
# The step at which k is 0, and the logarithm of what is added to a decay.
_WARM_UPS = {"author": (0, math.log(1e-8)), "optax": (1, -math.inf)}


class AdemamixState(NamedTuple):
    """Steps done, the short average m, the long one w, and v."""

    count: Array
    mu: PyTree
    mu_slow: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits."""
        return {"mu": "mean", "mu_slow": "signed", "nu": "square"}


def _lengthened(b1: Beta, b3: Beta, done: Array, log_more: float) -> Beta:
    """b₃ when a share of its warm-up is done."""
    rates = [-jnp.logaddexp(-b.neg_log, log_more) for b in (b1, b3)]  # -log(b + more)
    memory = (1 - done) / rates[0] + done / rates[1]
    complement = jnp.where(done < 1, -jnp.expm1(-1 / memory), b3.one_minus)
    return Beta(None, complement, None, None)


def _check_warm_up(name: str, steps: Any) -> None:
    if steps is not None:
        check_count(name, steps)


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
    """The direction of AdEMAMix, (m̂ + α w) / (√v̂ + ε), w a long average that is not corrected.

    Args:
      b1: decay of the short average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      b3: decay of the long average w of the gradients, 0 <= b3 < 1.
      alpha: α, the share of w: 2 in the authors' PyTorch file, 5 in their Optax file, 5 to 10 in
        the paper.
      eps: ε, outside the root.
      eps_root: added under the root.
      b3_warmup: steps in which w's memory grows from m's to its own; None for none.
      alpha_warmup: steps in which α rises from 0; None for none. The authors take all of training
        for both.
      style: "author" or "optax", which differ in the warm-ups alone, see `STYLES`.
      mu_dtype: dtype in which m and w are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AdemamixState`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number, a warm-up that is no positive
        number, an unknown style.

    >>> tx, g = scale_by_ademamix(b3=0.75, alpha=2.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    1.5
    """
    start, log_more = lookup_or_suggest("style", style, _WARM_UPS)
    _check_warm_up("b3_warmup", b3_warmup)
    _check_warm_up("alpha_warmup", alpha_warmup)

    def done(step: Any, warmup: int | None) -> Scalar:
        return 1.0 if warmup is None else jnp.minimum(1.0, (step.count - start) / warmup)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        slow = step.b3
        if b3_warmup is not None:
            slow = _lengthened(step.b1, step.b3, done(step, b3_warmup), log_more)
        mu_slow = ema(g, moments.mu_slow, slow)
        nu = ema(g * g, moments.nu, step.b2)
        mixed = debias(mu, step.b1) + step.alpha * done(step, alpha_warmup) * mu_slow
        u = divide(mixed, denominator(nu, step))
        return u, moments._replace(mu=mu, mu_slow=mu_slow, nu=nu)

    return lift(
        rule,
        AdemamixState,
        {
            "mu": Slot(mu_dtype),
            "mu_slow": Slot(mu_dtype),
            "nu": Slot(nu_dtype),
        },
        betas={"b1": b1, "b2": b2, "b3": b3},
        scalars={"alpha": alpha, "eps": eps, "eps_root": eps_root},
    )


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
    styles=STYLES,
    reduces_to=(Reduction({"alpha": 0.0}, "adam", {}),),
)
ademamix = ADEMAMIX.optimizer
