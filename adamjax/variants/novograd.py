"""Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks.
Ginsburg et al., 2019. arXiv:1905.11286.

Momentum of gradients that are normalized by layer. The second moment is one number per leaf, which
halves the memory of Adam.

    v = b₂ v + (1 - b₂) ‖g‖²                     v = ‖g‖² at t = 1
    m = b₁ m + g / (√v + ε) + λ p                times 1 - b₁ with grad_averaging
    u = m
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import is_zero, lookup_or_suggest
from adamjax.moments import Array, add_decay, divide, ema, root
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree

STYLES = {
    "paper": "the paper, Optax, timm",
    "tensorflow": "TensorFlow Addons: the same, with grad_averaging from the second step",
    "openseq2seq": "the authors' code, without an average: g / √(‖g‖² + ε)",
}


class NovogradState(NamedTuple):
    """Step count, momentum m, and v with size 1 along each axis."""

    count: Array
    mu: PyTree
    nu: PyTree
    roles = {"mu": "signed"}


def scale_by_novograd(
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    grad_averaging: bool = False,
    style: str = "paper",
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the NovoGrad rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average v of the squared norms, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      eps_root: added to v under the root, except in style "openseq2seq".
      grad_averaging: whether to multiply the additions to m by 1 - b₁.
      style: implementation to follow, "paper", "tensorflow" or "openseq2seq".
      weight_decay: λ, a number, an array or a schedule.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with a `NovogradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> tx, g = scale_by_novograd(), jnp.full(4, 3.0)
    >>> tx.update(g, tx.init(g))[0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    lookup_or_suggest("style", style, STYLES)

    def rule(g, moments, step, p=None):
        first = step.count == 1
        nu = jnp.minimum(jnp.sum(g * g, keepdims=True), jnp.finfo(g.dtype).max)
        if style == "openseq2seq":
            n = divide(g, root(nu + step.eps))
        else:
            nu = jnp.where(first, nu, ema(nu, moments.nu, step.b2))
            n = divide(g, root(nu + step.eps_root) + step.eps)
        n = n if p is None else add_decay(n, p, step.weight_decay)
        share = step.b1.one_minus if grad_averaging else 1.0
        share = jnp.where(first, 1.0, share) if style == "tensorflow" else share
        mu = step.b1.value * moments.mu + share * n
        return mu, moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, shape=lambda shape: (1,) * len(shape))}
    scalars = {"eps": eps, "eps_root": eps_root, "weight_decay": weight_decay}
    options: dict[str, Any] = {"needs_params": not is_zero(weight_decay), "mask": mask}
    return lift(rule, NovogradState, slots, betas={"b1": b1, "b2": b2}, scalars=scalars, **options)


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
    summary="layer-wise normalized gradients, then momentum",
    learning_rate=1e-3,
    decay_mode="inside",
    own_modes=(DecayMode("inside", "m <- m + λ p, before the momentum"),),
    styles=STYLES,
)
novograd = NOVOGRAD.optimizer
