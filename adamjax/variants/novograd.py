"""Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks.
Ginsburg et al., 2019. arXiv:1905.11286.

Gradients are divided by their norm over the leaf, averaged, and only then by momentum: half of
Adam's memory.

    v = b₂ v + (1 - b₂) ‖g‖²                     ‖g‖² at t = 1; a number for each leaf
    m = b₁ m + g / (√v + ε) + λ p                times 1 - b₁ with grad_averaging
    u = m
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import is_zero, lookup_or_suggest
from adamjax.moments import Array, divide, ema
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree

STYLES = {
    "paper": "the paper, Optax, timm",
    "tensorflow": "TensorFlow Addons: the same, but grad_averaging spares the first step",
    "openseq2seq": "the authors' code, which does not keep v: g / √(‖g‖² + ε)",
}


class NovogradState(NamedTuple):
    """Steps done, the momentum m, and v, which has size 1 along each axis."""

    count: Array
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits: v is a single number."""
        return {"mu": "signed"}


def _one_number(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * len(shape)


def scale_by_novograd(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-8,
    *,
    grad_averaging: bool = False,
    style: str = "paper",
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of NovoGrad: momentum of gradients that are divided by a norm of their leaf.

    Args:
      b1: decay of the momentum m, 0 <= b1 < 1.
      b2: decay of the average v of the squared norms, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      grad_averaging: whether to multiply by 1 - b₁ what is added to m.
      style: "paper", "tensorflow" or "openseq2seq", see `STYLES`.
      weight_decay: λ, a number, array or schedule.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `NovogradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

    >>> tx, g = scale_by_novograd(), jnp.full(4, 3.0)
    >>> tx.update(g, tx.init(g))[0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    lookup_or_suggest("style", style, STYLES)
    decays = not is_zero(weight_decay)

    def rule(g, moments, step, *p):
        first = step.count == 1
        most = jnp.finfo(g.dtype).max
        nu = jnp.minimum(jnp.sum(g * g, keepdims=True), most)
        if style == "openseq2seq":
            n = divide(g, jnp.sqrt(nu + step.eps))
        else:
            nu = jnp.where(first, nu, ema(nu, moments.nu, step.b2))
            n = divide(g, jnp.sqrt(nu) + step.eps)
        n = n + step.weight_decay * p[0] if decays else n
        share = step.b1.one_minus if grad_averaging else 1.0
        share = jnp.where(first, 1.0, share) if style == "tensorflow" else share
        mu = step.b1.value * moments.mu + share * n
        return mu, moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        NovogradState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, shape=_one_number)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "weight_decay": weight_decay},
        needs_params=decays,
        mask=mask,
    )


NOVOGRAD = register(
    scale_by_novograd,
    Paper(
        "Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep "
        "Networks",
        "Ginsburg, Boris and Castonguay, Patrice and Hrinchuk, Oleksii and Kuchaiev, Oleksii "
        "and Lavrukhin, Vitaly and Leary, Ryan and Li, Jason and Nguyen, Huyen and Zhang, Yang "
        "and Cohen, Jonathan M.",
        2019,
        arxiv="1905.11286",
    ),
    summary="divides by a norm of the leaf, and then takes momentum",
    learning_rate=1e-3,
    decay_mode="inside",
    own_modes=(DecayMode("inside", "m <- m + λ p, in the momentum"),),
    styles=STYLES,
)
novograd = NOVOGRAD.optimizer
