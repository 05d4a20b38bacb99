"""Why Gradients Rapidly Increase Near the End of Training. Defazio, 2025. arXiv:2506.02285.

AdamW with weight decay proportional to the square of the learning rate. The norm of a layer that a
normalization follows then does not depend on the schedule.

    u = m̂ / (√v̂ + ε) + (lr / max(lr)) λ p
"""

from typing import Any

from adamjax.checks import check_constants, check_not_negative, check_positive, is_zero
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, value_at
from adamjax.variants.adam import STYLES, scale_by_adam


def _corrected(
    learning_rate: ScalarOrSchedule, weight_decay: ScalarOrSchedule, *, max_lr: float | None = None
) -> dict[str, Any]:
    """Return λ lr / max(lr).

    Args:
      max_lr: max(lr), the peak of the schedule. Required if the learning rate is a schedule or
        injected (`optax.inject_hyperparams`). None for a constant learning rate, as in AdamW.
    """
    check_constants(max_lr=max_lr)
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("weight_decay", weight_decay)
    if max_lr is None:
        if callable(learning_rate):
            raise ValueError(
                "max_lr: with a schedule as learning_rate, give the largest of its values"
            )
        return {}
    check_positive("max_lr", max_lr)
    if is_zero(weight_decay):
        return {}

    def corrected(count: Any) -> Any:
        return value_at(weight_decay, count) * (value_at(learning_rate, count) / max_lr)

    return {"weight_decay": corrected}


ADAMC = register(
    scale_by_adam,
    Paper(
        "Why Gradients Rapidly Increase Near the End of Training",
        "Defazio, Aaron",
        2025,
        arxiv="2506.02285",
    ),
    name="adamc",
    module=__name__,
    summary="AdamW with weight decay proportional to the square of the learning rate",
    learning_rate=1e-3,
    weight_decay=1e-2,
    notes="The paper uses this weight decay for layers that a normalization follows, and that of "
    "AdamW for the others. Use `optax.partition` for both.",
    adjust=_corrected,
    styles=STYLES,
    reduces_to=(
        Reduction({}, "adamw", {}),
        Reduction({"max_lr": 2e-3}, "adamw", {"weight_decay": 5e-3}),
    ),
)
adamc = ADAMC.optimizer
