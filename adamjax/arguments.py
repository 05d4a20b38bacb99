"""Arguments of the ready-made optimizers: static settings, and names in other libraries."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin

import jax

from adamjax.checks import suggestion
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask

# Arguments of torch and Keras by their names here.
RENAMED = {"lr": "learning_rate", "alpha": "b2", "rho": "b2", "beta_1": "b1", "beta_2": "b2"}
RENAMED |= {"beta2_decay": "decay_rate", "beta_2_decay": "decay_rate", "d": "clip_threshold"}
RENAMED |= {"epsilon": "eps", "epsilon_1": "eps1", "epsilon_2": "eps2"}
RENAMED |= {"decoupled_weight_decay": "decay_mode"}
# Replacements. The name of an argument applies to the optimizers that have it.
ADVICE = {**RENAMED, "betas": "b1=..., b2=...", "amsgrad": "adamjax.amsgrad", "momentum": "b1"}
ADVICE |= {"beta1": "b1", "beta2": "b2", "beta3": "b3", "eps_root": "eps", "estim_lr0": "d0"}
ADVICE |= {"weight_decay_mask": "mask", "accumulator_dtype": "mu_dtype", "estim_lr_coef": "d_coef"}
ADVICE |= {"initial_scale": "initial_accumulator_value", "dtype_momentum": "mu_dtype"}
ADVICE |= {"clipping_threshold": "clip_threshold", "weight_decay_rate": "weight_decay"}
ADVICE |= {"multiply_by_parameter_scale": "scale_parameter", "eps": "eps1"}
ADVICE |= {"decay": 'b2, or decay_mode="..." for the coupling of weight decay'}
ADVICE |= {"nesterov": "adamjax.nadam or adamjax.nadamw for Adam with Nesterov momentum"}
ADVICE |= dict.fromkeys(("beta2_decay", "beta_2_decay"), "decay_rate with the opposite sign")
_DYNAMIC = (ScalarOrSchedule, ScalarOrSchedule | None, float, float | None)


class StaticDefault(NamedTuple):
    """Default of a static argument, which `optax.inject_hyperparams` does not make an array."""

    value: Any

    def __repr__(self) -> str:
        """Return the text of the value."""
        return getattr(self.value, "__name__", repr(self.value))


def is_static(parameter: inspect.Parameter) -> bool:
    """Return whether an argument is a whole number or a function that fixes the program."""
    kinds = (parameter.annotation, *get_args(parameter.annotation))
    types = [get_origin(kind) or kind for kind in kinds]
    return parameter.annotation != Mask and (int in types or Callable in types)


def with_static_default(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return the parameter, with a `StaticDefault` where injection would change its default."""
    if parameter.default is None or not is_static(parameter):
        return parameter
    return parameter.replace(default=StaticDefault(parameter.default))


def plain_default(parameter: inspect.Parameter) -> Any:
    """Return the default of an argument as it is used."""
    default = parameter.default
    return default.value if isinstance(default, StaticDefault) else default


def bind(
    who: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all arguments by name, or raise TypeError with the arguments to write instead."""
    parameters = signature.parameters
    for key in kwargs:
        if key not in parameters:
            raise TypeError(f"{who}: unexpected keyword argument {key!r}{_advice(key, parameters)}")
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{who}: {error}") from None
    bound.apply_defaults()
    for key, value in bound.arguments.items():
        if isinstance(value, StaticDefault):
            bound.arguments[key] = value.value
        dynamic = parameters[key].annotation in _DYNAMIC and not key.endswith("dtype")
        if isinstance(value, jax.Array) and not dynamic:
            raise TypeError(
                f"{who}: {key} must be static, since it determines the program; under "
                f'optax.inject_hyperparams, give static_args=("{key}",)'
            )
    return bound.arguments


def _advice(name: str, known: Mapping[str, Any]) -> str:
    instead = ADVICE.get(name, "")
    if instead in known and f"muon_{instead}" in known:
        return f"; use muon_{instead} for matrices, or {instead} for Adam of the other parameters"
    if instead in known or (instead and not instead.isidentifier()):
        return f"; use {instead}"
    return suggestion(name, known)
