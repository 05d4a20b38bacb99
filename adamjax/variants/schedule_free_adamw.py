"""The Road Less Scheduled. Defazio et al., 2024. arXiv:2405.15682.

AdamW without momentum and without a decaying learning rate. It moves a point z, and averages the
iterates z to x. Gradients are evaluated at y, between the two.

    z = z - lr (g / (√v̂ + ε) + λ y)        lr after a linear warm-up
    x = (1-c) x + c z                       c = lr² / Σ lr²
    y = b₁ x + (1-b₁) z                     the parameters; evaluate the model at x
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.modifiers.map_updates import map_leaves
from adamjax.moments import Array, abs_sq, debias, divide, ema, root
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule, Slot, beta_at, lift, value_at
from adamjax.schedules import with_linear_warmup
from adamjax.storage.rounding import with_param_rounding
from adamjax.trees import PyTree, like_updates
from adamjax.wrappers.schedule_free import schedule_free

STYLES = {
    "author": "the authors' code: z - lr g / (√v̂ + ε)",
    "paper": "the paper: z - lr √(1 - b₂ᵗ) g / (√v + ε), where lr √(1 - b₂ᵗ) is also the lr of c",
    "keras": "Keras: x is the unweighted mean; weight decay applies to y alone, without warm-up",
    "optax": "Optax: the warm-up of z is one step behind that of c",
}


class NormalizedState(NamedTuple):
    """Step count and second moment v."""

    count: Array
    nu: PyTree


def scale_by_normalized(
    b2: ScalarOrSchedule, eps: ScalarOrSchedule, *, corrected: bool, nu_dtype: Any = None
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with Adam's rule without momentum, with v̂ or, unless `corrected`, with v.

    >>> tx, g = scale_by_normalized(0.75, 1e-8, corrected=True), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    1.0
    """

    def rule(g, moments, step):
        nu = ema(abs_sq(g, moments.nu), moments.nu, step.b2)
        square = debias(nu, step.b2) if corrected else nu
        return divide(g, root(square) + step.eps, step.eps), moments._replace(nu=nu)

    slots = {"nu": Slot(nu_dtype, square=True)}
    return lift(rule, NormalizedState, slots, betas={"b2": b2}, scalars={"eps": eps})


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
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      style: implementation to follow, "author", "paper", "keras" or "optax".
      nu_dtype: dtype in which v is stored, float32 if None.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.
    """
    lookup_or_suggest("style", style, STYLES)
    rate = with_linear_warmup(learning_rate, warmup_steps)
    z_rate = with_linear_warmup(learning_rate, warmup_steps, lag=1) if style == "optax" else rate
    if style == "paper":
        rate = z_rate = _bias_corrected(rate, b2)
    rule = scale_by_normalized(b2, eps, corrected=style != "paper", nu_dtype=nu_dtype)
    decay_of_y = style == "keras" and options["decay_mode"] != "l2"
    z_options = {"storage": options["storage"]} if decay_of_y else options
    z = optimizer(rule, z_rate, **z_options)
    power, r = (0.0, 0.0) if style == "keras" else (weight_lr_power, r)
    tx = schedule_free(z, rate, b1, weight_lr_power=power, r=r)
    if decay_of_y:
        options = {**options, "storage": "float32"}
        tx = _with_decay_of_y(tx, optimizer(optax.set_to_zero(), learning_rate, **options))
    return with_param_rounding(tx, param_rounding=param_rounding)


def _bias_corrected(rate: ScalarOrSchedule, b2: ScalarOrSchedule) -> optax.Schedule:
    """Return the schedule lr √(1 - b₂ᵗ)."""

    def schedule(count: Any) -> Any:
        beta = beta_at(value_at(b2, count), jnp.asarray(count + 1, float))
        return value_at(rate, count) * jnp.sqrt(beta.bias_correction)

    return schedule


def _with_decay_of_y(
    tx: optax.GradientTransformation, decay: optax.GradientTransformationExtraArgs
) -> optax.GradientTransformationExtraArgs:
    """Apply weight decay, and then a step from the decayed parameters."""
    tx = optax.with_extra_args_support(tx)

    def init(params: PyTree) -> tuple[Any, Any]:
        return decay.init(params), tx.init(params)

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        params = like_updates(updates, params)
        decays, decay_state = decay.update(updates, state[0], params)
        if params is not None:
            params = map_leaves(jnp.add, params, decays)
        steps, tx_state = tx.update(updates, state[1], params, **extra_args)
        return map_leaves(jnp.add, steps, decays), (decay_state, tx_state)

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
    summary="averages iterates instead of decaying the learning rate",
    learning_rate=2.5e-3,
    notes="AdamW's learning rate is a good start. The parameters are y. Evaluate and save x, "
    "`adamjax.eval_params(state, params)`. For another optimizer use "
    "`adamjax.schedule_free`.",
    styles=STYLES,
)
schedule_free_adamw = SCHEDULE_FREE_ADAMW.optimizer
