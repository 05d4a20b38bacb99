"""The layout of each parameter of a model: by path, by framework or by default."""

import contextlib
import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

import jax

from adamjax.checks import lookup_or_suggest
from adamjax.matrices.layout import Axis, Layout, Shape, parse_layout
from adamjax.trees import (
    PyTree,
    Stacked,
    align_columns,
    check_patterns,
    check_stacked,
    has_masked,
    leaf_names,
    matches,
    stack_axes_of,
    unbox,
)

_QKV, _OUT = "embed heads dim -> (heads dim) embed", "heads dim embed -> embed (heads dim)"
_TORCH = (
    (r"/in_proj_weight", "(qkv=3 out) in -> qkv out in"),
    (r"/weight\w*", "out in -> out in"),
    (r"conv[^/]*/weight", "out in w -> out (in w)", "out in h w -> out (in h w)"),
)
# Patterns of the end of a path and layouts. The first layout with the axes of the leaf applies. A
# kernel with five axes may be a stack, so it has none.
LAYOUTS = {
    "flax": (
        (r"/(query|key|value)/kernel", _QKV),
        (r"/out/kernel", _OUT),
        (r"conv[^/]*/kernel", "w in out -> out (w in)", "h w in out -> out (h w in)"),
    ),
    "maxtext": (  # Axis 1 of a scanned leaf stacks the layers.
        (
            r"/(o_a_proj/kernel|(MoeBlock_0|moe_block|routed_experts)/w[io]\w*)",
            "groups in out -> groups out in",
            "groups layers in out -> groups layers out in",
        ),
        (
            r"attention[^/]*/(query|key|value|wq_b|wkv_b|wkv|[qkv]_proj)/kernel",
            _QKV,
            "embed layers heads dim -> layers (heads dim) embed",
        ),
        (r"/self_attention/out/kernel", _OUT),
        (r"attention[^/]*/out/kernel", "heads layers dim embed -> layers embed (heads dim)"),
        (r"(?<!conv1d)/kernel", "in layers out -> layers out in"),
    ),
    "equinox": _TORCH,
    "torch": _TORCH,
}
# Words in a path, in snake case, of leaves with two axes that are no matrices.
_OTHER = {
    "vector": r"""(?<![a-z])(bias|scale)(?![a-z])[^/]*$  # in the last component
    | norm[_\d]*(/[^/]+)?$  # in the last two
    | /(a_log|hc_base|sinks|tid2eid|(pre|post|res)_beta)$  # of MaxText""",
    "embedding": r"""(?<!un)(?<!un_)emb(s|ed|edder|edding|eddings)?(?![a-z]|_out(/|$))
    | (?<![a-z])(wte|wpe)(?![a-z]) | (?<![a-z])pos(itions?|itional)?(?![a-z]|_wise)""",
    "head": r"""(?<![a-z])logits(?![a-z]) | un_?emb(ed|edder|edding|eddings)?(?![a-z])
    | emb(ed|edding)?_out(/|$)
    | (?<![a-z])(?<!multi_)head[_\d]*(/|$)  # lm_head, but not multi_head and heads""",
}
LISTED = 7  # further parameters without a layout that an error lists


class _NoLayoutError(ValueError):
    """A parameter with three or more axes has no layout."""


# Any: a `Layout`, `StackedLayouts` or `optax.contrib.MuonDimensionNumbers`.
Layouts = str | Mapping[str, Any] | Callable[[PyTree], PyTree] | Any | None
_DEFAULT: ContextVar[Any] = ContextVar("default_layouts", default=None)


@contextlib.contextmanager
def set_during(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """Set a context variable. It is a context manager and a decorator of functions."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


default_layouts = partial(set_during, _DEFAULT)  # for transformations that have none


class StackedLayouts(NamedTuple):
    """Layouts of leaves with more axes, which `stacked_layouts` returns."""

    stacked: Stacked
    layouts: Any


def stacked_layouts(stacked: Stacked, layouts: Any = None) -> StackedLayouts:
    """Return the layouts of modules that `scan` or `vmap` stacks.

    Args:
      stacked: from patterns of paths to the axis that stacks modules, or to several: {"blocks/*":
        0}. The first match applies. The same dict is an argument of `adamjax.per_layer`,
        `adamjax.track` and `adamjax.groups`.
      layouts: layouts of one module and of the other parameters, in any form that
        `adamjax.matrix_layouts` accepts.

    Returns:
      Layouts for `adamjax.matrix_layouts`.

    Raises:
      TypeError: if `stacked` is not a dict from patterns to axes.

    >>> params = {"blocks": {"bias": jax.numpy.ones((3, 5)), "kernel": jax.numpy.ones((3, 4, 5))}}
    >>> print(matrix_layouts(params, stacked_layouts({"blocks/*": 0}, "flax")))
    parameter      shape      layout                         matrices
    blocks/bias    (3, 5)     other
    blocks/kernel  (3, 4, 5)  stack in out -> stack out in   3 x 5 x 4
    """
    check_stacked("stacked", stacked)
    return StackedLayouts(stacked, layouts)


class LayoutRow(NamedTuple):
    """A parameter, its layout (None if it has no matrix) and the shapes of its matrices."""

    parameter: str
    shape: Shape
    layout: Layout | None
    matrices: list[Shape]


class LayoutTable(tuple[LayoutRow, ...]):
    """A `LayoutRow` for each parameter. `str` aligns them in columns."""

    __slots__ = ()

    def __str__(self) -> str:
        rows = [LayoutRow._fields]
        for name, shape, layout, matrices in self:
            sizes = [(math.prod(s[:-2]), *s[-2:])[len(s) == 2 :] for s in matrices]
            blocks = " + ".join(" x ".join(map(str, size)) for size in sizes)
            rows.append((name, str(shape), str(layout or "other"), blocks))
        return align_columns(rows)


def matrix_layouts(params: PyTree, layouts: Any = None) -> LayoutTable:
    """Return a table of the parameters that are trained as matrices, and of their matrices.

    Without a layout, a parameter with two axes is a matrix (inputs, outputs), unless its path names
    a bias, scale, normalization, embedding, position, head or logits.

    Args:
      params: arrays or `jax.ShapeDtypeStruct`.
      layouts: None, or one of the following for all parameters:

        - a layout in the notation of einops, "in heads dim -> (heads dim) in": the last two entries
          are the rows (outputs) and columns (inputs), those before them a stack of matrices.
          "(qkv=3 out)" is an axis of equal blocks, "out=512+128+128" one of unequal blocks;
        - "other", for parameters that are not matrices;
        - "flax", "maxtext", "equinox" or "torch", for the layers of a framework;
        - `adamjax.stacked_layouts`, for layers under `scan`;
        - `optax.contrib.MuonDimensionNumbers`;
        - a dict from patterns of paths to any of these, in which the first match applies, such as
          {"head/kernel": "in out -> out in", "*": "flax"};
        - a function from the parameters to a tree of these.

    Returns:
      A tuple of rows. `print` aligns it.

    Raises:
      ValueError: for a parameter with three or more axes and no layout, a layout that does not fit,
        or the path of a parameter that does not exist.

    >>> params = {"head": jax.numpy.ones((12, 9)), "query": jax.numpy.ones((12, 2, 8))}
    >>> print(matrix_layouts(params, {"query": "embed heads dim -> heads dim embed"}))
    parameter  shape       layout                              matrices
    head       (12, 9)     other
    query      (12, 2, 8)  embed heads dim -> heads dim embed  2 x 8 x 12
    """
    named = _named_shapes(params)
    return LayoutTable(
        LayoutRow(name, shape, layout, layout.matrix_shapes(shape) if layout else [])
        for (name, shape), layout in zip(named, resolve_layouts(params, layouts), strict=True)
    )


def resolve_layouts(params: PyTree, layouts: Any = None) -> list[Layout | None]:
    """Return the layout of each leaf, None for an empty leaf or one that is no matrix."""
    layouts = _DEFAULT.get() if layouts is None else layouts
    chosen, missing = [], []
    for name, shape, value in _named_values(params, layouts):
        try:
            chosen.append(_resolve(name, shape, value))
        except _NoLayoutError as error:
            line = f"\n  {name!r} of shape {shape}: {_lines(name, shape)[0]}"
            missing.append(line if missing else str(error))
    if missing:
        first, *others = missing
        also = f"\nOther parameters need a layout too, {len(others)} in all:" if others else ""
        more = f"\n  and {len(others) - LISTED} more" if len(others) > LISTED else ""
        raise ValueError("".join([first, also, *others[:LISTED], more]))
    return chosen


def _named_values(params: PyTree, layouts: Any) -> list[tuple[str, Shape, Any]]:
    """Return the path, the shape and the layout, in any form, of each leaf."""
    named = _named_shapes(params)
    values = [layouts] * len(named)
    if isinstance(layouts, StackedLayouts):
        check_patterns("stacked", tuple(layouts.stacked), params)
    if callable(layouts):
        tree = layouts(params)
        try:
            tree = jax.tree.structure(params).flatten_up_to(tree)
        except ValueError as error:
            raise ValueError(
                f"layouts: the function must return a layout for each leaf: {error}"
            ) from None
        values = ["other" if value is None else value for value in tree]
    elif isinstance(layouts, Mapping) and named and not has_masked(params):
        names = [name for name, _ in named]
        for pattern in layouts:
            if not re.search(r"[*?\[!]", pattern) and pattern not in names:
                nearest = difflib.get_close_matches(pattern, names) or names[:3]
                raise ValueError(f"layouts: no parameter matches {pattern!r}; see {nearest}")
    return [(*row, value) for row, value in zip(named, values, strict=True)]


def _named_shapes(params: PyTree) -> list[tuple[str, Shape]]:
    arrays = unbox(params)
    shapes = [tuple(getattr(x, "shape", ())) for x in jax.tree.leaves(arrays)]
    return list(zip(leaf_names(arrays), shapes, strict=True))


def _resolve(name: str, shape: Shape, layouts: Any) -> Layout | None:
    try:
        layout = _lookup(name, shape, layouts)
        if layout is not None:
            layout.sizes(shape)
        return None if 0 in shape else layout
    except ValueError as error:
        lines = "".join(f"\n  {line}" for line in _lines(name, shape))
        raise type(error)(
            f"layouts: {name!r} of shape {shape}: {error}. Write one of these lines:{lines}"
        ) from None


def _lookup(name: str, shape: Shape, layouts: Any) -> Layout | None:
    for layout in () if layouts is None else _matching(name, shape, layouts):
        return layout
    if _is_other(name, shape):
        return None
    if len(shape) > 2:
        raise _NoLayoutError("no layout says which axes form its matrices")
    return parse_layout("in out -> out in")


def _matching(name: str, shape: Shape, layouts: Any) -> Iterator[Layout | None]:
    """Yield the layouts that apply to a leaf, None for "other"."""
    if layouts is None or isinstance(layouts, Layout):
        yield layouts
    elif isinstance(layouts, str):
        yield from _named(name, shape, layouts)
    elif isinstance(layouts, Mapping):
        for pattern, value in layouts.items():
            if matches(name, [pattern]):
                yield from _matching(name, shape, value)
    elif isinstance(layouts, StackedLayouts):
        axes = stack_axes_of("stacked", layouts.stacked, name, shape)
        inner = tuple(size for i, size in enumerate(shape) if i not in axes)
        layout = _lookup(name, inner, layouts.layouts)
        for i in axes:
            layout = None if layout is None else _stack(layout, i)
        yield layout
    # A class that Optax 0.2.5 does not have. MaxText's adds a sharding.
    elif {*getattr(layouts, "_fields", ())} - {"sharding"} == {"reduction_axis", "output_axis"}:
        yield _from_optax(layouts, len(shape))
    else:
        raise ValueError(f"{layouts!r} is not a layout")


def _named(name: str, shape: Shape, text: str) -> Iterator[Layout | None]:
    if "->" in text:
        yield parse_layout(text)
        return
    rules = lookup_or_suggest("layout", text, {**LAYOUTS, "other": ()})
    if text == "other" or _is_other(name, shape):
        yield None
    for pattern, *texts in rules:
        if re.search(f"(?i){pattern}$", "/" + name.replace(".", "/")):
            yield from (x for x in map(parse_layout, texts) if len(x.axes) == len(shape))


def _is_other(name: str, shape: Shape) -> bool:
    return len(shape) < 2 or other_kind(name) is not None


def other_kind(name: str) -> str | None:
    """Return whether a path names a "vector", an "embedding" or a "head", None if none of them.

    >>> other_kind("lm_head/kernel"), other_kind("head.bias"), other_kind("mlp/kernel")
    ('head', 'vector', None)
    """
    snake = "/" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace(".", "/")).lower()
    kinds = (kind for kind, text in _OTHER.items() if re.search(text, snake, re.VERBOSE))
    return next(kinds, None)


def _stack(layout: Layout, axis: int) -> Layout:
    """Return the layout of a leaf with one more axis, the first of its matrices."""
    name = next(n for n in map("stack{}".format, ("", *range(2, 9))) if n not in layout.names)
    axes = (*layout.axes[:axis], (Axis(name),), *layout.axes[axis:])
    return Layout(axes, ((name,), *layout.matrix))


def _from_optax(numbers: Any, n: int) -> Layout:
    """Return the layout of `optax.contrib.MuonDimensionNumbers` for n axes."""
    try:
        columns, rows = (
            [range(n)[i] for i in (axes if isinstance(axes, Sequence) else (axes,))]
            for axes in (numbers.reduction_axis, numbers.output_axis)
        )
    except IndexError:
        raise ValueError(f"{numbers} has an axis that the parameter does not have") from None
    stack = [(f"axis{i}",) for i in range(n) if i not in rows + columns]
    groups = [tuple(f"axis{i}" for i in axes) for axes in (rows, columns)]
    return Layout(tuple((Axis(f"axis{i}"),) for i in range(n)), (*stack, *groups))


def _lines(name: str, shape: Shape) -> list[str]:
    """Return layouts to write for a leaf. Those of "maxtext" are for too many leaves."""
    known = ((key, next(_named(name, shape, key), None)) for key in ("flax", "equinox", "torch"))
    return [f"{{'*': {key!r}}}  {layout}" for key, layout in known if layout] + [
        f"{{{name!r}: {line}" for line in _examples(len(shape))
    ]


def _examples(n: int) -> list[str]:
    """Return layouts of n axes, and the matrices that they describe."""
    stack, inputs, outputs = (
        " ".join(f"{axis}{i}" for i in range(1, end))
        for axis, end in (("stack", n - 1), ("in", n), ("out", n))
    )
    matrices = ["'in out -> out in'}  a matrix"] * (n == 2) + [
        f"'{stack} in out -> {stack} out in'}}  a stack of matrices",
        f"'{inputs} out -> out ({inputs})'}}  one matrix",
        f"'in {outputs} -> ({outputs}) in'}}  one matrix",
        f"'out {inputs} -> out ({inputs})'}}  one matrix",
    ] * (n > 2)
    return [*matrices, "'other'}  no matrix"]
