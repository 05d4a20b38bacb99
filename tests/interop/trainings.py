"""The training on which a run of another framework and its continuation here are compared."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tests import documents

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
NAMES = [path if axes is None else (path, axes) for path, (_, axes) in WEIGHTS.items()]


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


def there(weights, params):
    """The parameters of the tree here, in the order and layout of the other framework."""
    arrays = []
    for path, (_, axes) in weights.items():
        leaf = params
        for key in path.split("/"):
            leaf = leaf[key]
        array = np.asarray(leaf)
        arrays.append(array if axes is None else np.transpose(array, np.argsort(axes)))
    return arrays


def start(weights):
    draw = np.random.default_rng(0)
    return [np.float32(draw.normal(size=shape)) for shape, _ in weights.values()]


def gradient(array, t, i):
    """The gradient at step t of parameter i: noise that no two steps share, and a pull to 0."""
    noise = np.random.default_rng((t, i)).normal(size=np.shape(array))
    return np.float32(noise * (1 + t % 3)) + np.float32(0.3) * np.asarray(array, np.float32)


def train(weights, tx, state, params, first, steps):
    """`steps` steps from step `first` on: the parameters after each, the last ones, the state."""
    update, path = jax.jit(tx.update), []
    for t in range(first, first + steps):
        grads = [gradient(a, t, i) for i, a in enumerate(there(weights, params))]
        updates, state = update(here(weights, grads), state, params)
        params = optax.apply_updates(params, updates)
        path.append(there(weights, params))
    return path, params, state


def deviation(path, other):
    """The largest difference of two paths, relative to the largest parameter."""
    largest = max(abs(a).max() for step in path for a in step)
    return max(
        float(abs(np.asarray(a) - np.asarray(b)).max() / largest)
        for step, twin in zip(path, other, strict=True)
        for a, b in zip(step, twin, strict=True)
    )


def run_document(tmp_path, monkeypatch, *kinds):
    """Run the blocks of docs/interop.md that need no more than these frameworks."""
    document = documents.ROOT / "docs" / "interop.md"
    blocks = documents.blocks(document)
    assert {block.kind for block in blocks} == {"", "torch", "keras"}
    code = "\n".join(block.code for block in blocks if block.kind in kinds)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(document), "exec"), {})
