"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

Adam's second moment without its momentum moves a point z; the parameters, where gradients are
taken, lie between z and the average x of all z. No learning rate that has to fall.

    z = z - lr (g / (√v̂ + ε) + λ y)        lr after a linear warm-up
    x = (1-c) x + c z                       c = lr² / Σ lr²
    y = b₁ x + (1-b₁) z                     the parameters; x is what to evaluate
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, debias, divide, ema
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, beta_at, lift, value_at
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import PyTree
from adamjax.wrappers.schedule_free import schedule_free

STYLES = {
    "author": "the authors' code: z - lr g / (√v̂ + ε)",
    "paper": "the paper: z - lr √(1 - b₂ᵗ) g / (√v + ε), with that lr in the weights too",
    "keras": "Keras: x is the plain mean of z, and y alone decays, by the full learning rate",
    "optax": "Optax: in the warm-up z lags one step behind the weights",
}


class NormalizedState(NamedTuple):
    """Steps done, and the average of the squares of the gradients."""

    count: Array
    nu: PyTree


def scale_by_normalized(
    b2: ScalarOrSchedule, eps: ScalarOrSchedule, *, corrected: bool, nu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Adam's direction without momentum, which schedule-free optimizers start from.

    Args:
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε.
      corrected: g / (√v̂ + ε), or g / (√v + ε) where v̂ is left to the learning rate.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `NormalizedState`.

    Raises:
      ValueError: for b2 outside [0, 1), a negative eps.

    >>> tx, g = scale_by_normalized(0.75, 1e-8, corrected=True), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    1.0
    """

    def rule(g, moments, step):
        nu = ema(g * g, moments.nu, step.b2)
        seen = debias(nu, step.b2) if corrected else nu
        return divide(g, jnp.sqrt(seen) + step.eps), moments._replace(nu=nu)

    return lift(
        rule,
        NormalizedState,
        {"nu": Slot(nu_dtype)},
        betas={"b2": b2},
        scalars={"eps": eps},
    )


def _schedule_free_adamw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    style: str = "author",
    nu_dtype: Any = None,
    param_rounding: str | None = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Average the iterates of AdamW without momentum.

    Args:
      learning_rate: a number, or a schedule that does not fall. AdamW's is a good start.
      b1: b₁, the weight of x in y, where gradients are taken, 0 <= b1 < 1.
      b2: decay rate of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: the weights of the average are tʳ max(lr)^power.
      r: see `weight_lr_power`.
      style: "author", "paper", "keras" or "optax".
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.
    """
    lookup_or_suggest("style", style, STYLES)
    rate = with_linear_warmup(learning_rate, warmup_steps)
    lagging = with_linear_warmup(learning_rate, warmup_steps, lag=1)
    if style == "paper":
        rate = lagging = _corrected(rate, b2)
    rule = scale_by_normalized(b2, eps, corrected=style != "paper", nu_dtype=nu_dtype)
    if style != "keras":
        z = optimizer(rule, lagging if style == "optax" else rate, **options)
        tx = schedule_free(z, rate, b1, weight_lr_power=weight_lr_power, r=r)
    elif options["decay_mode"] == "l2":
        tx = schedule_free(optimizer(rule, rate, **options), rate, b1, weight_lr_power=0.0)
    else:
        z = optimizer(rule, rate, storage=options.pop("storage"))
        decay = optimizer(optax.set_to_zero(), learning_rate, **options)
        tx = _with_decay_of_y(schedule_free(z, rate, b1, weight_lr_power=0.0), decay)
    return with_param_rounding(tx, param_rounding=param_rounding)


def _corrected(rate: ScalarOrSchedule, b2: ScalarOrSchedule) -> optax.Schedule:
    """lr √(1 - b₂ᵗ)."""

    def corrected(count: Any) -> Any:
        beta = beta_at(value_at(b2, count), jnp.asarray(count + 1, float))
        return value_at(rate, count) * jnp.sqrt(beta.bias_correction)

    return corrected


def _with_decay_of_y(
    tx: optax.GradientTransformation, decay: optax.GradientTransformationExtraArgs
) -> optax.GradientTransformationExtraArgs:
    """First a weight decay, and then a step from where it leads to."""
    tx = optax.with_extra_args_support(tx)

    def init(params: PyTree) -> tuple[Any, Any]:
        return decay.init(params), tx.init(params)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        shrunk, first = decay.update(updates, state[0], params)
        if params is not None:
            params = map_leaves(jnp.add, params, shrunk)
        steps, second = tx.update(updates, state[1], params, **extra_args)
        return map_leaves(jnp.add, steps, shrunk), (first, second)

    return optax.GradientTransformationExtraArgs(init, update)


SCHEDULE_FREE_ADAMW = register(
    _schedule_free_adamw,
    Paper(
        "The Road Less Scheduled",
        "Defazio, Aaron and Yang, Xingyu Alice and Mehta, Harsh and Mishchenko, Konstantin and "
        "Khaled, Ahmed and Cutkosky, Ashok",
        2024,
        "Advances in Neural Information Processing Systems 37",
        arxiv="2405.15682",
    ),
    summary="averages the points it visits in place of momentum and of a falling learning rate",
    learning_rate=2.5e-3,
    notes="The parameters are y. Evaluate and keep x, `adamjax.eval_params(state, params)`. For "
    "another optimizer use `adamjax.schedule_free`.",
    styles=STYLES,
)
schedule_free_adamw = SCHEDULE_FREE_ADAMW.optimizer
