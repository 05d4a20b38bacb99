"""Maximal update parametrization: the learning rate of a small model for a wide one.

Tensor Programs V: Tuning Large Neural Networks via Zero-Shot Hyperparameter Transfer. Yang et al.,
2022. arXiv:2203.03466.

With n, m the growth of inputs and outputs of a matrix, L that of the layers, R = ‖p‖, and s the
factor of an orthogonalized update, a step changes activations by the same at every width if

    lr ∝ 1 / n                             Adam, signs
    lr ∝ L m / n                           SGD
    lr ∝ √(m / n) / s                      orthogonalized (arXiv:2310.17813)
    lr ∝ √(m / n) / R                      hyperball around Adam, "adamh"
    lr ∝ √(m / n) √min(rows, columns) / R  hyperball around Muon, "muonh"
    λ ∝ 1 / lr                             decoupled weight decay
    ε ∝ 1 / (L m)                          Adam, of an output 1 (arXiv:2505.01618)
    √mean(p²) ∝ 1 / √n                     initialization, of an output 1 / n
"""

import collections
import functools
import glob
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.checks import is_zero, lookup_or_suggest
from adamjax.matrices.layout import Layout, Shape
from adamjax.matrices.resolve import Layouts, StackedLayouts, other_kind, resolve_layouts
from adamjax.modifiers.orthogonal_momentum import PRESETS
from adamjax.modifiers.orthogonalize import SCALES
from adamjax.registry import get_variant
from adamjax.rule import as_real
from adamjax.trees import PyTree, align_columns, check_same_tree, leaf_names, stack_axes, unbox
from adamjax.wrappers.groups import grouped, make_groups

# Variants whose updates scale as those of a kind, at any style. Other functions need a kind.
KINDS = {
    "adam": "adagrad adam adam_atan2 adam_mini adamax adamaxw adamw adan ademamix adopt amsgrad "
    "c_adamw grams nadam nadamw qhadam rmsprop schedule_free_adamw simplified_ademamix",
    "sign": "c_lion lion tiger",
    "sgd": "schedule_free_sgd sgd",
    "orthogonalized": "muon normuon",
    "adamh": "",
    "muonh": "",
}
_ON_MATRICES = ("orthogonalized", "adamh", "muonh")  # Other leaves have Adam's update.
_DECAY_POWERS = {"independent": 0, "independent_after": 0, "lr_squared": -2}


class Growth(NamedTuple):
    """The growth of a parameter: its kind, and the factors of its inputs, outputs and layers."""

    kind: str
    inputs: float = 1.0
    outputs: float = 1.0
    layers: float = 1.0

    @property
    def init(self) -> float:
        """The factor of the root mean square at the start."""
        return self.inputs ** {"hidden": -0.5, "output": -1.0}.get(self.kind, 0.0)


class MupRow(NamedTuple):
    """A parameter, its shapes, layout (None if it is no matrix), growth and factors of settings."""

    parameter: str
    shape: Shape
    base_shape: Shape
    layout: Layout | None
    growth: Growth
    factors: Mapping[str, float]


class MupTable(tuple[MupRow, ...]):
    """A `MupRow` for each parameter. `str` aligns them in columns."""

    __slots__ = ()

    def __str__(self) -> str:
        names = list(dict.fromkeys(name for row in self for name in row.factors))
        lines = [["parameter", "shape", *Growth._fields, *names, "init"]]
        for row in self:
            factors = [row.factors.get(name, 1.0) for name in names]
            numbers = [f"{x:.4g}" for x in (*row.growth[1:], *factors, row.growth.init)]
            lines.append([row.parameter, str(row.shape), row.growth.kind, *numbers])
        return align_columns(lines)


class MupTransformation(optax.GradientTransformationExtraArgs):
    """A transformation with `table(params)`, the `MupTable` of the parameters."""

    table: Callable[[PyTree], MupTable]


def mup(
    make: str | Callable[..., optax.GradientTransformation],
    params: PyTree,
    base_params: PyTree,
    *,
    kind: str | None = None,
    layouts: Layouts = None,
    **settings: Any,
) -> MupTransformation:
    """Create an optimizer with the settings of a small model, scaled to a wide one.

    It multiplies the learning rate, the weight decay and ε of each parameter by factors that follow
    from the axes that grow. The result is `adamjax.groups` with one state. The wide model also
    needs the initialization of `adamjax.mup_init`. Attention has to divide by the size of a head,
    not by its root, if that size grows. If layers are added, each of them has to be multiplied by
    base layers / layers.

    Args:
      make: name of a variant, or a function from settings to an optimizer, such as `optax.adamw`.
      params: parameters of the model, arrays or `jax.ShapeDtypeStruct` from `jax.eval_shape`.
      base_params: parameters of the small model, in the same tree. Layers count in the factors only
        if they are stacked.
      kind: how updates scale: "adam", "sign", "sgd", "orthogonalized" (by Muon's √max(1, outputs /
        inputs) unless `scale` or `style` says otherwise), "adamh" or "muonh" (`adamjax.hyperball`
        around Adam or Muon). None is that of a variant, also for Optax's function of the same name.
      layouts: inputs and outputs of each parameter, see `adamjax.matrix_layouts`. `make` receives
        them too if it has this argument. None takes two axes as (inputs, outputs).
      **settings: arguments of `make`, as tuned for the small model.

    Returns:
      An optimizer, see `adamjax.groups`. Its method `table(params)` returns the kind, the growth
      and all factors of each parameter, which `print` aligns.

    Raises:
      TypeError: for an optimizer in place of a function.
      ValueError: for a function or kind that is unknown, trees that differ in names or axes, a
        layout that does not say what an axis is, or an L2 term that Adam would divide by √v; in
        `init`, for parameters that are larger than `params`.

    >>> def shapes(d):
    ...     return {"bias": jnp.ones(d), "kernel": jnp.ones((d, d)), "head": jnp.ones((d, 2))}
    >>> tx = mup("adamw", shapes(32), shapes(8), learning_rate=0.1)
    >>> print(tx.table(shapes(32)))
    parameter  shape     kind    inputs  outputs  layers  learning_rate  eps   weight_decay  init
    bias       (32,)     vector  1       4        1       1              0.25  1             1
    head       (32, 2)   output  4       1        1       0.25           1     4             0.25
    kernel     (32, 32)  hidden  4       4        1       0.25           0.25  4             0.5

    Yang et al., 2022. Tensor Programs V: Tuning Large Neural Networks via Zero-Shot Hyperparameter
    Transfer. https://arxiv.org/abs/2203.03466
    """
    make = get_variant(make).optimizer if isinstance(make, str) else make
    if not callable(make):
        raise TypeError(
            "make: weight decay and ε have factors of their own, so give the function, such as "
            f"mup(optax.adamw, ..., learning_rate=1e-3), not an optimizer; got {type(make)}"
        )
    kind = _kind_of(make) if kind is None else kind
    lookup_or_suggest("kind", kind, KINDS)
    arguments = inspect.signature(make).parameters
    if "layouts" in arguments:
        settings["layouts"] = layouts
    values = {name: p.default for name, p in arguments.items()} | settings
    if values.get("learning_rate") is inspect.Parameter.empty:
        raise ValueError(
            "learning_rate: give that of the small model, such as mup(optax.adamw, params, "
            "base_params, learning_rate=1e-3)"
        )

    def table(params: PyTree) -> MupTable:
        rows = _compare(params, base_params, layouts)
        return MupTable(row._replace(factors=_factors(kind, row, values)) for row in rows)

    groups = collections.defaultdict(list)
    for row in table(params):
        factors = tuple((name, f"{x!r}x") for name, x in row.factors.items() if x != 1)
        groups[row.growth.kind, factors].append(glob.escape(row.parameter))
    named, count = [], collections.Counter[str]()
    for (label, factors), patterns in groups.items():
        if factors:
            count[label] += 1
            name = f"{label} {count[label]}" if count[label] > 1 else label
            named.append((name, patterns, dict(factors)))
    plain = grouped(make_groups(make, named, settings))
    shapes = {row.parameter: row.shape for row in table(params)}

    def init(params: PyTree) -> Any:
        _check_shapes(params, shapes)
        return plain.init(params)

    tx = MupTransformation(init, plain.update)
    tx.table = table
    return tx


def mup_init(params: PyTree, base_params: PyTree, *, layouts: Layouts = None) -> PyTree:
    """Rescale random parameters of a wide model to the initialization that `adamjax.mup` needs.

    The root mean square of each parameter becomes that in the small model times 1 (inputs and
    vectors), 1 / √n (hidden) or 1 / n (outputs). So any initializer fits, also one whose variance
    does not depend on the width. Parameters that are 0 or do not grow stay as they are.

    Args:
      params: new parameters of the model.
      base_params: new parameters of the small model, arrays from the same function.
      layouts: as in `adamjax.mup`.

    Returns:
      The parameters, with the same dtypes. Under `jax.jit` they can be created as shards.

    Raises:
      ValueError: as `adamjax.mup`, and for a base without values.

    >>> draw = lambda *shape: jax.random.normal(jax.random.key(0), shape)
    >>> new = mup_init({"kernel": draw(64, 64)}, {"kernel": draw(16, 16)})
    >>> ratio = jnp.std(new["kernel"]) / jnp.std(draw(16, 16))
    >>> round(float(ratio), 2)
    0.5
    """
    leaves, treedef = jax.tree.flatten(params)
    bases = jax.tree.leaves(base_params)
    for name, each in {"params": leaves, "base_params": bases}.items():
        if any(isinstance(x, jax.ShapeDtypeStruct) for x in each):
            raise ValueError(f"{name}: give arrays, since mup_init measures them; call init")

    def rescale(p: Any, base: Any, row: MupRow) -> Any:
        if row.growth.kind == "constant" or not jnp.issubdtype(p.dtype, jnp.inexact):
            return p
        size, old = (jnp.sqrt(jnp.mean(as_real(x, jnp.float32) ** 2)) for x in (base, p))
        return (p * jnp.where(old > 0, row.growth.init * size / old, 1)).astype(p.dtype)

    return treedef.unflatten(map(rescale, leaves, bases, _compare(params, base_params, layouts)))


def _kind_of(make: Callable[..., Any]) -> str:
    """Return the kind of a function of adamjax or Optax."""
    function = make.func if isinstance(make, functools.partial) else make
    name = getattr(function, "__name__", repr(function))
    library = str(function.__module__).partition(".")[0]
    for kind, names in KINDS.items():
        # Optax's matrix optimizers have another choice of matrices.
        known = library == "adamjax" or (library == "optax" and kind not in _ON_MATRICES)
        if known and name in names.split():
            return kind
    raise ValueError(f"kind: it is unknown for {name!r}; give one of {', '.join(KINDS)}")


def _compare(params: PyTree, base_params: PyTree, layouts: Layouts) -> list[MupRow]:
    """Return the leaves of two models, or raise ValueError if the trees or axes differ."""
    params, base_params = unbox(params), unbox(base_params)
    shapes, bases = ([np.shape(x) for x in jax.tree.leaves(tree)] for tree in (params, base_params))
    if leaf_names(params) != leaf_names(base_params):  # modules of Equinox contain their sizes
        check_same_tree("params", params, "base_params", base_params, shapes=bases)
    stacked = layouts.stacked if isinstance(layouts, StackedLayouts) else {}
    columns = resolve_layouts(params, layouts), stack_axes("stacked", stacked, params)
    rows = zip(leaf_names(params), shapes, bases, *columns, strict=True)
    return [MupRow(*row[:4], _growth(*row), {}) for row in rows]


def _check_shapes(tree: PyTree, shapes: Mapping[str, Shape]) -> None:
    """Raise ValueError if a leaf is larger than its factors assume. Shards are smaller."""
    tree = unbox(tree)
    for name, leaf in zip(leaf_names(tree), jax.tree.leaves(tree), strict=True):
        shape = shapes.get(name, ())
        if len(shape) == np.ndim(leaf) and any(map(operator.lt, shape, np.shape(leaf))):
            raise ValueError(
                f"params[{name!r}] was {shape} in mup, but is {np.shape(leaf)} in init; give mup "
                "the parameters to train first, and then those of the small model"
            )


def _growth(
    name: str, shape: Shape, base: Shape, layout: Layout | None, stacked: tuple[int, ...]
) -> Growth:
    if len(shape) != len(base):
        raise ValueError(
            f"params[{name!r}] has the axes {shape}, but in base_params {base}; give models that "
            "differ in the sizes of axes only"
        )
    ratios = [a / b if a != b else 1.0 for a, b in zip(shape, base, strict=True)]
    layers = math.prod(ratios[i] for i in stacked)
    axes = [i for i in range(len(shape)) if i not in stacked]
    other = "vector" if len(axes) < 2 else other_kind(name)
    sides = {"inputs": 1.0, "outputs": 1.0}
    *_, rows, columns = layout.matrix if layout else ((), ())
    for position, i in enumerate(axes):
        if ratios[i] == 1:
            continue
        if layout is not None:  # a stack, such as that of fused heads, is none of both
            inside = [axis.name for axis in layout.axes[i] if axis.name in rows + columns]
            side = ("outputs" if inside[0] in rows else "inputs") if inside else None
        elif other is not None:
            side = "inputs" if other == "head" else "outputs"
        else:
            side = ("inputs", "outputs")[position] if len(axes) == 2 else None
        if side is None:
            raise ValueError(
                f"layouts: axis {i} of {name!r} grows from {base[i]} to {shape[i]}, but no layout "
                f"has it among the inputs or outputs. Write {{{name!r}: 'in out -> out in'}} with "
                "its axes, or adamjax.stacked_layouts for layers and experts"
            )
        sides[side] *= ratios[i]
    grown = (sides["inputs"] != 1, sides["outputs"] != 1)
    kinds = {(True, True): "hidden", (True, False): "output", (False, True): "input"}
    kind = kinds.get(grown, "constant" if layers == 1 else "depth")
    kind = "vector" if kind == "input" and other == "vector" else kind
    return Growth(kind, **sides, layers=layers)


def _factors(kind: str, row: MupRow, values: dict[str, Any]) -> dict[str, float]:
    """Return the factor of each setting that an optimizer has."""
    rate, mode = _rate(kind, row, values), values.get("decay_mode", "decoupled")
    factors = {"learning_rate": rate}
    if kind == "adam" or (kind in _ON_MATRICES and row.layout is None):
        size = 1 / (row.growth.layers * row.growth.outputs)  # of gradients
        factors |= {"eps": size, "eps_root": size**2}
    factors["weight_decay"] = rate ** _DECAY_POWERS.get(mode, -1)
    used = [name for name in factors if not (values.get(name) is None or is_zero(values[name]))]
    if "weight_decay" in used and mode == "l2" and kind != "sgd":
        raise ValueError(
            f"decay_mode: 'l2' does not transfer with kind={kind!r}, which rescales gradients; use "
            "'decoupled'"
        )
    return {name: factors[name] for name in used}


def _rate(kind: str, row: MupRow, values: dict[str, Any]) -> float:
    """Return the factor of the learning rate."""
    growth, layout = row.growth, row.layout
    n, m = growth.inputs, growth.outputs
    if kind == "sgd":
        return growth.layers * m / n
    if layout is None or kind not in _ON_MATRICES:
        return 1 / n
    (rows, columns), old = (layout.matrix_shapes(x)[0][-2:] for x in (row.shape, row.base_shape))
    if kind == "orthogonalized":
        style = lookup_or_suggest("style", values.get("style", "author"), PRESETS)
        scale = lookup_or_suggest("scale", values.get("scale") or style.scale, SCALES)
        return math.sqrt(m / n) * scale(*old) / scale(rows, columns)
    narrow = min(rows, columns) / min(old) if kind == "muonh" else 1.0
    return math.sqrt(m / n * narrow) / (growth.init * math.sqrt(n * m))
