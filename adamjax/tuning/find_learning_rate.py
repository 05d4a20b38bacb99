"""Find a learning rate with a short sweep, or report that the losses do not determine one."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from adamjax.checks import check_positive
from adamjax.trees import PyTree
from adamjax.tuning.results import Sweep
from adamjax.tuning.sweep import sweep

PER_DECADE = 4
# The last fifth of the losses is divided into five parts, whose means show the noise.
PARTS = 5
# Rates are equal if their losses differ by less than two standard errors.
ERRORS = 2.0
# Equal rates may span at most this ratio.
WIDEST = 2.0
# The loss has to fall below that of the lowest rate by this share.
LEAST_GAIN = 0.05


class LearningRate(NamedTuple):
    """Result of `find_learning_rate`.

    Attributes:
      learning_rate: the best one for a run of that length, or None if it is not clear.
      reason: empty, or the reason why it is not clear.
      equal: the lowest and highest rates whose losses do not differ significantly from the best, or
        None without a best one.
      sweep: losses by rate, with a table and a plot.
    """

    learning_rate: float | None
    reason: str
    equal: tuple[float, float] | None
    sweep: Sweep

    def __str__(self) -> str:
        if self.learning_rate is None:
            return f"no learning rate found: {self.reason}"
        low, high = self.equal or (0.0, 0.0)
        equal = f" ({low:.2g} to {high:.2g} do not differ significantly)" if low < high else ""
        return f"learning rate {self.learning_rate:.2g}{equal}"


def find_learning_rate(
    make: Callable[..., optax.GradientTransformation] | str,
    loss: Callable[[PyTree, Any], jax.Array],
    params: PyTree,
    batches: Iterable[Any],
    *,
    low: float = 1e-5,
    high: float = 10.0,
    chunk: int | None = None,
    progress: bool = False,
) -> LearningRate:
    """Find the learning rate that is best after these batches, by a sweep.

    Four rates per decade train in one program, and their last losses are compared.
    Give as many batches as the run has steps, because the optimum of a longer run is usually lower.

    There is no result if the losses do not determine one: the best rate is the lowest or the
    highest, no rate is clearly better than the lowest, all diverge (see `sweep`), or noise hides
    the differences between rates over more than a factor 2. The noise is that of the last fifth.

    Args:
      make: a function from `learning_rate` to an optimizer, such as `optax.adamw`, or the name of a
        variant.
      loss: a function of parameters and a batch to a scalar.
      params: the initial parameters.
      batches: a list or other iterable of batches, one for each step, as in `sweep`. At least 25.
      low: the lowest rate to try.
      high: the highest rate to try.
      chunk: number of rates that train at the same time, all if None, as in `sweep`.
      progress: whether to show a progress bar. Needs rich.

    Returns:
      A `LearningRate` with `learning_rate`, `reason` and `sweep`.

    Raises:
      ImportError: `progress` without rich.
      TypeError: an array or a tree as `batches`.
      ValueError: `low` is not below a finite `high`, fewer than 25 batches, or `make` without an
        argument `learning_rate`.

    Example:
      >>> import jax.numpy as jnp
      >>> loss = lambda params, batch: params["a"] ** 2 + 100 * params["b"] ** 2 + 0 * batch
      >>> params, batches = {"a": jnp.ones(()), "b": jnp.ones(())}, [0.0] * 50
      >>> print(find_learning_rate(optax.sgd, loss, params, batches))
      learning rate 0.0056
      >>> print(find_learning_rate(optax.sgd, loss, params, batches, high=1e-4))
      no learning rate found: the best rate is the highest, raise high
    """
    check_positive("low", low)
    check_positive("high", high)
    if not low < high < np.inf:
        raise ValueError(f"low must be below high, got {low:g} and {high:g}")
    rates = np.geomspace(low, high, max(3, 1 + round(PER_DECADE * np.log10(high / low))))
    grid = {"learning_rate": rates}
    result = sweep(make, grid, loss, params, batches, chunk=chunk, progress=progress)
    return LearningRate(*judge(rates, result.losses), result)


def judge(
    rates: np.ndarray, losses: np.ndarray
) -> tuple[float | None, str, tuple[float, float] | None]:
    """Return the learning rate, or the reason why it is not clear, and the equal rates."""
    size = losses.shape[1] // PARTS**2
    if size == 0:
        raise ValueError(f"batches: at least {PARTS**2} are needed, got {losses.shape[1]}")
    last = losses[:, -size * PARTS :].astype(float).reshape(len(rates), PARTS, size).mean(axis=2)
    parts = np.where(np.isfinite(last), last, np.inf)
    means = parts.mean(axis=1)
    best = int(np.argmin(means))
    if not np.isfinite(means[best]):
        return None, "all rates diverge or have losses 100 times the first", None
    # All see the same batches, so much of their noise cancels in the differences.
    gaps = parts - parts[best]
    with np.errstate(invalid="ignore"):
        margins = ERRORS * gaps.std(axis=1, ddof=1) / np.sqrt(PARTS)
    gaps = gaps.mean(axis=1)
    equal = rates[gaps <= margins]
    span = float(equal[0]), float(equal[-1])
    flat = f"{span[0]:.2g} to {span[1]:.2g} do not differ significantly"
    if len(equal) == len(rates):
        return None, flat, span
    if best == len(rates) - 1:
        return None, "the best rate is the highest, raise high", span
    if best == 0:
        return None, "the best rate is the lowest, lower low", span
    if gaps[0] <= max(margins[0], LEAST_GAIN * abs(means[0])):
        return None, "no rate is clearly better than the lowest", span
    if span[1] > WIDEST * span[0]:
        return None, flat, span
    return float(rates[best]), "", span
