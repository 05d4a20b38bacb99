"""Checks of arguments. Each error names the argument and is raised before any computation."""

import difflib
import inspect
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import jax
import numpy as np

T = TypeVar("T")

# A caller calls `init` or `update` through these.
_PASSED_THROUGH = ("adamjax", "jax", "optax", "flax", "equinox", "contextlib", "functools")


def warn(message: str) -> None:
    """Warn at the line of the caller that is outside of adamjax and the libraries that call it."""
    frame, level = inspect.currentframe(), 1
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_THROUGH:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, not a schedule or an array that may be traced."""
    return isinstance(value, int | float | np.generic) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def is_zero(value: Any) -> bool:
    """Return whether a value is the number 0."""
    return is_number(value) and value == 0


def check_scalar(name: str, value: Any) -> None:
    """Raise TypeError unless the value is a real number, a scalar array or a schedule."""
    if callable(value) or is_number(value):
        return
    if not (isinstance(value, jax.Array | np.ndarray) and np.ndim(value) == 0):
        raise TypeError(f"{name} must be a number, a scalar array or a schedule, got {value!r}")


def check_constants(**values: Any) -> None:
    """Raise TypeError for a schedule as an argument of a function that counts no steps."""
    for name, value in values.items():
        if callable(value):
            raise TypeError(
                f"{name} must be a number or a scalar array, not a schedule, got {value!r}; "
                "optax.inject_hyperparams makes an array of it"
            )


def check_beta(name: str, value: Any) -> None:
    """Raise ValueError unless 0 <= value < 1. Arrays and schedules pass."""
    check_scalar(name, value)
    if is_number(value) and not 0 <= value < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value}")


def check_not_negative(name: str, value: Any) -> None:
    """Raise ValueError for a negative number or NaN. Arrays and schedules pass."""
    check_scalar(name, value)
    if is_number(value) and not value >= 0:
        raise ValueError(f"{name} must not be negative, got {value}")


def check_positive(name: str, value: Any) -> None:
    """Raise ValueError unless the value is above 0. Arrays and schedules pass."""
    check_scalar(name, value)
    if is_number(value) and not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Raise ValueError unless the value is a whole number and at least `least`."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number from {least}, got {value}")


def check_dtype(name: str, value: Any, size: int = 1) -> None:
    """Raise ValueError unless the value is None or a float dtype of `size` bytes or more."""
    try:
        dtype = np.dtype("float32" if value is None else value)
        valid = jax.numpy.issubdtype(dtype, jax.numpy.floating) and dtype.itemsize >= size
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f'{name} must be a dtype such as "float32" or "bfloat16", got {value!r}')


def refuse_state(state: Any) -> NoReturn:
    """Raise ValueError for a state that belongs to another optimizer."""
    kinds = [type(node) for node in (state, *state)] if isinstance(state, tuple) else []
    libraries = {kind.__module__.partition(".")[0] for kind in kinds}
    advice = (
        "After a change of the optimizer, or of a number into a schedule or array, call init "
        "again. If a checkpoint lost its containers, restore it into init(params) as the template"
    )
    if any(kind.__name__ == "RoundParamsState" for kind in kinds):
        advice = "Its param_rounding differs: replace the last part by that of init(params)"
    elif type(state) is tuple and "optax" in libraries and "adamjax" not in libraries:
        advice = (
            "Convert a state of Optax with "
            "adamjax.interop.optax.from_optax(name, state, params, ...)"
        )
    raise ValueError(f"state: this optimizer does not accept a {type(state).__name__}. {advice}")


def lookup_or_suggest(
    kind: str, name: str, options: Mapping[str, T], *, ignore_case: bool = False
) -> T:
    """Return the option with this name, or raise ValueError with the nearest names.

    `ignore_case` is for callers that do not compare the name themselves.
    """
    name = canonical(name, options) if ignore_case else name
    if name in options:
        return options[name]
    raise ValueError(f"unknown {kind} {name!r}{suggestion(name, options)}")


def canonical(name: str, options: Iterable[str]) -> str:
    """Return the option that equals the name except for case, or the name."""
    return {option.lower(): option for option in options}.get(str(name).lower(), name)


def suggestion(name: str, options: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest options, and all of them."""
    lower = {option.lower(): option for option in options}
    nearest = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower, n=3)]
    hint = f"; did you mean {' or '.join(map(repr, nearest))}?" if nearest else "."
    return f"{hint} Options: {', '.join(sorted(options))}"
