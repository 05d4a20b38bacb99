"""Problems whose parameters are one or two matrices, like the layers of networks."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from adamjax.problems.problem import Array, Params, noise, problem

SIZE, RANK, ROWS = 8, 4, 64


@functools.cache
def random(name: str, *shape: int) -> np.ndarray:
    """Standard normal numbers, seeded by the name."""
    return np.random.default_rng(list(name.encode())).normal(size=shape).astype(np.float32)


@functools.cache
def stretch(name: str, smallest: float) -> np.ndarray:
    """A symmetric matrix with eigenvalues from 1 to the smallest, in random directions."""
    basis = np.linalg.qr(random(name, SIZE, SIZE).astype(float))[0]
    return (basis * np.geomspace(1, smallest, SIZE)) @ basis.T


def half_square(x: Array) -> Array:
    """½ |x|²."""
    return 0.5 * jnp.sum(x * x)


@problem(
    "a layer between two badly scaled ones: its Hessian is a product of rows and columns",
    start=np.zeros((SIZE, SIZE), np.float32),
    optima=(random("target", SIZE, SIZE),),
    source="the structure that Gupta, Koren and Singer, Shampoo, 2018, arXiv:1802.09568, "
    "is made for",
)
def both_sides(w: Array) -> Array:
    """½ |A (W - W*) B|², the condition numbers of A and B 30: that of the Hessian is 810,000."""
    left, right = (jnp.asarray(stretch(side, 1 / 30), w.dtype) for side in ("left", "right"))
    return half_square(left @ (w - random("target", SIZE, SIZE)) @ right)


@functools.cache
def classes() -> tuple[np.ndarray, np.ndarray]:
    """Inputs with a constant 1, and weights for which class k is k³ times rarer than the first."""
    inputs = random("inputs", ROWS, SIZE) * np.r_[np.ones(SIZE - 1), 0] + np.eye(SIZE)[-1]
    weights = 0.5 * random("classes", SIZE, SIZE)
    weights[-1] = -3 * np.log(1 + np.arange(SIZE))
    # A constant added to all classes has no effect.
    return inputs.astype(np.float32), weights - weights.mean(axis=1, keepdims=True)


@problem(
    "eight classes, the last 500 times rarer than the first: whether rare ones are learned",
    start=np.zeros((SIZE, SIZE), np.float32),
    optima=(classes()[1],),
    seen=lambda w: (w - w.mean(axis=1, keepdims=True)).ravel(),
    source="Kunstner et al., Heavy-Tailed Class Imbalance and Why Adam Outperforms "
    "Gradient Descent on Language Models, 2024, arXiv:2402.19449",
)
def imbalanced(w: Array) -> Array:
    """Eight classes, the last 500 times rarer: divergence from the true chances on 64 inputs."""
    inputs, weights = (jnp.asarray(each, w.dtype) for each in classes())
    mine, true = jax.nn.log_softmax(inputs @ w), jax.nn.log_softmax(inputs @ weights)
    return jnp.mean(jnp.sum(jnp.exp(true) * (true - mine), axis=-1))


def unit_columns(w: Array) -> Array:
    """Divide each column by its length."""
    return w / jnp.linalg.norm(w, axis=0, keepdims=True)


def directions(w: Array) -> Array:
    """½ |A (V - V*)|², with V the columns of W over their lengths."""
    target = unit_columns(jnp.asarray(random("target", SIZE, SIZE)))
    return half_square(jnp.asarray(stretch("left", 0.3), w.dtype) @ (unit_columns(w) - target))


@problem(
    "weights whose lengths, 0.1 to 10, have no effect on the loss, with noise",
    start=random("a", SIZE, SIZE) * np.geomspace(0.03, 3, SIZE, dtype=np.float32),
    optima=(random("target", SIZE, SIZE),),
    seen=lambda w: unit_columns(w).ravel(),
    source="Heo et al., AdamP, 2020, arXiv:2006.08217",
    mean=directions,
)
def normalised(w: Array, t: Array, key: Array) -> Array:
    """`directions` with noise in V."""
    return directions(w) + noise(key, unit_columns(w), 0.3)


@functools.cache
def low_rank(smallest: float) -> dict[str, np.ndarray]:
    """Two factors of equal size of a matrix of rank 4, its singular values from 3 to `smallest`."""
    roots = np.sqrt(np.geomspace(3, smallest, RANK))
    first, second = (np.linalg.qr(random(s, SIZE, RANK).astype(float))[0] for s in ("u", "v"))
    return {"first": first * roots, "second": (second * roots).T}


def random_layers(first: float, second: float) -> dict[str, np.ndarray]:
    """Random layers of these scales to start from."""
    return {"first": first * random("a", SIZE, RANK), "second": second * random("b", RANK, SIZE)}


def product(x: Params) -> Array:
    """U V as a vector."""
    return (x["first"] @ x["second"]).ravel()


def product_error(x: Params, smallest: float) -> Array:
    """U V minus the matrix of `low_rank`."""
    target = low_rank(smallest)
    return x["first"] @ x["second"] - jnp.asarray(target["first"] @ target["second"], jnp.float32)


@problem(
    "two layers, one 300 times larger: the gradient of each has the size of the other layer",
    start=random_layers(0.01, 3.0),
    optima=(low_rank(0.1),),
    seen=product,
)
def layers(x: Params) -> Array:
    """½ |U V - M|², the singular values of M from 3 to 0.1."""
    return half_square(product_error(x, 0.1))


# Rows i and columns j of the matrix are sampled with chances proportional to 1 / i and 1 / j.
_CHANCE = 1 / np.arange(1.0, SIZE + 1) / np.sum(1 / np.arange(1.0, SIZE + 1))


def weighted_error(x: Params) -> Array:
    """½ Σ pᵢ pⱼ (U V - M)ᵢⱼ², the chances p as those of words."""
    weights = np.outer(_CHANCE, _CHANCE).astype(np.float32)
    return 0.5 * jnp.sum(weights * product_error(x, 1.0) ** 2)


@problem(
    "four entries of a matrix at a time, most of them in the first rows and columns",
    start=random_layers(0.3, 0.3),
    optima=(low_rank(1.0),),
    seen=product,
    mean=weighted_error,
)
def completion(x: Params, t: Array, key: Array) -> Array:
    """The mean over four elements of the matrix, drawn anew at each step."""
    chances = jnp.log(jnp.asarray(_CHANCE, jnp.float32))
    rows, columns = jax.random.categorical(key, chances, shape=(2, 4))
    return 0.5 * jnp.mean(product_error(x, 1.0)[rows, columns] ** 2)


TEACHER = {"first": random("first", SIZE, RANK), "second": random("second", RANK, SIZE)}


def network(x: Params, inputs: Array) -> Array:
    """tanh(inputs · U) V."""
    return jnp.tanh(inputs @ x["first"]) @ x["second"]


def teacher_error(x: Params, inputs: Array | None = None) -> Array:
    """Half the mean squared error against the teacher, by default on all 64 inputs."""
    inputs = jnp.asarray(random("inputs", ROWS, SIZE)) if inputs is None else inputs
    gap = network(x, inputs) - network(jax.tree.map(jnp.asarray, TEACHER), inputs)
    return 0.5 * jnp.mean(jnp.sum(gap**2, axis=-1))


@problem(
    "a small network on batches of eight: not convex, but the loss can reach 0",
    start=random_layers(0.3, 0.3),
    optima=(TEACHER,),
    seen=lambda x: network(x, jnp.asarray(random("inputs", ROWS, SIZE))).ravel(),
    mean=teacher_error,
)
def student(x: Params, t: Array, key: Array) -> Array:
    """`teacher_error` on eight random inputs."""
    inputs = jnp.asarray(random("inputs", ROWS, SIZE))
    return teacher_error(x, jax.random.choice(key, inputs, (8,)))
