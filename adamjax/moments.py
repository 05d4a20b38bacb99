"""The algebra of moments: small pure functions on one array, shared by every rule.

Each takes and returns arrays of one floating dtype (float32, or float64 for float64 gradients) and
works element by element unless it says otherwise. `beta` is a `Beta`, an averaging coefficient b
together with the numbers that make it exact in float32.
"""

import math
from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array
Scalar = Any  # a Python number, or a scalar array
# Equal to 0, and yet not the 0 that loops start to sum gradients from: on GPU XLA would write that
# one to memory, once for each leaf, and read it here.
ZERO = -0.0


def common_dtype(*arrays: Any) -> Any:
    """The dtype to which arrays are promoted, also where strict promotion refuses it.

    >>> common_dtype(jnp.bfloat16(1), jnp.bfloat16(1)).name
    'bfloat16'
    """
    dtypes = {jnp.result_type(x) for x in arrays}
    return dtypes.pop() if len(dtypes) == 1 else reduce(np.promote_types, dtypes, np.float32)


class Beta(NamedTuple):
    """An averaging coefficient at the present step t.

    Attributes:
      value: b.
      one_minus: 1 - b. Kept apart because 1 - 0.9999 in float32 is wrong by 2e-4.
      neg_log: -log b.
      bias_correction: 1 - b₁b₂…b_t, the weight that an average from zero has gathered by now.

    The last two are None where a rule computes b.
    """

    value: Scalar
    one_minus: Scalar
    neg_log: Scalar = None
    bias_correction: Scalar = None


def ema(x: Array, average: Array, beta: Beta) -> Array:
    """Exponential moving average, a + (1 - b) (x - a).

    The increment form is exact in the long run where `b a + (1 - b) x` is biased by the rounding
    of b.

    >>> float(ema(jnp.float32(3.0), jnp.float32(1.0), Beta(0.5, 0.5, 0.69, 1.0)))
    2.0
    """
    return average + beta.one_minus * (x - average)


def debias(average: Array, beta: Beta) -> Array:
    """An average from zero, divided by the weight it has gathered: a / (1 - b₁b₂…b_t).

    >>> float(debias(jnp.float32(0.5), Beta(0.5, 0.5, 0.69, 0.5)))
    1.0
    """
    return average / beta.bias_correction


def divide(numerator: Array, denominator: Array, least: Scalar = 0.0) -> Array:
    """The quotient, and 0 where the denominator is 0: a moment of zeros asks for no step.

    `least` is a lower bound of the denominator. A positive number spares the choice.

    >>> divide(jnp.array([0.0, 3.0]), jnp.array([0.0, 2.0])).tolist()
    [0.0, 1.5]
    """
    # The derivative has the square of the denominator, which may underflow.
    if isinstance(least, float) and least > 1e-15:
        return numerator / denominator
    return _divide_or_zero(numerator, denominator)


@jax.custom_jvp
def _divide_or_zero(numerator: Array, denominator: Array) -> Array:
    nonzero = denominator != ZERO
    safe = jax.lax.select(nonzero, denominator, jnp.ones_like(denominator))
    # Of NaN and infinity the difference is NaN. See ZERO for the reason against a constant.
    return jnp.where(nonzero, numerator / safe, numerator - numerator)


@_divide_or_zero.defjvp
def _divide_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    quotient = divide(*primals)
    return quotient, divide(tangents[0] - quotient * tangents[1], primals[1])


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def root(x: Array, degree: int = 2) -> Array:
    """√x or ∛x, with the derivative 0 at 0, so that a step of zero gradients has a derivative.

    >>> float(root(jnp.float32(4.0))), float(jax.grad(root)(0.0))
    (2.0, 0.0)
    """
    return jnp.sqrt(x) if degree == 2 else jnp.cbrt(x)


@root.defjvp
def _root_jvp(degree: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    y = root(*primals, degree)
    return y, divide(tangents[0], degree * y ** (degree - 1))


def increment(count: Array) -> Array:
    """Add 1 to a count of steps. The largest number stays.

    >>> int(increment(jnp.int32(1))), int(increment(jnp.int32(2**31 - 1)))
    (2, 2147483647)
    """
    return jnp.minimum(count, jnp.iinfo(count.dtype).max - 1) + 1


def positive_part(x: Array, most: Scalar = jnp.inf) -> Array:
    """Return min(max(x, 0), most).

    >>> positive_part(jnp.array([-1.0, 0.5, 3.0]), 2.0).tolist()
    [-0.0, 0.5, 2.0]
    """
    return jnp.minimum(jnp.maximum(x, ZERO), most)


def nan_to_zero(x: Array) -> Array:
    """Replace NaN by 0.

    >>> nan_to_zero(jnp.array([jnp.nan, 3.0])).tolist()
    [-0.0, 3.0]
    """
    return jax.lax.select(x == x, x, jnp.full_like(x, ZERO))


def add_decay(u: Array, p: Array, weight_decay: Scalar | None) -> Array:
    """Return u + λ p, or u for a leaf that a mask excludes from weight decay.

    >>> add_decay(jnp.float32(1.0), jnp.inf, None)
    Array(1., dtype=float32)
    """
    return u if weight_decay is None else u + weight_decay * p


def clamp(x: Array) -> Array:
    """Finite values limited to the range whose squares, and a few sums of them, stay finite.

    ±2⁶³ in float32. Infinities and NaN pass: they are somebody's overflow and must stay visible.

    >>> clamp(jnp.array([1.0, 1e30, jnp.inf], jnp.float32)).tolist()
    [1.0, 9.223372036854776e+18, inf]
    """
    limit = 2.0 ** (jnp.finfo(x.dtype).maxexp // 2 - 1)
    return jax.lax.select(jnp.isfinite(x), jnp.minimum(jnp.maximum(x, -limit), limit), x)


def abs_sq(x: Array, nu: Array) -> Array:
    """|x|² in the shape of v: x², or the sum over a pair with one v for both, see `Slot.square`.

    >>> pair = jnp.array([[3.0, 4.0]])
    >>> abs_sq(pair, jnp.zeros((1, 2))).tolist(), abs_sq(pair, jnp.zeros((1, 1))).tolist()
    ([[9.0, 16.0]], [[25.0]])
    """
    square = x * x
    return square if x.shape == nu.shape else jnp.sum(square, -1, keepdims=True)


def modulus(x: Array, nu: Array) -> Array:
    """|x| in the shape of v, see `abs_sq`.

    >>> float(modulus(jnp.array([3.0, 4.0]), jnp.zeros(1))[0])
    5.0
    """
    return jnp.abs(x) if x.shape == nu.shape else norm(x, (-1,))


def rms(x: Array) -> Array:
    """Root mean square over the whole array, a scalar.

    >>> float(rms(jnp.array([3.0, -3.0])))
    3.0
    """
    return root(jnp.mean(jnp.square(x)))


def norm(x: Array, axes: tuple[int, ...] | None = None, order: int = 2) -> Array:
    """(Σ |x|ᵏ)^¹⁄ₖ over the whole array, a scalar, or over some axes, which stay with size 1.

    In units of the largest element, so that no power is infinite or lost. An infinity makes it NaN.

    >>> x = jnp.array([[3.0, -4.0]])
    >>> norm(x, (1,)).tolist(), float(norm(2.0**100 * x) / 2.0**100)
    ([[5.0]], 5.0)
    """
    keep = axes is not None
    largest = jnp.max(jnp.abs(x), axes, keepdims=keep, initial=ZERO)
    powers = jnp.sum(divide(x, largest) ** order, axes, keepdims=keep)
    return largest * jnp.maximum(powers, 1) ** (1 / order)  # below 1 only where all are 0


def variance(nu: Array, mean: Array) -> Array:
    """v - ḡ², at least 0, for averages v of g² and ḡ of g.

    >>> float(variance(jnp.float32(5.0), jnp.float32(2.0)))
    1.0
    """
    return jnp.maximum(nu - abs_sq(mean, nu), ZERO)  # rounding may take it below


def sqrt_eps_inside(nu: Array, eps: Scalar) -> Array:
    """√(v + ε): Keras's and Optax's RMSProp and Adagrad.

    >>> float(sqrt_eps_inside(jnp.float32(3.0), 1.0))
    2.0
    """
    return root(nu + eps)


def _plus(x: Array, term: Scalar) -> Array:
    """The sum, without an operation for the number 0."""
    return x if isinstance(term, float) and term == 0 else x + term


def denominator(nu: Array, step: Any) -> Array:
    """√(v / (1 - b₂ᵗ) + ε_root) + ε: Algorithm 1 of the Adam paper, torch and Optax.

    >>> from types import SimpleNamespace
    >>> step = SimpleNamespace(b2=Beta(0.5, 0.5, 0.69, 0.25), eps=1.0, eps_root=0.0)
    >>> float(denominator(jnp.float32(1.0), step))
    3.0
    """
    return root(_plus(debias(nu, step.b2), step.eps_root)) + step.eps


def denominator_eps_hat(nu: Array, step: Any) -> Array:
    """(√(v + ε_root) + ε) / √(1 - b₂ᵗ): the paper's "ε̂", TensorFlow and Keras.

    >>> from types import SimpleNamespace
    >>> step = SimpleNamespace(b2=Beta(0.5, 0.5, 0.69, 0.25), eps=1.0, eps_root=0.0)
    >>> float(denominator_eps_hat(jnp.float32(1.0), step))
    4.0
    """
    return (root(_plus(nu, step.eps_root)) + step.eps) / jnp.sqrt(step.b2.bias_correction)


def adam_update(mu: Array, nu: Array, step: Any) -> Array:
    """m̂ / (√(v̂ + ε_root) + ε), m̂ and v̂ free of bias."""
    return divide(debias(mu, step.b1), denominator(nu, step), step.eps)


def adam_update_eps_hat(mu: Array, nu: Array, step: Any) -> Array:
    """m̂ √(1 - b₂ᵗ) / (√(v + ε_root) + ε), with the ε̂ of the Adam paper."""
    return divide(debias(mu, step.b1), denominator_eps_hat(nu, step), step.eps)


def adam_update_no_bias_correction(mu: Array, nu: Array, step: Any) -> Array:
    """m / (√(v + ε_root) + ε), the raw averages."""
    return divide(mu, root(_plus(nu, step.eps_root)) + step.eps, step.eps)


def factored_axes(shape: tuple[int, ...], min_size: int, largest: bool) -> tuple[int, int] | None:
    """The two axes whose means stand for the whole second moment; None if it is kept whole.

    Args:
      shape: the parameter's.
      min_size: both axes have at least this size.
      largest: whether to take the two largest axes rather than the last two.

    >>> factored_axes((3, 3, 64, 128), 2, largest=False), factored_axes((256, 3, 128), 128, True)
    ((2, 3), (2, 0))
    """
    if len(shape) < 2 or 0 in shape:
        return None
    axes = sorted(range(len(shape)), key=lambda i: shape[i]) if largest else range(len(shape))
    row, col = axes[-2], axes[-1]
    return (row, col) if min(shape[row], shape[col]) >= min_size else None


def factored(
    q: Array, row: Array, col: Array, beta: Beta, axes: tuple[int, int], floor: Scalar
) -> tuple[Array, Array, Array]:
    """An average of q that keeps its row and column means only: V = R Cᵀ / max(mean(R), floor).

    Returns V and the new R and C, in which the averaged axis has size 1.

    >>> q, row, col = jnp.array([[1.0, 3.0]]), jnp.zeros((1, 1)), jnp.zeros((1, 2))
    >>> v, row, col = factored(q, row, col, Beta(0.5, 0.5, 0.69, 0.5), (0, 1), 0.0)
    >>> v.tolist(), row.tolist(), col.tolist()
    ([[0.5, 1.5]], [[1.0]], [[0.5, 1.5]])
    """
    row = ema(mean(q, axes[1]), row, beta)
    col = ema(mean(q, axes[0]), col, beta)
    return divide(row, jnp.maximum(mean(row, axes[0]), floor)) * col, row, col


def mean(x: Array, *axes: int) -> Array:
    """The mean along some axes, divided before it is summed so that huge squares stay finite.

    >>> mean(jnp.array([[1.0, 3.0]]), 0, 1).tolist()
    [[2.0]]
    """
    count = math.prod(x.shape[axis] for axis in axes)
    return jnp.sum(x / count, axes, keepdims=True)
