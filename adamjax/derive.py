"""Derivation of a ready-made optimizer such as `adamjax.lion` from `scale_by_lion`."""

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import optax

from adamjax.arguments import bind, with_static_default
from adamjax.checks import lookup_or_suggest
from adamjax.optimizer import DECAY_MODES, DecayMode, optimizer
from adamjax.rule import ScalarOrSchedule, with_modulus

Function = Callable[..., Any]
# The arguments that style="optax" stands for, where a variant has no such style.
OPTAX_STYLES: dict[str, dict[str, Any]] = {
    **{name: {"style": "torch"} for name in ("adam", "adamax", "adamaxw", "adamw")},
    **{name: {"style": "paper"} for name in ("adabelief", "lamb", "novograd")},
    **{name: {"style": "keras"} for name in ("adagrad", "rmsprop")},
    **{name: {} for name in ("adadelta", "adopt", "lion", "madgrad", "sgd", "simplified_ademamix")},
    "adafactor": {"style": "t5"},
    "prodigy": {"bias_correction": True},
}
_CHOICES = {
    "decay_mode": "how weight decay λ couples with the step u, one of",
    "style": "whose implementation to follow, one of",
}
OPTIONS = ("weight_decay", "decay_mode", "mask", "storage", "param_rounding")
_OPTIMIZER = inspect.signature(optimizer).parameters


def ready_made(
    source: Function,
    *,
    name: str,
    module: str,
    defaults: Mapping[str, Any],
    own_modes: Sequence[DecayMode] = (),
    adjust: Function | None = None,
    hidden: Sequence[str] = (),
    includes_learning_rate: bool = False,
    styles: Mapping[str, str] | None = None,
) -> Callable[..., optax.GradientTransformationExtraArgs]:
    """Derive a ready-made optimizer with an explicit signature. Its docstring is the Args section.

    Args:
      source: `scale_by_*`, or a function from a learning rate and other arguments to an optimizer,
        which passes `**options` on to `adamjax.optimizer`.
      name: name of the optimizer.
      module: name of the module that declares it.
      defaults: defaults of `learning_rate`, `weight_decay` and `decay_mode`.
      own_modes: decay modes of this variant, in which `scale_by_*` takes weight decay and mask.
      adjust: from some of the arguments, and keyword-only ones of its own, to arguments of
        `scale_by_*` and `adamjax.optimizer` that replace the present ones. Those for `scale_by_*`
        alone are under "rule".
      hidden: arguments of `scale_by_*` that `adjust` computes.
      includes_learning_rate: whether `scale_by_*` multiplies by the learning rate.
      styles: values of `style`.
    """
    alias = OPTAX_STYLES.get(name)
    if alias is not None:
        text = ", ".join(f"{key}={value!r}" for key, value in alias.items())
        styles = {**(styles or {"author": "the default"}), "optax": f"Optax: {text or 'the same'}"}
    rule_modes = {mode.name: mode for mode in own_modes}
    modes = {**DECAY_MODES, **rule_modes}
    choices = {"decay_mode": {k: mode.formula for k, mode in modes.items()}, "style": styles or {}}
    signature = _signature(source, adjust, hidden, defaults, choices)

    def make(*args: Any, **kwargs: Any) -> optax.GradientTransformationExtraArgs:
        values = bind(name, signature, args, kwargs)
        values["weight_decay"] = 0.0 if values["weight_decay"] is None else values["weight_decay"]
        lookup_or_suggest("decay_mode", values["decay_mode"], modes)
        finish = with_modulus if values.get("style") == "optax" else lambda tx: tx
        if alias is not None:
            lookup_or_suggest("style", values["style"], choices["style"])
            values |= alias if values["style"] == "optax" else {}
            values = {k: v for k, v in values.items() if k != "style" or k in _names(source)}
        if not source.__name__.startswith("scale_by_"):
            return finish(source(**values))
        values["includes_learning_rate"] = includes_learning_rate
        if adjust is not None:
            values |= adjust(**{k: values[k] for k in _names(adjust)})
        return finish(_build(source, values, in_rule=values["decay_mode"] in rule_modes))

    make.__name__ = make.__qualname__ = name
    make.__module__ = module
    make.__signature__ = signature  # type: ignore[attr-defined]
    make.__doc__ = _arguments(signature, [*filter(None, [adjust]), source, optimizer], choices)
    return make


def extends(base: Function, names: str | None = None) -> Callable[[Function], Function]:
    """Give a function with `**options` arguments of `base` and their documentation.

    The docstring takes the errors of `base` as well, if it has none.

    Args:
      base: function that takes `**options`.
      names: its arguments, separated by spaces. None is all that are keyword-only.

    >>> def power(x, *, base=2, exact=True): ...
    >>> @extends(power)
    ... def cube(x, *, base=3, **options): ...
    >>> inspect.signature(cube)
    <Signature (x, *, base=3, exact=True)>
    """

    def decorate(function: Function) -> Function:
        own = {k: p for k, p in inspect.signature(function).parameters.items() if k != "options"}
        others = inspect.signature(base).parameters
        optional = [k for k, p in others.items() if p.kind is p.KEYWORD_ONLY]
        chosen = optional if names is None else names.split()
        merged = own | {k: others[k] for k in chosen if k not in own}
        signature = inspect.signature(function)
        signature = signature.replace(parameters=sorted(merged.values(), key=lambda p: p.kind))
        text = inspect.cleandoc(function.__doc__ or "")
        old = textwrap.indent(section(text, "Args"), "  ")
        function.__signature__ = signature  # type: ignore[attr-defined]
        function.__doc__ = text.replace(
            f"Args:\n{old}", _arguments(signature, [function, base], {})
        )
        raises = textwrap.indent(section(base.__doc__, "Raises"), "  ")
        if raises and "Raises:" not in text:
            head, example, tail = function.__doc__.partition("\n\n>>> ")
            function.__doc__ = f"{head}\n\nRaises:\n{raises}{example}{tail}"
        return function

    return decorate


@functools.cache  # the docstring of `optimizer` has a part in that of each variant
def section(docstring: str | None, title: str) -> str:
    r"""Return a section of a docstring without its indentation.

    >>> section("Do it.\n\n    Raises:\n      ValueError: always.\n\n    More.", "Raises")
    'ValueError: always.'
    """
    text = inspect.cleandoc(docstring or "").partition(f"{title}:\n")[2].partition("\n\n")[0]
    return textwrap.dedent(text).strip()


def _names(function: Function) -> list[str]:
    return list(inspect.signature(function).parameters)


def _build(
    scale_by: Function, values: Mapping[str, Any], *, in_rule: bool
) -> optax.GradientTransformationExtraArgs:
    """Call `scale_by` and `optimizer`, each with its arguments."""
    names = _names(scale_by)
    options = {k: values[k] for k in _OPTIMIZER if k in values}
    if in_rule:
        options |= {"weight_decay": 0.0, "decay_mode": "decoupled"}
    elif "weight_decay" in names:
        values = {**values, "weight_decay": 0.0, "mask": None}
    rule = {k: values[k] for k in names} | values.get("rule", {})
    return optimizer(scale_by(**rule), **options)


def _signature(
    source: Function,
    adjust: Function | None,
    hidden: Sequence[str],
    defaults: Mapping[str, Any],
    choices: Mapping[str, Mapping[str, str]],
) -> inspect.Signature:
    own = {k: p for k, p in inspect.signature(source).parameters.items() if k not in hidden}
    own.pop("options", None)
    if adjust is not None:
        added = inspect.signature(adjust).parameters
        own |= {k: p for k, p in added.items() if p.kind is p.KEYWORD_ONLY}
    if choices["style"] and "style" not in own:
        kind = inspect.Parameter.KEYWORD_ONLY
        own["style"] = inspect.Parameter("style", kind, default=next(iter(choices["style"])))
    rate = own.pop("learning_rate", _OPTIMIZER["learning_rate"])
    rate = rate.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
    merged = {"learning_rate": rate, **own, **{k: _OPTIMIZER[k] for k in OPTIONS}}
    merged["weight_decay"] = merged["weight_decay"].replace(annotation=ScalarOrSchedule | None)
    for key, value in defaults.items():
        merged[key] = merged[key].replace(default=value)
    for key, values in choices.items():
        if key in merged:
            hint = Literal[tuple(values)]  # type: ignore[valid-type]
            merged[key] = merged[key].replace(annotation=hint)
    return inspect.Signature(
        sorted(map(with_static_default, merged.values()), key=lambda p: p.kind),
        return_annotation=optax.GradientTransformationExtraArgs,
    )


def _arguments(
    signature: inspect.Signature,
    sources: Sequence[Function],
    choices: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the Args section. An entry comes from the first source that has one."""
    entries = {"weight_decay": "λ, a number, an array or a schedule. None is 0."}
    for name, values in choices.items():
        lines = (f"\n    {key!r}: {text}" for key, text in values.items())
        entries[name] = "".join([_CHOICES[name], *lines])
    for source in sources:
        entries = _entries(source.__doc__) | entries
    return "Args:\n" + "\n".join(
        f"  {k}: {entries[k]}".replace("\n", "\n  ") for k in signature.parameters if k in entries
    )


@functools.cache
def _entries(docstring: str | None) -> dict[str, str]:
    """Return the entries of the Args section by argument."""
    entry = re.compile(r"^(\w+): (.*(?:\n +.*)*)", re.MULTILINE)
    return dict(entry.findall(section(docstring, "Args")))
