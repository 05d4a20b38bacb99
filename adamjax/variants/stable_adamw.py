"""Stable and low-precision training for large-scale vision-language models. Wortsman et al., 2023.
arXiv:2304.13013.

AdamW with the update clipping of Adafactor, which prevents loss spikes.

    r = m̂ / (√v̂ + ε) + λ p
    u = r / max(1, RMS(g / max(√v̂, ε)))
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import is_zero
from adamjax.moments import add_decay, debias, divide, ema, rms, root
from adamjax.optimizer import DecayMode
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask


def scale_by_stable_adamw(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the StableAdamW rule.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root, and lower limit of √v̂ in the RMS.
      weight_decay: λ, a number, an array or a schedule.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> tx, g = scale_by_stable_adamw(), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    1.0
    """

    def rule(g, moments, step, p=None):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        scale = root(debias(nu, step.b2))
        u = divide(debias(mu, step.b1), scale + step.eps, step.eps)
        u = u if p is None else add_decay(u, p, step.weight_decay)
        ratio = rms(divide(g, jnp.maximum(scale, step.eps)))
        return u / jnp.maximum(1, ratio), moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}
    options: dict[str, Any] = {"scalars": {"eps": eps, "weight_decay": weight_decay}, "mask": mask}
    options |= {"betas": {"b1": b1, "b2": b2}, "needs_params": not is_zero(weight_decay)}
    return lift(rule, optax.ScaleByAdamState, slots, **options)


STABLE_ADAMW = register(
    scale_by_stable_adamw,
    Paper(
        "Stable and low-precision training for large-scale vision-language models",
        "Wortsman, Mitchell and Dettmers, Tim and Zettlemoyer, Luke and Morcos, Ari and "
        "Farhadi, Ali and Schmidt, Ludwig",
        2023,
        "Advances in Neural Information Processing Systems 36",
        arxiv="2304.13013",
    ),
    summary="clips each leaf's update where gradients exceed √v̂",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="inside",
    own_modes=(DecayMode("inside", "u <- u + λ p, before the update is clipped"),),
)
stable_adamw = STABLE_ADAMW.optimizer
