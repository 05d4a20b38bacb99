"""The subject of the checks, and the comparisons that every check is made of."""

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamjax.trees import PyTree, leaf_name

# Errors that a transformation may raise when it breaks a promise. All others pass through.
FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Subject(NamedTuple):
    """A transformation and the facts that a check needs about it.

    Attributes:
      tx: the transformation.
      params: parameters that it accepts, with real floating-point leaves. Checks vary the dtypes.
      needs_params: whether `update` requires the parameters.
      leafwise: whether each leaf is updated independently. False for a clip by the global norm.
      factory: a function that makes such a transformation, with a default for each argument.
      static_args: the arguments of `factory` that `optax.inject_hyperparams` must not inject.
    """

    tx: optax.GradientTransformation
    params: PyTree
    needs_params: bool = False
    leafwise: bool = True
    factory: Callable[..., optax.GradientTransformation] | None = None
    static_args: tuple[str, ...] = ()


class NotApplicable(Exception):
    """Raised by a check that does not apply to this transformation here, with the reason."""


def conformance(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Turn every failure of a check into an AssertionError that starts with the check's name."""

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
    """Import an optional module, or raise NotApplicable if it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise NotApplicable(f"{error.name} is not installed") from error


def sample_params() -> PyTree:
    """Return a matrix, a vector and a scalar."""
    kernel = jnp.linspace(-1.0, 1.0, 12, dtype=jnp.float32).reshape(4, 3)
    bias = jnp.asarray([0.5, -2.0, 0.25], jnp.float32)
    return {"dense": {"bias": bias, "kernel": kernel}, "scale": jnp.float32(1.5)}


def sample_gradients(params: PyTree, steps: int = 3, seed: int = 0) -> list[PyTree]:
    """Draw a normal gradient for each step, with the parameters' shapes and dtypes."""
    rng = np.random.default_rng(seed)

    def draw(param: Any) -> jax.Array:
        return jnp.asarray(rng.normal(size=jnp.shape(param)), jnp.result_type(param))

    return [jax.tree.map(draw, params) for _ in range(steps)]


def floats() -> list[Any]:
    """List the dtypes of parameters and gradients, with float64 if JAX enables it."""
    x64 = jnp.result_type(float) == jnp.float64
    return [jnp.float32, jnp.bfloat16, jnp.float16, *([jnp.float64] if x64 else [])]


def cast(tree: PyTree, dtype: Any) -> PyTree:
    """Cast every leaf to a dtype."""
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), tree)


def full(tree: PyTree, value: float) -> PyTree:
    """Set every element to one value."""
    return jax.tree.map(lambda x: jnp.full_like(x, value), tree)


def only_first(tree: PyTree) -> PyTree:
    """Replace every leaf but the first by None."""
    leaves, treedef = jax.tree.flatten(tree)
    return treedef.unflatten([*leaves[:1], *([None] * (len(leaves) - 1))])


def train(
    update: Callable[..., Any], params: PyTree, state: Any, gradients: Sequence[PyTree]
) -> tuple[PyTree, Any]:
    """Return the parameters and the state after one step per gradient."""
    for gradient in gradients:
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def named_leaves(tree: PyTree) -> list[tuple[str, Any]]:
    """List the leaves with their names."""
    return [(leaf_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def values_of(leaf: Any) -> np.ndarray:
    """Convert a leaf to float64, and a random key to its words."""
    if jnp.issubdtype(jnp.result_type(leaf), jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf, np.float64)


def expect(condition: Any, message: str) -> None:
    """Raise AssertionError with this message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def expect_same_layout(label: str, actual: PyTree, expected: PyTree) -> None:
    """Raise AssertionError unless two trees have the same nodes, shapes and dtypes."""
    nodes = jax.tree.structure(actual), jax.tree.structure(expected)
    expect(nodes[0] == nodes[1], f"{label} has the tree {nodes[0]}, not {nodes[1]}")
    for (name, leaf), other in zip(named_leaves(actual), jax.tree.leaves(expected), strict=True):
        layouts = [f"{jnp.result_type(x)}{list(jnp.shape(x))}" for x in (leaf, other)]
        expect(layouts[0] == layouts[1], f"{label} [{name}] is {layouts[0]}, not {layouts[1]}")


def expect_same(label: str, actual: PyTree, expected: PyTree) -> None:
    """Raise AssertionError unless two trees are equal bit for bit. NaN equals NaN."""
    expect_same_layout(label, actual, expected)
    for (name, leaf), other in zip(named_leaves(actual), jax.tree.leaves(expected), strict=True):
        a, b = values_of(leaf), values_of(other)
        expect(np.array_equal(a, b, equal_nan=True), f"{label} [{name}] is {a}, not {b}")


def expect_close(label: str, actual: PyTree, expected: PyTree, start: PyTree = None) -> None:
    """Raise AssertionError unless two trees are equal up to XLA's fusion and reordering.

    Floating-point leaves may differ by 32 units in the last place of the leaf's largest element,
    now or at the `start`: a parameter that approaches 0 keeps the rounding error of its first step.
    """
    expect_same_layout(label, actual, expected)
    columns = map(jax.tree.leaves, (expected, expected if start is None else start))
    for (name, leaf), other, first in zip(named_leaves(actual), *columns, strict=True):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            expect_same(label, {name: leaf}, {name: other})
            continue
        a, b = values_of(leaf), values_of(other)
        magnitudes = np.concatenate([np.ravel(b), np.ravel(values_of(first))])
        largest = np.max(np.abs(magnitudes), initial=0.0, where=np.isfinite(magnitudes))
        tolerance = 32 * largest * jnp.finfo(jnp.result_type(leaf)).eps
        close = np.allclose(a, b, 0, tolerance, equal_nan=True)
        expect(close, f"{label} [{name}] is {a}, not {b}")


def expect_finite(label: str, tree: PyTree) -> None:
    """Raise AssertionError that names the first leaf with an infinity or NaN."""
    for name, leaf in named_leaves(tree):
        values = values_of(leaf)
        expect(np.all(np.isfinite(values)), f"{label} [{name}] is {values}")
