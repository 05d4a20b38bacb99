"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.

https://kellerjordan.github.io/posts/muon. A Newton-Schulz iteration replaces each matrix by the
nearest orthogonal matrix, so that all its singular values are about 1.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_dtype, lookup_or_suggest
from adamjax.matrices.distribute import map_layouts
from adamjax.matrices.polar import Coefficients, Triples, polar_factor, resolve
from adamjax.matrices.resolve import Layouts, resolve_layouts
from adamjax.modifiers.map_updates import auto_sharded
from adamjax.moments import Array, Scalar, clamp
from adamjax.rule import at_least_float32
from adamjax.trees import PyTree, flatten_floating

TOGETHER = 2**22  # bytes of the matrices that one product takes
SCALES = {  # functions of rows (outputs) and columns (inputs)
    "none": lambda rows, columns: 1.0,
    "aspect": lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "rms": lambda rows, columns: 0.2 * math.sqrt(max(rows, columns)),
    "rms_to_rms": lambda rows, columns: math.sqrt(rows / columns),
    "spectral": lambda rows, columns: math.sqrt(max(rows, columns)),
}


def orthogonalize(
    coefficients: str | Triples | Coefficients = "jordan",
    *,
    steps: int | None = None,
    eps: Scalar | None = None,
    scale: str = "none",
    layouts: Layouts = None,
    dtype: Any = None,
    wire_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Orthogonalize each matrix approximately, u ≈ U Vᵀ for u = U S Vᵀ.

        X = u / (‖u‖ + ε)
        A = X Xᵀ;  X = a X + (b A + c A²) X        in each step

    Matrices of the same shape are computed together. On a mesh each device computes whole matrices,
    with two exchanges of data in all. Use it in a chain, after a momentum.

    Args:
      coefficients: polynomials of the iteration: a key of `adamjax.matrices.polar.COEFFICIENTS`,
        such as "jordan" or "polar_express", a triple (a, b, c), a list of triples, or a record with
        other settings of the normalization.
      steps: number of steps. None is that of the coefficients.
      eps: ε. None is that of the coefficients.
      scale: factor of the result, with outputs as rows: "none", 1; "aspect", √max(1, rows /
        columns), the authors'; "rms", 0.2 √max(rows, columns), the root mean square of Adam's
        updates (arXiv:2502.16982); "rms_to_rms", √(rows / columns); "spectral", √max(rows,
        columns).
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`. Other
        parameters do not change.
      dtype: dtype of the products, such as "bfloat16". Sums are float32. None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.

    Returns:
      A transformation without state.

    Raises:
      ValueError: for invalid coefficients, scale or dtype; in `init`, for a parameter with three or
        more axes and no layout, or a layout that does not fit.

    >>> import jax.numpy as jnp
    >>> u = jnp.array([[4.0, 0.0], [0.0, -1.0]])
    >>> tx = orthogonalize(steps=10)
    >>> jnp.round(jnp.abs(tx.update(u, tx.init(u))[0])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_dtype("dtype", dtype, 2)
    check_dtype("wire_dtype", wire_dtype)
    method = resolve(coefficients, steps=steps, eps=eps)
    factor = lookup_or_suggest("scale", scale, SCALES)

    @jax.jit  # a loop outside of jit compiles at every step
    def function(stack: Array) -> Array:
        count, size = len(stack), stack.nbytes // len(stack)
        # One after another, large matrices need less memory, and on CPU less time.
        steps = -(-count // max(1, TOGETHER // size))
        stack = jnp.pad(stack, ((0, -count % steps), (0, 0), (0, 0)))
        parts = stack.reshape(steps, -1, *stack.shape[1:])

        def run(x: Array) -> Array:
            polar = polar_factor(clamp(x), method, dtype=dtype)
            return polar * factor(*polar.shape[-2:])

        return jax.lax.map(run, parts).reshape(stack.shape)[:count]

    def init(params: PyTree) -> optax.EmptyState:
        flatten_floating("params", params, real=True)
        resolve_layouts(params, layouts)
        return optax.EmptyState()

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del params, extra_args
        leaves, treedef = flatten_floating("updates", updates, real=True)
        chosen = resolve_layouts(updates, layouts)
        change = partial(map_layouts, function, layouts=chosen, wire_dtype=wire_dtype)
        new = auto_sharded(change, [u.astype(at_least_float32(u.dtype)) for u in leaves])
        return treedef.unflatten(
            [x.astype(u.dtype) for x, u in zip(new, leaves, strict=True)]
        ), state

    return optax.GradientTransformationExtraArgs(init, update)
