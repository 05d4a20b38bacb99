"""Problems whose parameters are matrices, one or two, as the layers of networks are."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.problems.problem import Array, Params, Problem, noise

SIZE, RANK, ROWS = 8, 4, 64


@functools.cache
def random(name: str, *shape: int) -> np.ndarray:
    """Standard normal numbers, the same at each call of the same name and shape.

    >>> random("a", 2, 3).shape, bool((random("a", 2) == random("b", 2)).any())
    ((2, 3), False)
    """
    return np.random.default_rng(list(name.encode())).normal(size=shape).astype(np.float32)


@functools.cache
def stretch(name: str, smallest: float) -> np.ndarray:
    """A symmetric matrix with eigenvalues from 1 to the smallest, in random directions.

    >>> np.linalg.cond(stretch("a", 0.1)).round(3)
    np.float64(10.0)
    """
    basis = np.linalg.qr(random(name, SIZE, SIZE).astype(float))[0]
    return (basis * np.geomspace(1, smallest, SIZE)) @ basis.T


def _square(x: Array) -> Array:
    return 0.5 * jnp.sum(x * x)


def both_sides(w: Array) -> Array:
    """½ |A (W - W*) B|², the condition numbers of A and B 30: that of the Hessian is 810,000.

    >>> float(both_sides(jnp.asarray(random("target", 8, 8))))
    0.0
    """
    left, right = (jnp.asarray(stretch(side, 1 / 30), w.dtype) for side in ("left", "right"))
    return _square(left @ (w - random("target", SIZE, SIZE)) @ right)


@functools.cache
def _classes() -> tuple[np.ndarray, np.ndarray]:
    """Inputs with a constant 1, and weights at which class k is k³ times rarer than the first.

    Each row of the weights has the mean 0: adding to all classes alike changes nothing.
    """
    inputs = random("inputs", ROWS, SIZE) * np.r_[np.ones(SIZE - 1), 0] + np.eye(SIZE)[-1]
    weights = 0.5 * random("classes", SIZE, SIZE)
    weights[-1] = -3 * np.log(1 + np.arange(SIZE))
    return inputs.astype(np.float32), weights - weights.mean(axis=1, keepdims=True)


def imbalanced(w: Array) -> Array:
    """Eight classes, the last 500 times rarer: divergence from the true chances on 64 inputs.

    >>> float(imbalanced(jnp.asarray(_classes()[1])))
    0.0
    """
    inputs, weights = (jnp.asarray(each, w.dtype) for each in _classes())
    mine, true = jax.nn.log_softmax(inputs @ w), jax.nn.log_softmax(inputs @ weights)
    return jnp.mean(jnp.sum(jnp.exp(true) * (true - mine), axis=-1))


def unit_columns(w: Array) -> Array:
    """Each column over its length.

    >>> print(unit_columns(jnp.array([[3.0], [4.0]])).ravel())
    [0.6 0.8]
    """
    return w / jnp.linalg.norm(w, axis=0, keepdims=True)


def normalised(w: Array) -> Array:
    """½ |A (V - V*)|², V the columns of W over their lengths: only directions count.

    >>> float(normalised(2 * jnp.asarray(random("target", 8, 8)))) < 1e-6
    True
    """
    target = unit_columns(jnp.asarray(random("target", SIZE, SIZE)))
    return _square(jnp.asarray(stretch("left", 0.3), w.dtype) @ (unit_columns(w) - target))


def _noisy_directions(w: Array, t: Array, key: Array) -> Array:
    return normalised(w) + noise(key, unit_columns(w), 0.3)


@functools.cache
def _low_rank(smallest: float) -> dict[str, np.ndarray]:
    """Two factors of equal size of a matrix of rank 4, its singular values from 3 to `smallest`."""
    roots = np.sqrt(np.geomspace(3, smallest, RANK))
    first, second = (np.linalg.qr(random(s, SIZE, RANK).astype(float))[0] for s in ("u", "v"))
    return {"first": first * roots, "second": (second * roots).T}


def product(x: Params) -> Array:
    """U V, all elements in a row.

    >>> product({"first": jnp.ones((8, 4)), "second": jnp.ones((4, 8))}).shape
    (64,)
    """
    return (x["first"] @ x["second"]).ravel()


def _error(x: Params, smallest: float) -> Array:
    """U V less the matrix that it should be."""
    target = _low_rank(smallest)
    return x["first"] @ x["second"] - jnp.asarray(target["first"] @ target["second"], jnp.float32)


def factors(x: Params) -> Array:
    """½ |U V - M|², the singular values of M from 3 to 0.1.

    >>> float(factors({"first": jnp.zeros((8, 4)), "second": jnp.zeros((4, 8))})) > 1
    True
    """
    return _square(_error(x, 0.1))


# Row i and column j of the matrix to complete are looked up with chances about 1 / i and 1 / j.
_CHANCE = 1 / np.arange(1.0, SIZE + 1) / np.sum(1 / np.arange(1.0, SIZE + 1))


def completion(x: Params) -> Array:
    """½ Σ pᵢ pⱼ (U V - M)ᵢⱼ², the chances p as those of words.

    >>> float(completion({"first": jnp.zeros((8, 4)), "second": jnp.zeros((4, 8))})) > 0.01
    True
    """
    return 0.5 * jnp.sum(np.outer(_CHANCE, _CHANCE).astype(np.float32) * _error(x, 1.0) ** 2)


def _four_entries(x: Params, t: Array, key: Array) -> Array:
    """The mean over four elements of the matrix, drawn anew at each step."""
    chances = jnp.log(jnp.asarray(_CHANCE, jnp.float32))
    rows, columns = jax.random.categorical(key, chances, shape=(2, 4))
    return 0.5 * jnp.mean(_error(x, 1.0)[rows, columns] ** 2)


def network(x: Params, inputs: Array) -> Array:
    """tanh(inputs · U) V.

    >>> network({"first": jnp.ones((8, 4)), "second": jnp.ones((4, 8))}, jnp.ones((3, 8))).shape
    (3, 8)
    """
    return jnp.tanh(inputs @ x["first"]) @ x["second"]


def _teacher() -> dict[str, np.ndarray]:
    return {"first": random("first", SIZE, RANK), "second": random("second", RANK, SIZE)}


def _against_teacher(x: Params, inputs: Array) -> Array:
    gap = network(x, inputs) - network(jax.tree.map(jnp.asarray, _teacher()), inputs)
    return 0.5 * jnp.mean(jnp.sum(gap**2, axis=-1))


def student(x: Params) -> Array:
    """Two layers of tanh learn from others of their size: mean squared error on 64 inputs.

    >>> float(student(jax.tree.map(jnp.asarray, _teacher())))
    0.0
    """
    return _against_teacher(x, jnp.asarray(random("inputs", ROWS, SIZE)))


def _eight_inputs(x: Params, t: Array, key: Array) -> Array:
    inputs = jnp.asarray(random("inputs", ROWS, SIZE))
    return _against_teacher(x, jax.random.choice(key, inputs, (8,)))


@functools.cache
def _pair(first: float, second: float) -> dict[str, np.ndarray]:
    """Random layers of these sizes to start from."""
    drawn = {"first": random("a", SIZE, RANK), "second": random("b", RANK, SIZE)}
    return {"first": first * drawn["first"], "second": second * drawn["second"]}


def make_problems() -> tuple[Problem, ...]:
    """Those of this file."""
    target = random("target", SIZE, SIZE)
    return (
        Problem(
            "both_sides",
            "a layer between two badly scaled ones: its Hessian is a product, of rows and columns",
            np.zeros((SIZE, SIZE), np.float32),
            both_sides,
            (target,),
            source="the structure that Gupta, Koren and Singer, Shampoo, 2018, arXiv:1802.09568, "
            "is made for",
        ),
        Problem(
            "imbalanced",
            "eight classes, the last 500 times rarer than the first: whether rare ones are learned",
            np.zeros((SIZE, SIZE), np.float32),
            imbalanced,
            (_classes()[1],),
            seen=lambda w: (w - w.mean(axis=1, keepdims=True)).ravel(),
            source="Kunstner et al., Heavy-Tailed Class Imbalance and Why Adam Outperforms "
            "Gradient Descent on Language Models, 2024, arXiv:2402.19449",
        ),
        Problem(
            "normalised",
            "weights of which only the direction counts, their lengths from 0.1 to 10, and noise",
            random("a", SIZE, SIZE) * np.geomspace(0.03, 3, SIZE, dtype=np.float32),
            normalised,
            (target,),
            sample=_noisy_directions,
            seen=lambda w: unit_columns(w).ravel(),
            source="Heo et al., AdamP, 2020, arXiv:2006.08217",
        ),
        Problem(
            "layers",
            "two layers, one 300 times larger than the other: each gradient has the other's size",
            _pair(0.01, 3.0),
            factors,
            (_low_rank(0.1),),
            seen=product,
        ),
        Problem(
            "completion",
            "four entries of a matrix at a time, of rows and columns that are mostly the first",
            _pair(0.3, 0.3),
            completion,
            (_low_rank(1.0),),
            sample=_four_entries,
            seen=product,
        ),
        Problem(
            "student",
            "a small network on batches of eight: not convex, but all of it can be learned",
            _pair(0.3, 0.3),
            student,
            (_teacher(),),
            sample=_eight_inputs,
            seen=lambda x: network(x, jnp.asarray(random("inputs", ROWS, SIZE))).ravel(),
        ),
    )


PROBLEMS = make_problems()
"""Those of this file."""
