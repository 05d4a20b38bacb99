"""Why Gradients Rapidly Increase Near the End of Training. Defazio, 2025. arXiv:2506.02285.

AdamW whose weight decay follows the square of the learning rate: so the size that a layer in front
of a normalisation settles at does not depend on the schedule.

    u = m̂ / (√v̂ + ε) + (lr / max(lr)) λ p
"""

from typing import Any

import optax

from adamjax.checks import check_not_negative, check_positive, is_zero
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule, value_at
from adamjax.trees import Mask
from adamjax.variants.adam import STYLES, scale_by_adam


def _corrected(
    weight_decay: ScalarOrSchedule, learning_rate: ScalarOrSchedule, max_lr: float | None
) -> ScalarOrSchedule:
    """λ lr / max(lr)."""
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("weight_decay", weight_decay)
    if max_lr is None:
        if callable(learning_rate):
            raise ValueError(
                "max_lr: with a schedule as learning_rate, give the largest of its values"
            )
        return weight_decay
    check_positive("max_lr", max_lr)
    if is_zero(weight_decay):
        return weight_decay
    return lambda count: value_at(weight_decay, count) * (value_at(learning_rate, count) / max_lr)


def adamc(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    max_lr: float | None = None,
    style: str = "torch",
    weight_decay: ScalarOrSchedule = 1e-2,
    decay_mode: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AdamC (arXiv:2506.02285) as a ready-made optimizer: AdamW with λ lr / max(lr) in place of λ.

    The arguments of `adamjax.adamw`.

    Args:
      max_lr: max(lr), the schedule's peak; None for a learning rate that does not change, with
        which it is AdamW. Give it, too, when the learning rate is injected
        (`optax.inject_hyperparams`).
      mask: which leaves decay. The paper has its decay on the layers in front of a normalisation,
        and AdamW's on the others: `optax.partition` gives each its own.

    Raises:
      ValueError: for a schedule without `max_lr`, a `max_lr` that is not positive.

    >>> import jax.numpy as jnp
    >>> tx = adamc(optax.linear_schedule(0.0, 0.1, 2), weight_decay=1.0, max_lr=0.1)
    >>> p, g = jnp.float32(1.0), jnp.float32(0.0)
    >>> _, state = tx.update(g, tx.init(p), p)
    >>> round(float(tx.update(g, state, p)[0]), 6)  # 0.05² / 0.1
    -0.025
    """
    direction = scale_by_adam(
        b1, b2, eps, eps_root=eps_root, style=style, mu_dtype=mu_dtype, nu_dtype=nu_dtype
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=_corrected(weight_decay, learning_rate, max_lr),
        decay_mode=decay_mode,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="adamc",
        make=adamc,
        direction=scale_by_adam,
        paper=Paper(
            "Why Gradients Rapidly Increase Near the End of Training",
            "Defazio, Aaron",
            2025,
            arxiv="2506.02285",
        ),
        changes="AdamW whose weight decay follows the square of the learning rate",
        formula="u = m̂ / (√v̂ + ε) + (lr / max(lr)) λ p",
        styles=STYLES,
        reduces_to=(
            Reduction({}, "adamw", {}),
            Reduction({"max_lr": 2e-3}, "adamw", {"weight_decay": 5e-3}),
        ),
    )
)
