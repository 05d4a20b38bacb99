"""Schedules that the papers of the family use and Optax lacks.

A schedule is a function of the number of steps done (0, 1, 2, …), as in Optax. Bias correction
stays exact with the schedules for b1.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, check_not_negative, check_positive, is_zero
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


def zero_on_first_step(weight_decay: ScalarOrSchedule, decay_mode: str) -> dict[str, Any]:
    """Return λ as a schedule that is 0 at the first step, except for the decay mode "l2"."""
    check_not_negative("weight_decay", weight_decay)
    if decay_mode == "l2" or is_zero(weight_decay):
        return {}
    return {"weight_decay": lambda count: jnp.where(count == 0, 0.0, value_at(weight_decay, count))}


def _epoch_of(b1: float, steps_per_epoch: int) -> Callable[[Any], Array]:
    """Check the arguments, and return a function from steps done to the epoch."""
    check_beta("b1", b1)
    check_count("steps_per_epoch", steps_per_epoch)
    return lambda count: jnp.asarray(jnp.floor_divide(count, steps_per_epoch), float)
