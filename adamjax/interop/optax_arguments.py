"""What the optimizers of Optax are here: a table, and how their arguments are read."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import optax
import optax.contrib

from adamjax.checks import lookup_or_suggest

_Changes = Callable[[dict[str, Any]], dict[str, Any]]


class OptaxOptimizer(NamedTuple):
    """An optimizer of Optax.

    Attributes:
      variant: the variant that it is here.
      fixed: what it does, as arguments here.
      renamed: its arguments that have another name here.
      only: its arguments that must have this value.
      fields: for each moment here, the fields of Optax's states that may hold it.
    """

    variant: str
    fixed: Mapping[str, Any] = {}
    renamed: Mapping[str, str] = {}
    only: Mapping[str, Any] = {}
    fields: Mapping[str, tuple[str, ...]] = {
        "mu": ("ScaleByAdamState.mu",),
        "nu": ("ScaleByAdamState.nu",),
    }


_NO_NESTEROV = {"nesterov": False}
_OPTAX_STYLE = {"style": "optax"}
_MU_ONLY = {"mu": ("ScaleByLionState.mu",)}
_ADAN = {"mu": "m", "change": "v", "nu": "n", "last": "g"}
_AMSGRAD = {name: (f"ScaleByAmsgradState.{name}",) for name in ("mu", "nu", "nu_max")}
SOURCES = {
    "adabelief": OptaxOptimizer(
        "adabelief",
        {"style": "paper"},
        {"eps_root": "eps"},
        _NO_NESTEROV,
        {"mu": ("ScaleByBeliefState.mu",), "nu": ("ScaleByBeliefState.nu",)},
    ),
    "adadelta": OptaxOptimizer(
        "adadelta",
        {"decay_mode": "l2"},
        renamed={"rho": "b2", "weight_decay_mask": "mask"},
        fields={"nu": ("ScaleByAdaDeltaState.e_g",), "delta": ("ScaleByAdaDeltaState.e_x",)},
    ),
    "adagrad": OptaxOptimizer(
        "adagrad", {"style": "keras"}, fields={"nu": ("ScaleByRssState.sum_of_squares",)}
    ),
    "adam": OptaxOptimizer("adam", only=_NO_NESTEROV),
    "adamax": OptaxOptimizer("adamax"),
    "adamaxw": OptaxOptimizer("adamaxw"),
    "adamw": OptaxOptimizer("adamw", only=_NO_NESTEROV),
    "adan": OptaxOptimizer(
        "adan",
        {**_OPTAX_STYLE, "decay_mode": "decoupled"},
        fields={here: (f"ScaleByAdanState.{there}",) for here, there in _ADAN.items()},
    ),
    "ademamix": OptaxOptimizer(
        "ademamix",
        fields={
            "mu": ("ScaleByAdemamixState.m1",),
            "mu_slow": ("ScaleByAdemamixState.m2",),
            "nu": ("ScaleByAdemamixState.nu",),
        },
    ),
    "amsgrad": OptaxOptimizer(
        "amsgrad",
        _OPTAX_STYLE,
        only={"bias_correction_mu": True, "bias_correction_nu": True},
        fields=_AMSGRAD,
    ),
    "lamb": OptaxOptimizer("lamb"),
    "lion": OptaxOptimizer("lion", fields=_MU_ONLY),
    "nadam": OptaxOptimizer("nadam", _OPTAX_STYLE, only={"nesterov": True, "eps_root": 0.0}),
    "nadamw": OptaxOptimizer("nadamw", _OPTAX_STYLE, only={"nesterov": True, "eps_root": 0.0}),
    "novograd": OptaxOptimizer(
        "novograd",
        only={"eps_root": 0.0},
        fields={"mu": ("ScaleByNovogradState.mu",), "nu": ("ScaleByNovogradState.nu",)},
    ),
    "radam": OptaxOptimizer("radam", _OPTAX_STYLE, only=_NO_NESTEROV),
    "rmsprop": OptaxOptimizer(
        "rmsprop",
        {"decay_mode": "decoupled"},
        {"decay": "b2", "initial_scale": "initial_accumulator_value"},
        {**_NO_NESTEROV, "bias_correction": False},
        {
            "nu": ("ScaleByRmsState.nu", "ScaleByRStdDevState.nu"),
            "mean": ("ScaleByRStdDevState.mu",),
            "mu": ("TraceState.trace",),
        },
    ),
    "sgd": OptaxOptimizer(
        "sgd", renamed={"accumulator_dtype": "mu_dtype"}, fields={"mu": ("TraceState.trace",)}
    ),
    "simplified_ademamix": OptaxOptimizer(
        "simplified_ademamix",
        fields={
            "mu": ("ScaleBySimplifiedAdEMAMixState.m",),
            "nu": ("ScaleBySimplifiedAdEMAMixState.n",),
        },
    ),
    "yogi": OptaxOptimizer("yogi", _OPTAX_STYLE),
}


def read_arguments(
    name: str, arguments: Mapping[str, Any]
) -> tuple[OptaxOptimizer, dict[str, Any]]:
    """What the optimizer is here, and its arguments here."""
    source = lookup_or_suggest("optimizer of Optax", name, SOURCES)
    make = getattr(optax, name, None) or getattr(optax.contrib, name)
    bound = inspect.signature(make).bind(**arguments)
    bound.apply_defaults()
    given = dict(bound.arguments)
    for argument, value in source.only.items():
        if given.pop(argument, value) != value:
            raise ValueError(f"optax.{name}: {argument} must be {value!r}: nothing here equals it")
    given = _SPECIAL.get(name, lambda given: given)(given)
    fixed = {key: value for key, value in source.fixed.items() if key not in given}
    renamed = {source.renamed.get(key, key): value for key, value in given.items()}
    return source, {**fixed, **renamed}


def _adabelief(given: dict[str, Any]) -> dict[str, Any]:
    if given["eps"] != given.pop("eps_root"):
        raise ValueError("optax.adabelief: eps and eps_root must be equal: there is one ε here")
    return given


def _adadelta(given: dict[str, Any]) -> dict[str, Any]:
    if given["learning_rate"] is None:
        raise ValueError("optax.adadelta: without a learning_rate it goes up there; give one")
    return given


def _ademamix(given: dict[str, Any]) -> dict[str, Any]:
    for argument in ("b3", "alpha"):
        if callable(given[argument]):
            raise ValueError(f"optax.ademamix: {argument} is a schedule; use adamjax.ademamix")
    return given


def _rmsprop(given: dict[str, Any]) -> dict[str, Any]:
    if given["momentum"] is not None and callable(given["learning_rate"]):
        raise ValueError(
            "optax.rmsprop: learning_rate is a schedule, and its momentum holds steps of former "
            "learning rates; take adamjax.rmsprop, whose momentum does not, or no momentum"
        )
    given["b2"] = given.pop("decay")
    return given | {"style": "keras" if given.pop("eps_in_sqrt") else "torch"}


_SPECIAL: dict[str, _Changes] = {
    "adabelief": _adabelief,
    "adadelta": _adadelta,
    "ademamix": _ademamix,
    "rmsprop": _rmsprop,
}
