"""Create optimizers from the arguments of Optax: the functions of `adamjax.optax`."""

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
import optax.contrib

from adamjax.arguments import ADVICE
from adamjax.checks import lookup_or_suggest
from adamjax.derive import OPTAX_STYLES, section
from adamjax.interop import tables
from adamjax.interop.arguments import Call
from adamjax.registry import get_variant
from adamjax.rule import with_modulus
from adamjax.storage.rounding import is_low, with_param_rounding
from adamjax.storage.store import store
from adamjax.trees import PyTree

_NAMES = {**ADVICE, "decay": "b2"}  # of Optax's arguments here


class OptaxCall(Call):
    """A call of a variant in Optax's style."""

    def make(self) -> optax.GradientTransformationExtraArgs:
        """Create the optimizer. It averages |g|² of complex leaves."""
        return with_modulus(super().make())


class NoEqualError(ValueError):
    """No variant equals an optimizer of Optax with these arguments."""


def from_optax_args(
    name: str, /, *, storage: str = "float32", param_rounding: str | None = None, **arguments: Any
) -> optax.GradientTransformationExtraArgs:
    """Create the optimizer that equals `optax.<name>(**arguments)`, or that of `optax.contrib`.

    Args:
      name: "adam", "adamw", "lion" …
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
      **arguments: Optax's arguments, with Optax's defaults.

    Returns:
      The variant in Optax's style, with the variant's state.

    Raises:
      ValueError: for another optimizer, an argument out of range, or arguments without an equal
        here, for which `adamjax.optax.<name>` uses Optax's own function.
      TypeError: for an argument that Optax's optimizer does not have.

    >>> tx = from_optax_args("rmsprop", learning_rate=0.5, decay=0.0)
    >>> p = {"w": jnp.float32(1.0)}
    >>> updates, state = tx.update({"w": jnp.float32(-2.0)}, tx.init(p), p)
    >>> round(float(updates["w"]), 6)
    0.5
    """
    call = optax_call(name, arguments)
    call.arguments.update(storage=storage, param_rounding=param_rounding)
    return call.make()


def optax_call(name: str, arguments: Mapping[str, Any]) -> OptaxCall:
    """Return the call that equals `optax.<name>(**arguments)`."""
    row = lookup_or_suggest("optimizer of Optax", name, tables.OPTAX, ignore_case=True)
    return _call(row, row.name, arguments)


def _function(name: str) -> Callable[..., Any]:
    function = getattr(optax, name, None) or getattr(optax.contrib, name, None)
    if function is None:
        raise ValueError(f"optax.contrib.{name} is not in Optax {optax.__version__}; update it")
    return function


def _call(row: tables.OptaxOptimizer, name: str, arguments: Mapping[str, Any]) -> OptaxCall:
    who = f"optax.{name}"
    signature = inspect.signature(_function(name))
    bound = signature.bind(**arguments)
    bound.apply_defaults()
    theirs = dict(bound.arguments)
    for argument in theirs.keys() & row.required:
        default = signature.parameters[argument].default
        if theirs.pop(argument) is not default:
            raise NoEqualError(f"{who}: {argument} must be {default!r}; adamjax has no equivalent")
    if reason := row.refused or _refusal(row.name, theirs):
        raise NoEqualError(f"{who}: {reason}; use adamjax.optax.{name}")
    variant, settings = _converted(row, theirs)
    known = get_variant(variant).defaults
    names = {there if there in known else _NAMES.get(there, there): there for there in theirs}
    settings |= {here: theirs[there] for here, there in names.items()}
    return OptaxCall(who, variant, settings, {k: name for k, name in names.items() if k != name})


def _converted(row: tables.OptaxOptimizer, theirs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Translate arguments that are more than renamed. Return the variant and its arguments."""
    variant = row.name
    if variant in ("adam", "adamw", "nadam", "nadamw"):
        variant = "n" * theirs.pop("nesterov") + variant.removeprefix("n")
    settings = {**OPTAX_STYLES.get(variant, {"style": "optax"}), **row.fixed}
    if variant == "adafactor":
        # Injection takes a dtype for a schedule, and passes a number of this dtype.
        theirs["dtype_momentum"] = jnp.result_type(theirs["dtype_momentum"])
        if not theirs.pop("factored"):
            theirs["min_dim_size_to_factor"] = sys.maxsize
        for name, default in {"learning_rate": 1.0, "clipping_threshold": math.inf}.items():
            theirs[name] = default if theirs[name] is None else theirs[name]
    elif variant == "adopt":
        settings["clip_exponent"] = 0.25 if theirs.pop("use_clipping") else None
    elif variant == "prodigy":
        theirs["b1"], theirs["b2"] = theirs.pop("betas")
    elif variant == "rmsprop":
        settings["style"] = "keras" if theirs.pop("eps_in_sqrt") else "torch"
    elif variant.startswith("schedule_free"):
        theirs["warmup_steps"] = theirs["warmup_steps"] or 0
    return variant, settings


def _refusal(name: str, theirs: Mapping[str, Any]) -> str:
    """Return why no variant equals Optax's optimizer, or an empty string."""
    if name == "adadelta" and theirs.get("learning_rate", 1.0) is None:
        return "Optax's adadelta ascends without a learning_rate; give one"
    if name == "ademamix" and (callable(theirs["b3"]) or callable(theirs["alpha"])):
        argument = "b3" if callable(theirs["b3"]) else "alpha"
        return f"{argument} is a schedule; use adamjax.ademamix"
    if name == "rmsprop" and theirs["momentum"] is not None and callable(theirs["learning_rate"]):
        return tables.SCHEDULED_MOMENTUM.format(name)
    return ""


_DOC = """Create `{}` with float32 arithmetic and low-precision state.

Arguments, defaults and steps are Optax's. Additional arguments:

Args:
  {}"""


def drop_ins(module: Any, place: str) -> dict[str, Callable[..., Any]]:
    """Return the functions of the module `place` that replace those of `module` of Optax."""
    functions = {}
    for row in tables.OPTAX.values():
        # A rule that includes the learning rate has the opposite sign there.
        names = [row.name, f"scale_by_{row.name}"]
        names = names[:1] if row.refused or row.name == "madgrad" else names
        functions |= {name: _drop_in(row, name, place) for name in names if hasattr(module, name)}
    return functions


def _drop_in(
    row: tables.OptaxOptimizer, name: str, place: str
) -> Callable[..., optax.GradientTransformationExtraArgs]:
    function, known = _function(name), inspect.signature(from_optax_args).parameters
    added = [known[key] for key in ("storage", "param_rounding")[: 1 + (name == row.name)]]

    def make(*args: Any, **kwargs: Any) -> optax.GradientTransformationExtraArgs:
        arguments = signature.bind(*args, **kwargs).arguments
        chosen = {option.name: arguments.pop(option.name, option.default) for option in added}
        try:
            call = _call(row, name, arguments)
            if row.name == "rmsprop" and call.arguments["momentum"] is not None:
                raise NoEqualError("its momentum holds steps, so it has another state")
        except NoEqualError:
            return _own(function(**arguments), row.roles, **chosen)
        if name == row.name:
            return call._replace(arguments=call.arguments | chosen).make()
        scale_by: Any = get_variant(call.variant).scale_by
        known = inspect.signature(scale_by).parameters
        tx = scale_by(**{k: v for k, v in call.arguments.items() if k in known})
        return store(with_modulus(tx), **chosen)

    theirs = inspect.signature(function)
    make.__signature__ = signature = theirs.replace(  # type: ignore[attr-defined]
        parameters=[*theirs.parameters.values(), *added],
        return_annotation=optax.GradientTransformationExtraArgs,
    )
    make.__name__ = make.__qualname__ = name
    make.__module__ = place
    entries = section(from_optax_args.__doc__, "Args").splitlines()[1 : 1 + len(added)]
    make.__doc__ = _DOC.format(f"{place.removeprefix('adamjax.')}.{name}", "\n  ".join(entries))
    return make


def _own(
    tx: optax.GradientTransformation,
    roles: Mapping[str, str],
    storage: str,
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Return an optimizer of Optax in float32, with storage and rounding."""
    tx = _in_float32(tx)
    if storage != "float32":  # some of Optax's states count no steps
        tx = optax.chain(tx, optax.scale_by_schedule(lambda count: 1.0))
        tx = store(tx, storage, roles=roles)
    return with_param_rounding(tx, param_rounding=param_rounding)


def _in_float32(tx: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """Run a transformation on float32 copies of low-precision gradients and parameters."""
    tx = optax.with_extra_args_support(tx)

    def widen(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda x: x.astype(jnp.float32) if is_low(x) else x, tree)

    def init(params: PyTree) -> Any:
        return tx.init(widen(params))

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        new, state = tx.update(widen(updates), state, widen(params), **extra_args)
        return jax.tree.map(lambda u, g: u.astype(jnp.result_type(g)), new, updates), state

    return optax.GradientTransformationExtraArgs(init, update)
