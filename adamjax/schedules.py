"""Schedules that the papers of the family use and Optax lacks.

A schedule is a function of the number of steps done (0, 1, 2, …), as in Optax. Bias correction
stays exact with the schedules for b1.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import (
    check_beta,
    check_count,
    check_not_negative,
    check_positive,
    check_scalar,
    is_zero,
    lookup_or_suggest,
)
from adamjax.moments import Array
from adamjax.rule import ScalarOrSchedule, value_at


def inverse_epoch_schedule(b1: float, steps_per_epoch: int, *, rate: float = 0.1) -> optax.Schedule:
    """Decay the momentum in each epoch: b₁ / (1 + rate · epoch), epoch = ⌊steps / steps_per_epoch⌋.

    Args:
      b1: momentum of the first epoch, 0 <= b1 < 1.
      steps_per_epoch: number of steps in an epoch, at least 1.
      rate: rate of the decay per epoch.

    >>> schedule = inverse_epoch_schedule(0.9, steps_per_epoch=100)
    >>> [round(float(schedule(step)), 4) for step in (0, 99, 100, 1000)]
    [0.9, 0.9, 0.8182, 0.45]
    """
    epoch = _epoch_of(b1, steps_per_epoch)
    _check_value("rate", rate)
    check_not_negative("rate", rate)
    return lambda count: b1 / (1 + rate * epoch(count))


def cosine_cycle_schedule(
    b1: float, steps_per_epoch: int, *, period: float = 20.0
) -> optax.Schedule:
    """Vary the momentum between 0 and b₁: b₁ (1 + sin(2π epoch / period)) / 2.

    Args:
      b1: largest momentum, 0 <= b1 < 1.
      steps_per_epoch: number of steps in an epoch, at least 1. epoch = ⌊steps / steps_per_epoch⌋.
      period: number of epochs in a cycle.

    >>> schedule = cosine_cycle_schedule(0.8, steps_per_epoch=10)
    >>> [round(float(schedule(step)), 4) for step in (0, 50, 150)]
    [0.4, 0.8, 0.0]
    """
    epoch = _epoch_of(b1, steps_per_epoch)
    _check_value("period", period)
    check_positive("period", period)
    turn = 2 * jnp.pi / period
    return lambda count: b1 * (1 + jnp.sin(turn * epoch(count))) / 2


def relative_step(cap: ScalarOrSchedule) -> optax.Schedule:
    """Return Adafactor's learning rate, min(cap, 1/√t) at step t = 1, 2, …"""
    return lambda count: jnp.minimum(value_at(cap, count), (jnp.asarray(count, float) + 1) ** -0.5)


def with_linear_warmup(
    learning_rate: ScalarOrSchedule,
    warmup_steps: int,
    *,
    start: ScalarOrSchedule = 0.0,
    lag: int = 0,
) -> ScalarOrSchedule:
    """Warm up a learning rate linearly, s + (lr - s) min(1, t / warmup_steps) at t = 1, 2, …

    Args:
      learning_rate: lr, a number or a schedule.
      warmup_steps: number of steps until lr is reached. 0 is no warm-up.
      start: s, a number or a schedule.
      lag: number of steps to delay the warm-up. With 1 the first learning rate is s.

    Raises:
      ValueError: for a negative learning rate or a number of steps that is not whole.
    """
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("start", start)
    check_count("warmup_steps", warmup_steps, least=0)
    if warmup_steps == 0:
        return learning_rate

    def schedule(count: Array) -> Array:
        low, high = value_at(start, count), value_at(learning_rate, count)
        share = (jnp.asarray(count, float) + 1 - lag) / warmup_steps
        return low + (high - low) * jnp.minimum(1.0, share)

    return schedule


# From the share of the cool-down that is done, and the argument `power`.
_SHAPES: dict[str, Callable[[Array, float], Array]] = {
    "linear": lambda s, _: 1 - s,
    "1-sqrt": lambda s, _: 1 - jnp.sqrt(s),
    "cosine": lambda s, _: (1 + jnp.cos(jnp.pi * s)) / 2,
    "power": lambda s, power: (1 - s) ** power,
}


def cool_down(
    schedule: ScalarOrSchedule,
    start: int,
    steps: int,
    *,
    end_value: float = 0.0,
    shape: str = "1-sqrt",
    power: float = 2.0,
) -> optax.Schedule:
    """Follow a schedule, then go from its value to `end_value`.

    With s the share of the cool-down that is done, the distance to `end_value` is multiplied by

        "linear"   1 - s
        "1-sqrt"   1 - √s
        "cosine"   (1 + cos(π s)) / 2
        "power"    (1 - s)ᵖᵒʷᵉʳ

    A later start does not change the values before the present one. A run can thus go on from any
    checkpoint before the cool-down, or branch into several cool-downs.

    Args:
      schedule: a number, an array or a schedule.
      start: number of steps before the cool-down.
      steps: number of steps of the cool-down.
      end_value: value after the cool-down.
      shape: one of the names above.
      power: exponent of the shape "power".

    Returns:
      A schedule for a learning rate, a momentum or another scalar.

    Raises:
      TypeError: for a value that is no number.
      ValueError: for a negative number of steps, a cool-down of 0 steps, or an unknown shape.

    >>> schedule = cool_down(optax.constant_schedule(0.4), start=100, steps=4)
    >>> [round(float(schedule(step)), 4) for step in (0, 100, 101, 104, 200)]
    [0.4, 0.4, 0.2, 0.0, 0.0]

    Hägele et al., 2024. Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations.
    https://arxiv.org/abs/2405.18392
    """
    check_scalar("schedule", schedule)
    _check_value("end_value", end_value)
    check_count("start", start, least=0)
    check_count("steps", steps)
    check_positive("power", power)
    remaining = lookup_or_suggest("shape", shape, _SHAPES)

    def cooled(count: Any) -> Array:
        value = schedule(jnp.minimum(count, start)) if callable(schedule) else schedule
        share = jnp.clip((jnp.asarray(count, float) - start) / steps, 0, 1)
        cooled = end_value + (value - end_value) * remaining(share, power)
        return jnp.where(count < start, value, cooled)

    return cooled


def wsd(
    peak_value: float,
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    *,
    init_value: float = 0.0,
    end_value: float = 0.0,
    shape: str = "1-sqrt",
    power: float = 2.0,
) -> optax.Schedule:
    """Warm up linearly, stay at the peak, then cool down: warm-up, stable, decay.

    More stable steps do not change the values before the cool-down. It is a schedule of the
    momentum as well: `b1=wsd(0.95, 300, 2000, 50, init_value=0.85, end_value=0.85)`.

    Args:
      peak_value: value of the stable phase.
      warmup_steps: number of steps from `init_value` to the peak, 0 for none.
      stable_steps: number of steps at the peak.
      decay_steps: number of steps of the cool-down.
      init_value: value at the first step.
      end_value: value after the cool-down.
      shape: shape of the cool-down, see `adamjax.cool_down`.
      power: exponent of the shape "power".

    Raises:
      TypeError: for a value that is no number.
      ValueError: for a negative number of steps, a cool-down of 0 steps, or an unknown shape.

    >>> schedule = wsd(0.4, 10, 90, 4)
    >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 100, 101, 104)]
    [0.0, 0.2, 0.4, 0.4, 0.2, 0.0]

    Hu et al., 2024. MiniCPM: Unveiling the Potential of Small Language Models with Scalable
    Training Strategies. https://arxiv.org/abs/2404.06395
    """
    for name, value in {"peak_value": peak_value, "init_value": init_value}.items():
        _check_value(name, value)
    check_count("warmup_steps", warmup_steps, least=0)
    check_count("stable_steps", stable_steps, least=0)
    check_count("decay_steps", decay_steps)
    start = warmup_steps + stable_steps
    main = _warmed_up(optax.constant_schedule(peak_value), warmup_steps, init_value, peak_value)
    return cool_down(main, start, decay_steps, end_value=end_value, shape=shape, power=power)


def power_cool(
    peak_value: float,
    warmup_steps: int,
    power_steps: int,
    decay_steps: int,
    *,
    stable_steps: int = 0,
    exponent: float = 0.51,
    end_value: float = 0.0,
    shape: str = "linear",
) -> optax.Schedule:
    """Warm up, decay by a power of the steps done, then cool down.

        lr = peak min(1, (t / t₀)⁻ᵉˣᵖᵒⁿᵉⁿᵗ)   with t₀ = warmup_steps + stable_steps

    More power steps do not change the values before the cool-down.

    Args:
      peak_value: the largest value.
      warmup_steps: number of steps from 0 to the peak, 0 for none.
      power_steps: number of steps from the end of the stable phase to the cool-down.
      decay_steps: number of steps of the cool-down.
      stable_steps: number of steps at the peak.
      exponent: exponent of the decay.
      end_value: value after the cool-down.
      shape: shape of the cool-down, see `adamjax.cool_down`.

    Raises:
      TypeError: for a value that is no number.
      ValueError: for a negative number of steps, a cool-down of 0 steps, or an unknown shape.

    >>> schedule = power_cool(0.4, 10, 90, 20, exponent=0.5)
    >>> [round(float(schedule(step)), 4) for step in (5, 10, 40, 90, 100, 110, 120)]
    [0.2, 0.4, 0.2, 0.1333, 0.1265, 0.0632, 0.0]

    Shen et al., 2024. Power Scheduler: A Batch Size and Token Number Agnostic Learning Rate
    Scheduler. https://arxiv.org/abs/2408.13359
    """
    _check_value("peak_value", peak_value)
    check_count("warmup_steps", warmup_steps, least=0)
    check_count("power_steps", power_steps, least=0)
    check_count("stable_steps", stable_steps, least=0)
    check_count("decay_steps", decay_steps)
    check_not_negative("exponent", exponent)
    begin = max(warmup_steps + stable_steps, 1)

    def decayed(count: Any) -> Array:
        t = jnp.asarray(count, float) + warmup_steps
        return peak_value * (jnp.maximum(t, begin) / begin) ** -exponent

    main = _warmed_up(decayed, warmup_steps, 0.0, peak_value)
    start = warmup_steps + stable_steps + power_steps
    return cool_down(main, start, decay_steps, end_value=end_value, shape=shape)


def _check_value(name: str, value: Any) -> None:
    """Raise TypeError unless the value is a number or a scalar array."""
    if callable(value):
        raise TypeError(
            f"{name} must be a number, got a schedule; end a schedule with adamjax.cool_down"
        )
    check_scalar(name, value)


def _warmed_up(
    schedule: optax.Schedule, warmup_steps: int, init_value: float, peak_value: float
) -> optax.Schedule:
    """Put a linear warm-up before a schedule, whose steps are counted from its end."""
    if warmup_steps == 0:
        return schedule
    rise = optax.linear_schedule(init_value, peak_value, warmup_steps)
    return optax.join_schedules([rise, schedule], [warmup_steps])


def zero_on_first_step(weight_decay: ScalarOrSchedule, decay_mode: str) -> dict[str, Any]:
    """Return λ as a schedule that is 0 at the first step, except for the decay mode "l2"."""
    check_not_negative("weight_decay", weight_decay)
    if decay_mode == "l2" or is_zero(weight_decay):
        return {}
    return {"weight_decay": lambda count: jnp.where(count == 0, 0.0, value_at(weight_decay, count))}


def _epoch_of(b1: float, steps_per_epoch: int) -> Callable[[Any], Array]:
    """Check the arguments, and return a function from steps done to the epoch."""
    _check_value("b1", b1)
    check_beta("b1", b1)
    check_count("steps_per_epoch", steps_per_epoch)
    return lambda count: jnp.asarray(jnp.floor_divide(count, steps_per_epoch), float)
