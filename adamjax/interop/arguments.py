"""Create optimizers from the arguments of torch and Keras."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.arguments import RENAMED
from adamjax.checks import (
    canonical,
    check_beta,
    check_not_negative,
    check_positive,
    check_scalar,
    is_number,
    lookup_or_suggest,
)
from adamjax.interop import tables
from adamjax.interop.trees import plain
from adamjax.matrices.polar import Coefficients
from adamjax.matrices.resolve import Layouts
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import norm
from adamjax.registry import create
from adamjax.rule import ScalarOrSchedule, times, value_at
from adamjax.schedules import relative_step
from adamjax.trees import Mask, PyTree, leaf_name
from adamjax.wrappers.averaging import ema_params


class Call(NamedTuple):
    """A call of a variant."""

    who: str  # the other framework's optimizer
    variant: str
    arguments: dict[str, Any]
    names: dict[str, str]  # the other framework's names, where they differ
    before: optax.GradientTransformation | None = None  # stateless, for the gradients
    others: "Call | None" = None  # of the leaves that are no matrices
    ema: float | None = None  # the decay of an average of the parameters around it

    def make(self) -> optax.GradientTransformationExtraArgs:
        """Create the optimizer. Its state is that of the variant, with or without `before`."""
        tx = self._variant()
        if self.others is not None:
            tx = partition_matrices(tx, self.others.make(), self.arguments["layouts"])
        if self.before is not None:
            tx = _after(self.before, tx)
        return tx if self.ema is None else ema_params(tx, self.ema)

    def _variant(self) -> optax.GradientTransformationExtraArgs:
        try:
            return create(self.variant, **self.arguments)
        except (TypeError, ValueError) as error:
            renamed = self.names.items()
            hints = [f"{here} is {there} there" for here, there in renamed if self._refuses(here)]
            hint = f" ({', '.join(hints)})" if hints else ""
            raise ValueError(f"{self.who}: {error}{hint}") from error

    def _refuses(self, name: str) -> bool:
        """Return whether the variant refuses this argument when given alone."""
        try:
            create(self.variant, **{name: self.arguments[name]})
        except (TypeError, ValueError):
            return True
        return False


def _after(
    before: optax.GradientTransformation, tx: optax.GradientTransformationExtraArgs
) -> optax.GradientTransformationExtraArgs:
    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        updates, _ = before.update(updates, optax.EmptyState())
        return tx.update(updates, state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(tx.init, update)


def _clip_each(most: float) -> optax.GradientTransformation:
    def clip(updates: PyTree, _: PyTree) -> PyTree:
        return jax.tree.map(lambda g: g * (most / jnp.maximum(norm(g), most)), updates)

    return optax.stateless(clip)


_CLIPS = {
    "clipnorm": _clip_each,
    "global_clipnorm": optax.clip_by_global_norm,
    "clipvalue": optax.clip,
}
_PAIRS = {"betas": ("b1", "b2"), "eps": ("eps1", "eps2")}
_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "momentum": lambda momentum: momentum or None,
    "weight_decay": lambda weight_decay: weight_decay or 0.0,
    "decoupled_weight_decay": lambda on: "decoupled" if on else "l2",
    "beta2_decay": lambda power: -power,
    "beta_2_decay": lambda power: -power,
}
# Arguments of other kinds than numbers, flags and pairs.
_OTHER_KINDS = {"adjust_lr_fn", "exclude_layers"}
# Arguments that `torch_call` and `keras_call` handle.
_CONSUMED = {
    "adam_lr_ratio",
    "adjust_lr_fn",
    "amsgrad",
    "dampening",
    "ns_coefficients",
    "lr_decay",
    "maximize",
    "muon_a",
    "muon_b",
    "muon_c",
    "rms_rate",
    *_CLIPS,
}


def from_torch_args(name: str, /, **arguments: Any) -> optax.GradientTransformationExtraArgs:
    """Create the optimizer that equals `torch.optim.<name>(params, **arguments)`.

    Args:
      name: "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "SGD", "RMSprop", "Adagrad", "Adadelta",
        "Adafactor" or "Muon". torch's Muon iterates in bfloat16 and takes matrices (outputs,
        inputs) alone. This one iterates in float32, takes matrices (inputs, outputs), and leaves
        biases, embeddings and output heads to Adam, see `adamjax.matrix_layouts`.
      **arguments: torch's arguments, with torch's defaults. `lr` may be a schedule. `foreach`,
        `fused`, `capturable` and `differentiable` have no effect. Adafactor's `eps[0]` None is that
        of float32.

    Returns:
      The variant in torch's style, with the variant's state. `maximize` negates the gradients, and
      `lr_decay` becomes a schedule.

    Raises:
      ValueError: for another optimizer, an argument that is unknown or out of range, or a
        `dampening` other than 0.

    >>> tx = from_torch_args("Adam", lr=0.5, weight_decay=2.0)
    >>> p = {"w": jnp.float32(1.0)}
    >>> updates, state = tx.update({"w": jnp.float32(-1.0)}, tx.init(p), p)  # -1 + 2 = 1
    >>> round(float(updates["w"]), 6)
    -0.5
    """
    return torch_call(name, arguments).make()


def from_keras_args(
    name: str, /, *, mask: Mask = None, **arguments: Any
) -> optax.GradientTransformationExtraArgs:
    """Create the optimizer that equals `keras.optimizers.<name>(**arguments)` of Keras 3.

    Args:
      name: "SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta",
        "Adafactor", "Lion" or "Muon". Muon's matrices are the leaves with two axes, except those
        whose path here has "embedding" or a pattern of `exclude_layers` in it.
      mask: the leaves that decay, as in `adamjax.optimizer`. It replaces Keras's
        `exclude_from_weight_decay`: for example ["!*bias"].
      **arguments: Keras's arguments, such as `get_config()`, with Keras's defaults.
        `learning_rate` may be a schedule, also one of Keras's.

    Returns:
      The variant in Keras's style, with the variant's state. `clipnorm`, `global_clipnorm` and
      `clipvalue` clip the gradients before it. Muon is `adamjax.partition_matrices` of Muon and
      Adam. `use_ema` is `adamjax.ema_params` around the optimizer.

    Raises:
      ValueError: for another optimizer, an argument that is unknown or out of range,
        `ema_overwrite_frequency` with `use_ema`, `loss_scale_factor`,
        `gradient_accumulation_steps`, a schedule with the momentum of SGD or RMSprop, or Adafactor
        with weight decay.

    >>> tx = from_keras_args("SGD", learning_rate=0.5, clipnorm=1.0)
    >>> p = {"w": jnp.zeros(2)}
    >>> tx.update({"w": jnp.array([3.0, 4.0])}, tx.init(p), p)[0]["w"].tolist()
    [-0.30000001192092896, -0.4000000059604645]
    """
    return keras_call(name, arguments, mask).make()


def torch_call(name: str, arguments: Mapping[str, Any]) -> Call:
    """Return the call that equals `torch.optim.<name>(params, **arguments)`."""
    name = canonical(name, [*tables.TORCH, *tables.TORCH_REFUSED])
    who = f"torch.optim.{name}"
    foreign = _look_up("torch.optim", name, tables.TORCH, tables.TORCH_REFUSED)
    known = {**foreign.defaults, **tables.TORCH_COMMON}
    given = _complete(who, arguments, known, tables.TORCH_IGNORED)
    if given.get("dampening") and given["momentum"]:
        raise ValueError(
            f"{who}: dampening={given['dampening']} has no equivalent. Set it to 0, and divide "
            "lr by the factor by which the momentum then grows"
        )
    call = _call(who, foreign, given)
    if given.get("lr_decay"):
        check_not_negative(f"{who}: lr_decay", given["lr_decay"])
        lr, decay = given["lr"], given["lr_decay"]
        call.arguments["learning_rate"] = lambda count: value_at(lr, count) / (1 + count * decay)
    if name == "Muon":
        del call.arguments["eps"]
        call.arguments.update(_iteration(given), momentum=given["momentum"])
    return call._replace(before=optax.scale(-1.0) if given["maximize"] else None)


def _iteration(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments here of the iteration of torch's Muon."""
    scales = {"None": "aspect", "original": "aspect", "match_rms_adamw": "rms"}
    scale = lookup_or_suggest("adjust_lr_fn", str(given["adjust_lr_fn"]), scales)
    coefficients = Coefficients([given["ns_coefficients"]], 5, eps_mode="clamp")
    return {"ns_eps": given["eps"], "scale": scale, "coefficients": coefficients}


def keras_call(name: str, arguments: Mapping[str, Any], mask: Mask = None) -> Call:
    """Return the call that equals `keras.optimizers.<name>(**arguments)`."""
    name = canonical(name, [*tables.KERAS, *tables.KERAS_REFUSED])
    who = f"keras.optimizers.{name}"
    foreign = _look_up("keras.optimizers", name, tables.KERAS, tables.KERAS_REFUSED)
    if isinstance(arguments.get("learning_rate"), Mapping):
        raise ValueError(f"{who}: learning_rate is a serialized schedule; give the schedule itself")
    for argument, advice in tables.KERAS_UNDONE.items():
        if arguments.get(argument):
            raise ValueError(f"{who}: {argument} is not supported; {advice}")
    known = {**tables.KERAS_COMMON, **foreign.defaults}
    ignored = tables.KERAS_IGNORED | tables.KERAS_UNDONE.keys()
    if name == "Muon":
        given = _complete(who, {**arguments, **_decays_of_muon(arguments)}, known, ignored)
        call = _keras_muon(who, given)
    else:
        given = _complete(who, arguments, known, ignored)
        call = _call(who, foreign, given)
        if given.get("momentum") and callable(given["learning_rate"]):
            raise ValueError(f"{who}: {tables.SCHEDULED_MOMENTUM.format(foreign.variant)}")
    if name == "SGD" and not given["momentum"]:
        call.arguments["nesterov"] = False
    if name == "Adafactor":
        if given["weight_decay"]:
            raise ValueError(f"{who}: Keras applies weight_decay before RMS(p); omit it")
        call.arguments["learning_rate"] = relative_step(given["learning_rate"])
    for part in filter(None, (call, call.others)):
        part.arguments.update({} if mask is None else {"mask": mask})
    return call._replace(before=_clip(who, given), ema=_ema(who, arguments))


def _ema(who: str, arguments: Mapping[str, Any]) -> float | None:
    """Return the decay of Keras's average of the parameters, None without one."""
    if not arguments.get("use_ema"):
        return None
    if arguments.get("ema_overwrite_frequency"):
        raise ValueError(
            f"{who}: ema_overwrite_frequency is not supported; omit it, and replace the parameters "
            "by adamjax.eval_params(state, params) in the training loop"
        )
    decay = arguments.get("ema_momentum", 0.99)
    check_beta(f"{who}: ema_momentum", decay)
    return decay


def _decays_of_muon(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Return the weight decays that are None, as 0."""
    names = ("weight_decay", "adam_weight_decay")
    return {name: 0.0 for name in names if arguments.get(name, 0.0) is None}


def _keras_muon(who: str, given: Mapping[str, Any]) -> Call:
    """Return the calls of Muon for matrices and of Adam for the other leaves."""
    rate, ratio = given["rms_rate"], given["adam_lr_ratio"]
    check_positive(f"{who}: adam_lr_ratio", ratio)
    if rate is not None:
        check_positive(f"{who}: rms_rate", rate)
    factor = 1.0 if rate is None else rate / 0.2  # that of scale="rms"
    triple = tuple(given[f"muon_{letter}"] for letter in "abc")
    matrices = {
        **_rescaled(given["learning_rate"], given["weight_decay"], factor),
        **{name: given[name] for name in ("momentum", "nesterov", "ns_steps")},
        "coefficients": Coefficients([triple], 5),
        "scale": "none" if rate is None else "rms",
        "layouts": _keras_matrices(who, given),
        "style": "keras",
    }
    names = {"b1": "adam_beta_1", "b2": "adam_beta_2", "eps": "epsilon"}
    others = _rescaled(given["learning_rate"], given["adam_weight_decay"], ratio)
    others |= {here: given[there] for here, there in names.items()} | {"style": "keras"}
    names["weight_decay"] = "adam_weight_decay"
    return Call(who, "muon", matrices, {}, others=Call(who, "adam", others, names))


def _rescaled(lr: ScalarOrSchedule, decay: ScalarOrSchedule, factor: float) -> dict[str, Any]:
    """Multiply the steps by a factor, but not the weight decay in them."""
    return {"learning_rate": times(lr, factor), "weight_decay": times(decay, 1 / factor)}


def _keras_matrices(who: str, given: Mapping[str, Any]) -> Layouts:
    """Return the function that chooses the matrices of Keras's Muon."""
    excluded = given["exclude_layers"]
    if isinstance(excluded, str):
        raise ValueError(f"{who}: exclude_layers must be a list of patterns, got {excluded!r}")
    patterns = [*(excluded or ()), *(["(?i)embedding"] if given["exclude_embeddings"] else [])]

    def layout(path: Any, leaf: Any) -> str:
        other = jnp.ndim(leaf) != 2 or any(re.search(p, leaf_name(path)) for p in patterns)
        return "other" if other else "in out -> out in"

    return lambda params: jax.tree_util.tree_map_with_path(layout, params)


def _look_up(
    framework: str, name: str, table: tables.ForeignTable, refused: Mapping[str, str]
) -> tables.ForeignOptimizer:
    if not isinstance(name, str):
        raise ValueError(f"{framework}: the optimizer's name must be a string, got {name!r}")
    if name in refused:
        raise ValueError(f"{framework}.{name} has no equivalent: {refused[name]}")
    return lookup_or_suggest(f"optimizer of {framework}", name, table)


def _complete(
    who: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any], ignored: set[str]
) -> dict[str, Any]:
    """Check the arguments and add the defaults of the others."""
    for argument in arguments:
        lookup_or_suggest(f"argument of {who}:", argument, {**defaults, **dict.fromkeys(ignored)})
    given = {k: v for k, v in defaults.items() if k not in ignored}
    for name, value in arguments.items():
        if name not in ignored:
            given[name] = _checked(who, name, value, defaults[name])
    return given


def _checked(who: str, name: str, value: Any, default: Any) -> Any:
    """Check an argument against the kind of its default: a flag, a pair or a number."""
    what = f"{who}: {name}"
    if isinstance(default, tuple) and name not in _OTHER_KINDS:
        if not isinstance(value, list | tuple) or len(value) != len(default):
            size = {2: "two", 3: "three"}[len(default)]
            raise ValueError(f"{what} must be {size} values, got {value!r}")
        return tuple(_checked(who, name, *each) for each in zip(value, default, strict=True))
    value = plain(what, value)
    if isinstance(default, bool):
        if not (isinstance(value, int) and value in (0, 1)):
            raise ValueError(f"{what} must be True or False, got {value!r}")
        return bool(value)
    optional = default is None or name == "rms_rate"
    if (value is None and optional) or name in _OTHER_KINDS:
        return value
    try:
        check_scalar(what, value)
    except TypeError as error:
        raise ValueError(str(error)) from error
    if callable(value) and name in _CONSUMED:
        raise ValueError(f"{what} must be a number, got {value!r}")
    if name in ("lr", "learning_rate") and is_number(value) and math.isinf(value):
        raise ValueError(f"{what} must be finite, got {value}")
    return value


def _call(who: str, foreign: tables.ForeignOptimizer, given: Mapping[str, Any]) -> Call:
    arguments, names = dict(foreign.fixed), {}
    for name, value in given.items():
        if isinstance(value, tuple) and name in _PAIRS:
            for i, here in enumerate(_PAIRS[name]):
                arguments[here], names[here] = value[i], f"{name}[{i}]"
        elif name not in _CONSUMED:
            here = RENAMED.get(name, name)
            arguments[here] = _CONVERTED[name](value) if name in _CONVERTED else value
            if here != name:
                names[here] = f"-{name}" if here == "decay_rate" else name
    variant = "amsgrad" if given.get("amsgrad") else foreign.variant
    return Call(who, variant, arguments, names)


def _clip(who: str, given: Mapping[str, Any]) -> optax.GradientTransformation | None:
    """Return the gradient clip, of which Keras allows one."""
    clips = [name for name in _CLIPS if given[name] is not None]
    if not clips:
        return None
    if len(clips) > 1:
        raise ValueError(f"{who}: only one of {', '.join(clips)} can be given, as in Keras")
    check_positive(clips[0], given[clips[0]])
    return _CLIPS[clips[0]](given[clips[0]])
