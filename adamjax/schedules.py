"""Schedules that the papers of the family use and Optax does not have.

A schedule is a function of the number of steps done (0, 1, 2, …), as in Optax. Those for b1 leave
the bias correction exact.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_count, check_not_negative, check_positive, is_zero
from adamjax.moments import Array
from adamjax.rule import ScalarOrSchedule, value_at


def inverse_epoch_schedule(b1: float, steps_per_epoch: int, *, rate: float = 0.1) -> optax.Schedule:
    """Momentum that fades by epochs: b₁ / (1 + rate · epoch), epoch = ⌊steps / steps_per_epoch⌋.

    Args:
      b1: the momentum of the first epoch, 0 <= b1 < 1.
      steps_per_epoch: steps in an epoch, at least 1.
      rate: how fast it fades, per epoch.

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
    """Momentum that swings between 0 and b₁: b₁ (1 + sin(2π epoch / period)) / 2.

    Args:
      b1: the largest momentum, 0 <= b1 < 1.
      steps_per_epoch: steps in an epoch, at least 1; epoch = ⌊steps / steps_per_epoch⌋.
      period: epochs in a full swing.

    >>> schedule = cosine_cycle_schedule(0.8, steps_per_epoch=10)
    >>> [round(float(schedule(step)), 4) for step in (0, 50, 150)]
    [0.4, 0.8, 0.0]
    """
    epoch = _epoch_of(b1, steps_per_epoch)
    check_positive("period", period)
    turn = 2 * jnp.pi / period
    return lambda count: b1 * (1 + jnp.sin(turn * epoch(count))) / 2


def relative_step(cap: ScalarOrSchedule) -> optax.Schedule:
    """Adafactor's own learning rate, min(cap, 1/√t) at step t = 1, 2, …

    Args:
      cap: the largest learning rate, itself a number or a schedule.

    >>> schedule = relative_step(1e-2)
    >>> round(float(schedule(0)), 4), round(float(schedule(39999)), 4)
    (0.01, 0.005)
    """
    return lambda count: jnp.minimum(value_at(cap, count), (count + 1.0) ** -0.5)


def with_linear_warmup(
    learning_rate: ScalarOrSchedule,
    warmup_steps: int,
    *,
    start: ScalarOrSchedule = 0.0,
    lag: int = 0,
) -> ScalarOrSchedule:
    """A learning rate that first rises linearly, s + (lr - s) min(1, t / warmup_steps), t = 1, 2, …

    Args:
      learning_rate: what it rises to, itself a number or a schedule.
      warmup_steps: how many steps are below it, and one; 0 for no warm-up.
      start: s, what it rises from, likewise.
      lag: how many steps the rise is late; with 1 it is s at the first one.

    Raises:
      ValueError: for a negative learning rate, or no whole number of steps.

    >>> schedule = with_linear_warmup(1.0, 4)
    >>> [float(schedule(step)) for step in (0, 1, 5)]
    [0.25, 0.5, 1.0]
    """
    check_not_negative("learning_rate", learning_rate)
    check_not_negative("start", start)
    check_count("warmup_steps", warmup_steps, least=0)
    if warmup_steps == 0:
        return learning_rate

    def schedule(count: Array) -> Array:
        low, high = value_at(start, count), value_at(learning_rate, count)
        return low + (high - low) * jnp.minimum(1.0, (count + 1.0 - lag) / warmup_steps)

    return schedule


def zero_on_first_step(weight_decay: ScalarOrSchedule, decay_mode: str) -> dict[str, Any]:
    """Return λ as a schedule that is 0 at the first step, except for the decay mode "l2".

    >>> schedule = zero_on_first_step(0.1, "decoupled")["weight_decay"]
    >>> [round(float(schedule(step)), 4) for step in (0, 1, 2)]
    [0.0, 0.1, 0.1]
    """
    check_not_negative("weight_decay", weight_decay)
    if decay_mode == "l2" or is_zero(weight_decay):
        return {}
    return {"weight_decay": lambda count: jnp.where(count == 0, 0.0, value_at(weight_decay, count))}


def _epoch_of(b1: float, steps_per_epoch: int) -> Callable[[Any], Array]:
    """From steps done to the epoch they are in, once the arguments are found in order."""
    check_beta("b1", b1)
    if not isinstance(steps_per_epoch, int) or steps_per_epoch < 1:
        raise ValueError(f"steps_per_epoch must be a whole number from 1, got {steps_per_epoch}")
    return lambda count: jnp.floor_divide(count, steps_per_epoch)
