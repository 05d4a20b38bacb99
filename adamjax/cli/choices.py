"""Variants, their arguments and parameters of models on the command line."""

import inspect
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax import schedules
from adamjax.checks import lookup_or_suggest
from adamjax.registry import Variant, get_variant
from adamjax.rule import ScalarOrSchedule
from adamjax.tuning.mup import MupTransformation
from adamjax.wrappers.groups import GroupedTransformation

CONSTANTS = {"true": True, "false": False, "none": None}


class Choice(NamedTuple):
    """A variant with some of its arguments."""

    label: str  # as on the command line: "adam:b2=0.99,style=keras"
    variant: Variant
    arguments: dict[str, Any]

    def make(self, **arguments: Any) -> optax.GradientTransformationExtraArgs:
        """Make the optimizer. These arguments override its own."""
        # Some styles require a learning rate.
        return self.variant.optimizer(**{"learning_rate": 0.1} | self.arguments | arguments)


def parse_optimizer(text: str) -> Choice:
    """Parse NAME[:ARGUMENT=VALUE,...], or raise TypeError or ValueError."""
    variant = get_variant(text.partition(":")[0])
    arguments = read_arguments(text, variant.defaults)
    # One step on shapes alone finds a wrong value before anything is computed.
    choice = Choice(text, variant, arguments)
    tx, params = choice.make(), jax.ShapeDtypeStruct((2, 2), jnp.float32)
    with warnings.catch_warnings(action="ignore"):  # of a small leaf
        jax.eval_shape(lambda p: tx.update(p, tx.init(p), p), params)
    return choice


def read_arguments(text: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the arguments of NAME[:ARGUMENT=VALUE,...] by their defaults."""
    name, _, settings = text.partition(":")
    arguments = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"{text!r} must look like adam:b2=0.99,style=keras")
        default = lookup_or_suggest(f"argument of {name}", key, defaults)
        arguments[key] = read_value(key, value, default)
    return arguments


def read_value(name: str, text: str, default: Any) -> Any:
    """Parse an argument by its default. A text is an error if the default is a number."""
    if isinstance(default, str):
        return text
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    if isinstance(default, int | float):
        raise ValueError(f"{name} must be a number, got {text!r}")
    return text


def read_object(text: str) -> Any:
    """Return the object at MODULE:NAME, or raise ImportError or ValueError."""
    module, _, name = text.partition(":")
    if not name:
        raise ValueError(f"must be MODULE:NAME such as model:init, got {text!r}")
    sys.path.insert(0, "")
    try:
        return attrgetter(name)(import_module(module))
    except AttributeError as error:
        raise ValueError(str(error)) from error
    finally:
        sys.path.remove("")


def read_params(text: str) -> Any:
    """Return the parameters at MODULE:NAME, or the shapes of those that a function there makes."""
    params = read_object(text)
    return jax.eval_shape(params) if callable(params) else params


def read_groups(text: str) -> GroupedTransformation | MupTransformation:
    """Return the optimizer at MODULE:NAME, or raise TypeError if it has no table."""
    tx = read_object(text)
    if not isinstance(tx, GroupedTransformation | MupTransformation):
        raise TypeError(
            f"{text} must be an optimizer of adamjax.groups or adamjax.mup, without a chain or "
            f"wrapper around it, got a {type(tx).__name__}"
        )
    return tx


def parse_schedule(text: str) -> tuple[str, optax.Schedule]:
    """Return the label and the schedule of NAME:ARGUMENT=VALUE,..., or that at MODULE:NAME."""
    name = text.partition(":")[0]
    makers = {
        key: make
        for module in (optax.schedules, schedules)
        for key, make in vars(module).items()
        if inspect.isfunction(make) and make.__module__.startswith(module.__name__)
        if not key.startswith("_")
        if inspect.signature(make).return_annotation in (optax.Schedule, ScalarOrSchedule)
    }
    if name in makers or name == text or "=" in text:
        make = lookup_or_suggest("schedule", name, makers)
        parameters = inspect.signature(make).parameters.values()
        # A number without a default is checked as one with a default is.
        defaults = {p.name: 0.0 if p.default is p.empty else p.default for p in parameters}
        schedule = make(**read_arguments(text, defaults))
    else:
        schedule = read_object(text)
    try:
        float(np.asarray(schedule(0)))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{text} must be a schedule, a function of the step: {error}") from error
    return text, schedule


def read_layouts(text: str) -> Any:
    """Return the layouts at MODULE:NAME, or a layout."""
    return read_object(text) if ":" in text else text
