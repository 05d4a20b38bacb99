"""What is tested, and the comparisons that every check is made of."""

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.trees import PyTree, leaf_name

# What a transformation that breaks a promise may raise; the rest is not its doing.
FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Subject(NamedTuple):
    """A transformation, and what a check must know of it.

    Attributes:
      tx: the transformation.
      params: parameters that it accepts, with real floating-point leaves; their dtypes are varied.
      needs_params: whether `update` cannot do without the parameters.
      leafwise: whether each leaf is treated by itself. False for a clip by the global norm, say.
      factory: makes such a transformation, all its arguments having defaults.
      static_args: the arguments of `factory` that `optax.inject_hyperparams` must leave alone.
    """

    tx: optax.GradientTransformation
    params: PyTree
    needs_params: bool = False
    leafwise: bool = True
    factory: Callable[..., optax.GradientTransformation] | None = None
    static_args: tuple[str, ...] = ()


class NotApplicable(Exception):
    """Raised by a check that cannot say anything about this transformation, here; says why."""


def conformance(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Makes every failure of a check an AssertionError that begins with the check's name."""

    @functools.wraps(check)
    def named(subject: Subject) -> None:
        try:
            check(subject)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error
        except FAILURES as error:
            raise AssertionError(
                f"{check.__name__}: raised {type(error).__name__}: {error}"
            ) from error

    return named


def library(name: str) -> Any:
    """An optional module; NotApplicable where it is not installed.

    >>> library("json").dumps({})
    '{}'
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise NotApplicable(f"{error.name} is not installed") from error


def sample_params() -> PyTree:
    """A matrix, a vector and a scalar.

    >>> sorted(sample_params())
    ['dense', 'scale']
    """
    kernel = jnp.linspace(-1.0, 1.0, 12, dtype=jnp.float32).reshape(4, 3)
    bias = jnp.asarray([0.5, -2.0, 0.25], jnp.float32)
    return {"dense": {"bias": bias, "kernel": kernel}, "scale": jnp.float32(1.5)}


def sample_gradients(params: PyTree, steps: int = 3, seed: int = 0) -> list[PyTree]:
    """For each step a gradient of the parameters' shapes and dtypes, normally distributed.

    >>> first, second = sample_gradients({"w": jnp.zeros(2, jnp.bfloat16)}, steps=2)
    >>> first["w"].shape, first["w"].dtype == jnp.bfloat16
    ((2,), True)
    """
    rng = np.random.default_rng(seed)
    return [
        jax.tree.map(lambda p: jnp.asarray(rng.normal(size=jnp.shape(p)), dtype_of(p)), params)
        for _ in range(steps)
    ]


def dtype_of(leaf: Any) -> Any:
    """The dtype of an array, number or shape.

    >>> dtype_of(jnp.zeros(2, jnp.float16))
    dtype('float16')
    """
    return jnp.result_type(leaf)


def floats() -> list[Any]:
    """The dtypes that parameters and gradients come in; float64 where JAX has it switched on.

    >>> jnp.bfloat16 in floats()
    True
    """
    x64 = jnp.result_type(float) == jnp.float64
    return [jnp.float32, jnp.bfloat16, jnp.float16, *([jnp.float64] if x64 else [])]


def cast(tree: PyTree, dtype: Any) -> PyTree:
    """The tree with leaves of this dtype.

    >>> cast({"w": jnp.ones(1)}, jnp.bfloat16)["w"].dtype == jnp.bfloat16
    True
    """
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), tree)


def full(tree: PyTree, value: float) -> PyTree:
    """The tree with every element set to one value.

    >>> full({"w": jnp.ones(2)}, 3.0)["w"].tolist()
    [3.0, 3.0]
    """
    return jax.tree.map(lambda x: jnp.full_like(x, value), tree)


def only_first(tree: PyTree) -> PyTree:
    """The tree with None for every leaf but the first.

    >>> only_first({"a": 1, "b": 2})
    {'a': 1, 'b': None}
    """
    leaves, treedef = jax.tree.flatten(tree)
    return treedef.unflatten([*leaves[:1], *([None] * (len(leaves) - 1))])


def train(
    update: Callable[..., Any], params: PyTree, state: Any, gradients: Sequence[PyTree]
) -> tuple[PyTree, Any]:
    """Parameters and state after a step for each gradient.

    >>> tx = optax.sgd(0.5)
    >>> train(tx.update, jnp.float32(1.0), tx.init(jnp.float32(1.0)), [jnp.float32(1.0)])[0].item()
    0.5
    """
    for gradient in gradients:
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def named_leaves(tree: PyTree) -> list[tuple[str, Any]]:
    """The leaves, each with its name.

    >>> named_leaves({"a": {"b": 1}})
    [('a/b', 1)]
    """
    return [(leaf_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def values_of(leaf: Any) -> np.ndarray:
    """The numbers in a leaf, in float64; of a random key its words.

    >>> values_of(jnp.bfloat16(0.5))
    array(0.5)
    """
    if jnp.issubdtype(dtype_of(leaf), jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf, np.float64)


def expect(condition: Any, message: str) -> None:
    """Raises AssertionError with this message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def expect_same_layout(what: str, seen: PyTree, wanted: PyTree) -> None:
    """Raises AssertionError unless two trees have the same nodes, shapes and dtypes."""
    nodes = jax.tree.structure(seen), jax.tree.structure(wanted)
    expect(nodes[0] == nodes[1], f"{what} has the tree {nodes[0]}, not {nodes[1]}")
    for (name, leaf), other in zip(named_leaves(seen), jax.tree.leaves(wanted), strict=True):
        layouts = [f"{dtype_of(x)}{list(jnp.shape(x))}" for x in (leaf, other)]
        expect(layouts[0] == layouts[1], f"{what} [{name}] is {layouts[0]}, not {layouts[1]}")


def expect_same(what: str, seen: PyTree, wanted: PyTree) -> None:
    """Raises AssertionError unless two trees are equal, bit for bit; NaN equals NaN."""
    expect_same_layout(what, seen, wanted)
    for (name, leaf), other in zip(named_leaves(seen), jax.tree.leaves(wanted), strict=True):
        a, b = values_of(leaf), values_of(other)
        expect(np.array_equal(a, b, equal_nan=True), f"{what} [{name}] is {a}, not {b}")


def expect_close(what: str, seen: PyTree, wanted: PyTree, start: PyTree = None) -> None:
    """Raises AssertionError unless two trees are equal up to how XLA fuses and reorders.

    Floating-point leaves may differ by 32 units in the last place of the leaf's largest element, or
    of the largest that it had at the `start`: a parameter that comes near 0 keeps its first error.
    """
    expect_same_layout(what, seen, wanted)
    leaves = map(jax.tree.leaves, (wanted, wanted if start is None else start))
    for (name, leaf), other, first in zip(named_leaves(seen), *leaves, strict=True):
        if not jnp.issubdtype(dtype_of(leaf), jnp.floating):
            expect_same(what, {name: leaf}, {name: other})
            continue
        a, b = values_of(leaf), values_of(other)
        known = np.concatenate([np.ravel(b), np.ravel(values_of(first))])
        size = np.max(np.abs(known), initial=0.0, where=np.isfinite(known))
        close = np.allclose(a, b, 0, 32 * size * jnp.finfo(dtype_of(leaf)).eps, equal_nan=True)
        expect(close, f"{what} [{name}] is {a}, not {b}")


def expect_finite(what: str, tree: PyTree) -> None:
    """Raises AssertionError that names the first leaf with an infinity or NaN."""
    for name, leaf in named_leaves(tree):
        values = values_of(leaf)
        expect(np.all(np.isfinite(values)), f"{what} [{name}] is {values}")
