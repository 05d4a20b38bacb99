"""What a run of another framework and its continuation here are compared on."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

BEFORE, AFTER = 7, 50
# Paths here, shapes there and axes from there to here: a Linear's layout, a bias, a convolution's
# and a scalar. The order there is not that of the tree's leaves.
WEIGHTS = {
    "head/kernel": ((3, 5), (1, 0)),
    "head/bias": ((3,), None),
    "conv/kernel": ((2, 3, 4, 5), (2, 3, 1, 0)),
    "body/kernel": ((5, 4), (1, 0)),
    "scale": ((), None),
    "row": ((4, 1), (1, 0)),
}
MATRICES = {path: weight for path, weight in WEIGHTS.items() if path != "conv/kernel"}


def names_of(weights):
    return [path if axes is None else (path, axes) for path, (_, axes) in weights.items()]


def here(weights, arrays):
    """Arrays of the other framework, in its order, as the tree here."""
    tree = {}
    for (path, (_, axes)), array in zip(weights.items(), arrays, strict=True):
        *folders, last = path.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[last] = jnp.asarray(array if axes is None else np.transpose(array, axes))
    return tree


def start(weights):
    draw = np.random.default_rng(0)
    return [np.float32(draw.normal(size=shape)) for shape, _ in weights.values()]


def gradient(array, t, i):
    """The gradient at step t of parameter i: noise that no two steps share, and a pull to 0."""
    noise = np.random.default_rng((t, i)).normal(size=np.shape(array))
    return np.float32(noise * (1 + t % 3)) + np.float32(0.3) * np.asarray(array, np.float32)


def gradients_here(weights, params, t):
    """The same gradients for the tree here: computed in the layout there."""
    flat = dict(zip(weights, leaves_there(weights, params), strict=True))
    return here(weights, [gradient(a, t, i) for i, a in enumerate(flat.values())])


def leaves_there(weights, params):
    """The parameters of the tree here, in the order and layout there."""
    for path, (_, axes) in weights.items():
        leaf = params
        for key in path.split("/"):
            leaf = leaf[key]
        array = np.asarray(leaf)
        yield array if axes is None else np.transpose(array, np.argsort(axes))


def go_on(weights, tx, state, params, first, steps):
    """`steps` steps from step `first` on; the parameters after each, there, and the last state."""
    update = jax.jit(tx.update)
    path = []
    for t in range(first, first + steps):
        updates, state = update(gradients_here(weights, params, t), state, params)
        params = optax.apply_updates(params, updates)
        path.append(list(leaves_there(weights, params)))
    return path, params, state


def deviation(path, other):
    """The largest difference of two paths, relative to the largest parameter."""
    largest = max(abs(a).max() for step in path for a in step)
    return max(
        float(abs(np.asarray(a) - np.asarray(b)).max() / largest)
        for step, twin in zip(path, other, strict=True)
        for a, b in zip(step, twin, strict=True)
    )
