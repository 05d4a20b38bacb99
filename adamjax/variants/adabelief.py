"""AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients. Zhuang et al., 2020.
arXiv:2010.07468.

Adam whose second moment averages the squared deviation of the gradient from m. Steps are long where
the gradient is close to its prediction.

    m = b₁ m + (1 - b₁) g
    s = b₂ s + (1 - b₂) (g - m)² + ε
    u = m̂ / (√ŝ + ε)        rectified as in RAdam in the authors' code
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.moments import Array, abs_sq, adam_update, adam_update_eps_hat, debias, ema
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree
from adamjax.variants.radam import rectification

STYLES = {
    "author": "the authors' default: ε̂ (in √s + ε), rectified as in RAdam where r >= 5, m̂ below",
    "paper": "the paper, Optax, timm: u = m̂ / (√ŝ + ε)",
    "amsgrad": "the authors' amsgrad=True: as the paper, with the running maximum of s",
}


class AdabeliefState(NamedTuple):
    """Step `count`, m in `mu`, s in `nu`, and with style "amsgrad" the maximum of s in `nu_max`."""

    count: Array
    mu: PyTree
    nu: PyTree
    nu_max: PyTree = None
    roles = {"mu": "signed", "nu": "square", "nu_max": "maximum"}


def scale_by_adabelief(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    eps_root: ScalarOrSchedule | None = None,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdaBelief rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of s, the average of (g - m)², 0 <= b2 < 1.
      eps: ε, added to s at every step and to √ŝ.
      eps_root: added to s in place of ε, as in Optax. None is ε.
      style: implementation to follow, "author", "paper" or "amsgrad", see `STYLES`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which s and its maximum are stored, float32 if None.

    Returns:
      A transformation with an `AdabeliefState`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> tx, g = scale_by_adabelief(b1=0.5, style="paper"), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 6)
    2.0
    """
    lookup_or_suggest("style", style, STYLES)
    if eps_root is not None:
        check_not_negative("eps_root", eps_root)

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        surprise = step.b1.value * (g - moments.mu)  # g - m with the new m
        nu = seen = ema(abs_sq(surprise, moments.nu), moments.nu, step.b2) + step.added
        if style == "amsgrad":
            seen = jnp.maximum(moments.nu_max, nu)
            moments = moments._replace(nu_max=seen)
        u = adam_update(mu, seen, step)
        if style == "author":
            trusted, rectify = rectification(step, 5.0, jnp.greater_equal)
            u = jnp.where(trusted, rectify * adam_update_eps_hat(mu, nu, step), debias(mu, step.b1))
        return u, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, square=True)}
    if style == "amsgrad":
        slots["nu_max"] = Slot(nu_dtype)
    scalars = {"eps": eps, "eps_root": 0.0, "added": eps if eps_root is None else eps_root}
    return lift(rule, AdabeliefState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars)


ADABELIEF = register(
    scale_by_adabelief,
    Paper(
        "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
        "Zhuang, Juntang and Tang, Tommy and Ding, Yifan and Tatikonda, Sekhar and Dvornek, "
        "Nicha and Papademetris, Xenophon and Duncan, James S.",
        2020,
        "Advances in Neural Information Processing Systems 33",
        arxiv="2010.07468",
    ),
    summary="averages (g - m)² in place of g²",
    learning_rate=1e-3,
    styles=STYLES,
)
adabelief = ADABELIEF.optimizer
