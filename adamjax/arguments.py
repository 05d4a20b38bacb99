"""Arguments of the ready-made optimizers: static settings, and names in other libraries."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args, get_origin

import jax

from adamjax.checks import suggestion
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask

# Arguments of torch and Keras by their names here.
RENAMED = {
    "lr": "learning_rate",
    "alpha": "b2",
    "rho": "b2",
    "beta_1": "b1",
    "beta_2": "b2",
    "beta2_decay": "decay_rate",
    "beta_2_decay": "decay_rate",
    "epsilon": "eps",
    "epsilon_1": "eps1",
    "epsilon_2": "eps2",
    "d": "clip_threshold",
    "decoupled_weight_decay": "decay_mode",
}
# What to write instead of an argument that an optimizer does not have. A name applies if it is an
# argument of that optimizer.
ADVICE = RENAMED | {
    "accumulator_dtype": "mu_dtype",
    "adam_b1": "b1",
    "adam_b2": "b2",
    "amsgrad": "adamjax.amsgrad",
    "beta": "momentum",
    "beta1": "b1",
    "beta2": "b2",
    "beta2_decay": "decay_rate with the opposite sign",
    "beta3": "b3",
    "beta_2_decay": "decay_rate with the opposite sign",
    "betas": "b1=..., b2=...",
    "clipnorm": "adamjax.from_keras_args",
    "clipping_threshold": "clip_threshold",
    "clipvalue": "optax.clip in optax.chain",
    "decay": 'b2, or decay_mode="..." for the coupling of weight decay',
    "decoupled_weight_decay": 'decay_mode="decoupled" or "l2"',
    "dtype_momentum": "mu_dtype",
    "eps_in_sqrt": 'style="keras" if True, style="torch" if False',
    "eps_root": "eps",
    "estim_lr0": "d0",
    "estim_lr_coef": "d_coef",
    "global_clipnorm": "optax.clip_by_global_norm in optax.chain",
    "gradient_accumulation_steps": "optax.MultiSteps",
    "initial_scale": "initial_accumulator_value",
    "maximize": "optax.scale(-1.0) in optax.chain",
    "momentum": "b1",
    "multiply_by_parameter_scale": "scale_parameter",
    "nesterov": "adamjax.nadam or adamjax.nadamw for Adam with Nesterov momentum",
    "use_ema": "adamjax.ema_params",
    "weight_decay_mask": "mask",
    "weight_decay_rate": "weight_decay",
}
_DYNAMIC = (ScalarOrSchedule, ScalarOrSchedule | None, float, float | None)


class StaticDefault:
    """Default of a static argument, which `optax.inject_hyperparams` does not make an array."""

    def __init__(self, value: Any) -> None:
        """Keep the value."""
        self.value = value

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
    """Return all arguments by name.

    Raises:
      TypeError: for arguments that do not fit, or an array where one would change the program. The
        message says what to write.
    """
    parameters = signature.parameters
    for key in kwargs:
        if key not in parameters:
            raise TypeError(f"{who}: unexpected keyword argument {key!r}{_advice(key, parameters)}")
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{who}: {error}") from None
    values = {key: plain_default(p) for key, p in parameters.items()} | bound.arguments
    for key, value in values.items():
        if isinstance(value, StaticDefault):
            values[key] = value.value
        dynamic = parameters[key].annotation in _DYNAMIC and not key.endswith("dtype")
        if isinstance(value, jax.Array) and not dynamic:
            raise TypeError(
                f"{who}: {key} fixes the program and cannot be an array; under "
                f'optax.inject_hyperparams, give static_args=("{key}",)'
            )
    return values


def _advice(name: str, known: Mapping[str, Any]) -> str:
    instead = ADVICE.get(name, "")
    if instead in known or (instead and not instead.isidentifier()):
        return f"; use {instead}"
    return suggestion(name, known)
