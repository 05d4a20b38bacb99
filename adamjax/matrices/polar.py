"""The polar factor U Vᵀ of matrices X = U S Vᵀ, by iterated polynomials.

Each step (a, b, c) maps the singular values s to a s + b s³ + c s⁵ with matrix products only:

    X = X / ‖X‖
    R = X Xᵀ;  X = a X + (b R + c R²) X              in each step

The Gram iteration computes the same from products of the shorter side only:

    R = X Xᵀ;  Q = I
    P = a I + b R + c R²;  Q = Q P;  R = P R P       in each step
    X = Q X
"""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.checks import check_count, check_not_negative, lookup_or_suggest
from adamjax.moments import ZERO, Array, Scalar, divide, root

Triples = Sequence[Sequence[float]]


class Coefficients(NamedTuple):
    """The polynomials of an iteration, and the normalization that they are made for.

    Attributes:
      triples: (a, b, c) of the first steps.
      steps: number of steps.
      extend: triples of further steps, "repeat_last", "cycle" or "exact" for none.
      eps: ε of the normalization.
      eps_mode: "add", X / (s n + ε), or "clamp", X / max(s n, ε).
      safety: s, which keeps rounded singular values in the range of the polynomials.
      least_safety: the smallest s with which every matrix converges.
      precondition: n, a key of `PRECONDITIONS`.
    """

    triples: Triples
    steps: int
    extend: str = "repeat_last"
    eps: Scalar = 1e-7
    eps_mode: str = "add"
    safety: float = 1.0
    least_safety: float = 1.0
    precondition: str = "frobenius"


def _contract(triples: Triples, factor: float) -> Triples:
    """The polynomials of s / factor."""
    return tuple((a / factor, b / factor**3, c / factor**5) for a, b, c in triples)


_JORDAN = (3.4445, -4.775, 2.0315)
_CONTRACTING = (2.0, -1.5, 0.5)
_NEWTON_SCHULZ = (1.875, -1.25, 0.375)
_YOU = (
    (4.0848, -6.8946, 2.927),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)
_UNSAFE = (  # Polar Express, arXiv:2505.16932
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
)
_EXPRESS = (*_contract(_UNSAFE, 1.01), _NEWTON_SCHULZ)
_ROUNDED = tuple(tuple(round(number, 4) for number in triple) for triple in _EXPRESS)
_TIMM = (
    (8.237312490495555, -23.157747414558198, 16.680568411445915),
    (4.082441999064835, -2.893047735332586, 0.5252849256975648),
    (3.9263479922546582, -2.8547468034765298, 0.5318022422894988),
    (3.2982187133085143, -2.424541981026706, 0.48632008358844075),
    (2.2970369434552573, -1.63662558125903, 0.4002628455953627),
    (1.8763805351440397, -1.2347896577722228, 0.35891887501668385),
    (1.8564423485617974, -1.2132449880935525, 0.3568003487825883),
    (1.8749994008682747, -1.2499988017229169, 0.3749994008546422),
)
_TIMM_SAFER = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.0429299351667245, -2.808917465908704, 0.5000178451051299),
    (3.8916678022926563, -2.7724841532176825, 0.5060648178503389),
    (3.285753657755658, -2.3681294933425394, 0.46449024233003117),
    (2.3005307116270983, -1.6111665557258408, 0.3833374427545273),
    (1.8631210546382593, -1.2042160621002727, 0.3421879560523383),
    (1.8382572152247512, -1.1779263289537742, 0.3396513038637379),
    (1.8749999923301852, -1.2499999836060613, 0.374999991275876),
)
_102 = (*_TIMM_SAFER[:4], (2.3465413258596377, -1.7097828382687081, 0.42323551169305323))
_CANS = (
    (8.4703, -25.1081, 18.6293),
    (4.1828, -3.1087, 0.5806),
    (3.9619, -2.9541, 0.563),
    (3.2866, -2.4647, 0.5074),
    (2.2737, -1.6447, 0.4162),
)
_AOL = (
    (4.0098, -7.0585, 2.4635),
    (3.4585, -5.5479, 2.5959),
    (2.7573, -3.2939, 1.4254),
    (2.7215, -3.0494, 1.3169),
)
_CUBIC = (
    (3.3656576, -3.3420992, 0.0),
    (2.5744352, -1.4957376, 0.0),
    (2.5368962, -1.431257, 0.0),
    (2.4418906, -1.276404, 0.0),
    (2.2230472, -0.963065, 0.0),
)
# Polynomials with their authors' or users' normalization, but for two: `cans` would diverge in
# half precision, since its steps have no margin for rounding, and `aol` turns the sign of singular
# values above 0.88, which a matrix of rank one exceeds.
COEFFICIENTS = {
    "jordan": Coefficients((_JORDAN,), 5),
    "you": Coefficients(_YOU, 5, "cycle"),
    "polar_express": Coefficients(_EXPRESS, 5, safety=1.01),
    "polar_express_102": Coefficients(_102, 5, eps=1e-6, safety=1.02),
    "polar_express_105": Coefficients(_contract(_UNSAFE[:5], 1.05), 5),
    "polar_express_rounded": Coefficients(
        ((8.2051, *_ROUNDED[0][1:]), *_ROUNDED[1:]), 5, "repeat_last", 1e-15, "clamp"
    ),
    "polar_express_timm": Coefficients(_TIMM, 8, eps_mode="clamp"),
    "polar_express_timm_safer": Coefficients(_TIMM_SAFER, 5, eps_mode="clamp", safety=1.02),
    "cans": Coefficients(_contract(_CANS, 1.03), 5, "repeat_last", 1e-15, "clamp"),
    "aol": Coefficients(_AOL, 4, "cycle", 1e-15, "clamp", 1.18, 1.16, "aol"),
    "deepseek_v4": Coefficients((*[_JORDAN] * 8, _CONTRACTING), 10, "repeat_last", 1e-15, "clamp"),
    "cubic5": Coefficients(_CUBIC, 5, "exact", 1e-15, "clamp"),
    "contracting": Coefficients((_CONTRACTING,), 12),
    "newton_schulz_5": Coefficients((_NEWTON_SCHULZ,), 12, eps_mode="clamp"),
    "newton_schulz_3": Coefficients(((1.5, -0.5, 0.0),), 20, eps_mode="clamp"),
}


def _gram(x: Array) -> Array:
    return jnp.matmul(x, jnp.matrix_transpose(x), precision="highest")


def _norm(x: Array) -> Array:
    return root(jnp.sum(jnp.square(x), (-2, -1), keepdims=True))


# Bounds of the singular values of a matrix; with "aol" after each row is divided by its own.
PRECONDITIONS = {
    "frobenius": _norm,
    "spectral": lambda x: jnp.sqrt(jnp.linalg.eigvalsh(_gram(x))[..., -1:, None]),
    "schatten": lambda x: jnp.sqrt(_norm(_gram(x))),
    "aol": lambda x: jnp.sqrt(jnp.sum(jnp.abs(_gram(x)), -1, keepdims=True)),
}
_EPS_MODES = {"add": jnp.add, "clamp": jnp.maximum}
# Rounding errors of R grow by a² in each step of the Gram iteration, and negative eigenvalues then
# diverge. It restarts before they exceed these limits. Its authors restart at the same step in
# float16. Float32 takes five steps without.
_LARGEST_ERROR_HALF, _LARGEST_ERROR = 0.15, 0.03


def polar_factor(
    x: Array,
    coefficients: str | Triples | Coefficients = "jordan",
    *,
    steps: int | None = None,
    eps: Scalar | None = None,
    eps_mode: str | None = None,
    safety: float | None = None,
    precondition: str | None = None,
    dtype: Any = None,
    gram: str | bool | Sequence[int] = "auto",
) -> Array:
    """Return U Vᵀ, approximately, for each matrix U S Vᵀ.

    Zero stays zero. Singular values far below eps, or below the largest one, stay small. A matrix
    with an infinity or NaN becomes NaN without effect on others. An argument that is None takes the
    value that belongs to the coefficients.

    Args:
      x: floating-point array whose last two axes form matrices.
      coefficients: a key of `COEFFICIENTS`, a triple (a, b, c), a list of triples, or a record.
      steps: number of steps. Triples beyond it are not used.
      eps: ε of the normalization.
      eps_mode: "add", X / (s n + ε), or "clamp", X / max(s n, ε).
      safety: s, at least 1.
      precondition: n, "frobenius", ‖X‖; "spectral", the largest singular value; "schatten",
        √max(‖X Xᵀ‖, ε); "aol", √max(Σⱼ |X Xᵀ|ᵢⱼ, ε) of each row.
      dtype: dtype of the matrices, such as bfloat16. Sums and coefficients are at least float32.
        If None, float32 or the wider dtype of x. Float32 products use the highest precision: the
        default of TPU and GPU diverges between restarts. Bfloat16 runs and compiles faster there.
      gram: whether to use the Gram iteration, or the steps before which it restarts. "auto" uses it
        where it takes fewer operations, for sides with a ratio above 1.5.

    Raises:
      ValueError: for an x that has no matrices, or invalid arguments.

    >>> polar_factor(jnp.array([[4.0, 0.0], [0.0, -1.0]]), "newton_schulz_5").round(3).tolist()
    [[1.0, 0.0], [0.0, -1.0]]
    """
    changes = {"steps": steps, "eps": eps, "eps_mode": eps_mode, "safety": safety}
    method = resolve(coefficients, precondition=precondition, **changes)
    dtype = jnp.promote_types(x.dtype, jnp.float32) if dtype is None else jnp.dtype(dtype)
    for name, given in (("x", x.dtype), ("dtype", dtype)):
        if not jnp.issubdtype(given, jnp.floating):
            raise ValueError(f"{name} must be floating-point, got {given}")
    if x.ndim < 2:
        raise ValueError(f"x must have at least two axes, got shape {x.shape}")
    if x.size == 0:
        return x
    tall = x.shape[-2] > x.shape[-1]
    y = jnp.matrix_transpose(x) if tall else x
    triples = expand(method)
    restarts = _restarts(triples, gram, y.shape, dtype)
    y = _iterate(normalize(y, method).astype(dtype), triples, restarts).astype(x.dtype)
    return jnp.matrix_transpose(y) if tall else y


def resolve(coefficients: str | Triples | Coefficients, **changes: Any) -> Coefficients:
    """Return the record of coefficients with the changes that are not None, checked.

    >>> resolve("polar_express", steps=6).safety, resolve((2, -1.5, 0.5)).steps
    (1.01, 5)
    """
    if isinstance(coefficients, str):
        record = lookup_or_suggest("coefficients", coefficients, COEFFICIENTS)
    elif isinstance(coefficients, Coefficients):
        record = coefficients
    else:
        triples = np.atleast_2d(np.asarray(coefficients, float))
        if triples.ndim != 2 or triples.shape[-1] != 3:
            raise ValueError(
                "coefficients must be a name, a triple (a, b, c) or a list of triples, got "
                f"{coefficients!r}"
            )
        record = Coefficients(triples.tolist(), 5 if len(triples) == 1 else len(triples))
    method = record._replace(**{k: v for k, v in changes.items() if v is not None})
    check_count("steps", method.steps)
    check_not_negative("eps", method.eps)
    lookup_or_suggest("eps_mode", method.eps_mode, _EPS_MODES)
    lookup_or_suggest("precondition", method.precondition, PRECONDITIONS)
    for name, valid, needed in (
        ("steps", method.extend != "exact" or method.steps == record.steps, record.steps),
        ("safety", method.safety >= method.least_safety, f"at least {method.least_safety}"),
        (
            "precondition",
            record.precondition in ("frobenius", method.precondition),
            repr(record.precondition),
        ),
    ):
        if not valid:
            raise ValueError(
                f"{name} must be {needed} with coefficients={coefficients!r}, got "
                f"{getattr(method, name)!r}. To iterate nevertheless, pass the list of triples"
            )
    return method


def expand(method: Coefficients) -> Triples:
    """Return the triple of each step.

    >>> expand(resolve([(3, -3, 1), (2, -1.5, 0.5)], steps=3))
    [[3.0, -3.0, 1.0], [2.0, -1.5, 0.5], [2.0, -1.5, 0.5]]
    """
    size, cycle = len(method.triples), method.extend == "cycle"
    return [method.triples[i % size if cycle else min(i, size - 1)] for i in range(method.steps)]


def normalize(x: Array, method: Coefficients) -> Array:
    """Divide each matrix by its norm, in float32 and in units of its largest element.

    >>> normalize(jnp.array([[0.0, 3e38]]), COEFFICIENTS["jordan"]).tolist()
    [[0.0, 1.0]]
    """
    # Of a quarter: XLA multiplies by the reciprocal, which is lost where x is above 2¹²⁶.
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32)) / 4
    largest = jnp.max(jnp.abs(x), (-2, -1), keepdims=True, initial=ZERO)
    x = divide(x, largest)
    eps, eps_mode = jnp.asarray(method.eps, x.dtype), method.eps_mode
    if method.precondition in ("schatten", "aol"):  # ε is below the root, as in Optax
        eps, eps_mode = jnp.sqrt(eps), "clamp"
    bound = PRECONDITIONS[method.precondition](x) * method.safety
    return divide(x, _EPS_MODES[eps_mode](bound, divide(eps / 4, largest)))


def _restarts(triples: Triples, gram: Any, shape: tuple[int, ...], dtype: Any) -> list[int]:
    """The steps before which X is formed anew. They are all of them in the plain iteration."""
    steps = range(1, len(triples))
    if gram == "auto":
        # k steps r⨯c take k (4r²c + 2r³) operations; on the Gram matrix 4r²c + 8kr³ - 6r³.
        gram = 2 * shape[-1] > 3 * shape[-2]
    if not isinstance(gram, bool):
        if list(gram) != sorted({*gram} & {*steps}):
            raise ValueError(f"gram must be 'auto', a bool or increasing steps from 1, got {gram}")
        return list(gram)
    rounding = float(jnp.finfo(dtype).eps)
    limit = _LARGEST_ERROR_HALF if dtype.itemsize == 2 else _LARGEST_ERROR
    restarts, error = [], rounding
    for i in steps:
        error *= triples[i - 1][0] ** 2
        if not gram or error > limit:
            restarts.append(i)
            error = rounding
    return restarts


def _iterate(x: Array, triples: Triples, restarts: list[int]) -> Array:
    """Run all steps, with one loop for successive segments between restarts of the same length."""
    table = np.asarray(triples)
    lengths = np.diff([0, *restarts, len(triples)]).tolist()
    for length, group in itertools.groupby(lengths):
        count = len(list(group))
        head, table = table[: count * length], table[count * length :]
        segments = jnp.asarray(
            head.reshape(count, length, 3), jnp.promote_types(x.dtype, jnp.float32)
        )
        x, _ = jax.lax.scan(partial(_segment, not head[:, 2].any()), x, segments)
    return x


def _segment(cubic: bool, x: Array, triples: Array) -> tuple[Array, None]:
    """Run the steps between two restarts. `cubic` says that every c is 0."""
    dtype, wide = x.dtype, triples.dtype
    product = partial(_product, wide)

    def combine(factor: Array, y: Array, products: Any) -> Array:
        return (factor * y.astype(wide) + products).astype(dtype)

    r = product(x, jnp.matrix_transpose(x)).astype(dtype)
    if len(triples) == 1:
        a, b, c = triples[0]
        z = combine(b, r, 0 if cubic else c * product(r, r))
        return combine(a, x, product(z, x)), None

    def run(slots: Array, line: tuple) -> tuple[Array, None]:
        (out, *inputs), factor, factor_of_product = line
        y, left, right = (jax.lax.dynamic_index_in_dim(slots, i, 0, False) for i in inputs)
        new = combine(factor, y, factor_of_product * product(left, right))
        return jax.lax.dynamic_update_index_in_dim(slots, new, out, 0), None

    places, factors = np.split(np.asarray(_program(len(triples), cubic)), [4], 1)
    numbers = jnp.concatenate([jnp.ones(1, wide), triples.ravel()])[factors]
    q = jnp.broadcast_to(jnp.eye(r.shape[-1], dtype=dtype), r.shape)
    slots = jnp.stack([q, r, r, r])
    slots, _ = jax.lax.scan(run, slots, (places, *numbers.T))
    return product(slots[_Q], x).astype(dtype), None


def _product(wide: Any, left: Array, right: Array) -> Array:
    if left.dtype != jnp.float32:
        # Fused with slices of the carry, products take a TPU's compiler twice as long.
        left, right = jax.lax.optimization_barrier((left, right))
        return jnp.matmul(left, right, preferred_element_type=wide)
    plain = partial(jnp.matmul, precision="highest")
    return jax.lax.platform_dependent(left, right, tpu=product_of_parts, default=plain)


def product_of_parts(left: Array, right: Array) -> Array:
    """Return a float32 product of matrices as a TPU computes it, from products in bfloat16.

    Its compiler takes ten times as long for precision="highest" inside a loop (libtpu 0.0.51).

    >>> x = jnp.array([[1.0, 1e-5], [3.0, 1 / 3]])
    >>> float(jnp.max(jnp.abs(product_of_parts(x, x) - x @ x))) < 1e-6
    True
    """
    a, b = _parts(left), _parts(right)

    def add(total: Array, pair: Array) -> tuple[Array, None]:
        x, y = (
            jax.lax.dynamic_index_in_dim(z, i, 0, False) for z, i in ((a, pair[0]), (b, pair[1]))
        )
        return total + jnp.matmul(x, y, preferred_element_type=left.dtype), None

    pairs = jnp.array([(2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)])  # small terms first
    return jax.lax.scan(add, ZERO * left[..., :1] * right[..., :1, :], pairs)[0]


def _parts(x: Array) -> Array:
    """Return three bfloat16 arrays whose sum is x."""
    first = jax.lax.reduce_precision(x, 8, 7)  # XLA may omit casts
    second = jax.lax.reduce_precision(x - first, 8, 7)
    return jnp.stack([first, second, x - first - second]).astype(jnp.bfloat16)


_Q, _R, _Y, _Z = range(4)


def _program(steps: int, cubic: bool) -> list[tuple[int, ...]]:
    """Return the Gram iteration as lines (out, y, left, right, α, β) of out = α y + β left right.

    A loop over lines compiles one product. The factors are indices of (1, a, b, c, a, b, c, ...).
    P is a I + Z, or a I + b R if c is 0.
    """
    lines, z = [], _R if cubic else _Z
    for a, b, c in np.arange(1, 3 * steps + 1).reshape(steps, 3).tolist():
        one = b if cubic else 0
        lines += [] if cubic else [(_Z, _R, _R, _R, b, c)]
        lines += [(_Q, _Q, _Q, z, a, one), (_Y, _R, _R, z, a, one), (_R, _Y, z, _Y, a, one)]
    return lines[:-2]
