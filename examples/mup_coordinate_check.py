"""Check that activations change equally at every width with `adamjax.mup`.

A small model determines the learning rate. Models of other widths take some steps with it, once
with `adamjax.mup` and once with the optimizer alone. The picture shows the root mean square of each
activation after each step: with the right factors, the lines are horizontal.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from examples import data, pictures

Activations = dict[str, jax.Array]  # root mean squares
LENGTH, HEAD, PIXELS, CLASSES = 32, 16, 28 * 28, 10


class Model(NamedTuple):
    """A family of models.

    Attributes:
      init: parameters from a key and a width, as the model has them without `mup_init`.
      apply: logits and activations from parameters and inputs.
      load: training and held-out data, each (inputs, labels).
      batch_size: examples of a step.
    """

    init: Callable[[jax.Array, int], Any]
    apply: Callable[[Any, jax.Array], tuple[jax.Array, Activations]]
    load: Callable[[], tuple[Any, Any]]
    batch_size: int

    def loss(self, params: Any, inputs: jax.Array, labels: jax.Array) -> tuple[jax.Array, Any]:
        logits, activations = self.apply(params, inputs)
        cross_entropy = optax.losses.softmax_cross_entropy_with_integer_labels
        return cross_entropy(logits, labels.astype(jnp.int32)).mean(), activations


def rms(x: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def dense(key: jax.Array, inputs: int, outputs: int) -> jax.Array:
    """Return a kernel with LeCun's variance."""
    return jax.random.normal(key, (inputs, outputs)) / jnp.sqrt(inputs)


def init_mlp(key: jax.Array, width: int) -> Any:
    keys = jax.random.split(key, 2)
    sizes = {"first": (PIXELS, width), "hidden": (width, width)}
    pairs = zip(sizes.items(), keys, strict=True)
    layers = {n: {"kernel": dense(k, *s), "bias": jnp.zeros(width)} for (n, s), k in pairs}
    return layers | {"head": {"kernel": jnp.zeros((width, CLASSES)), "bias": jnp.zeros(CLASSES)}}


def apply_mlp(params: Any, x: jax.Array) -> tuple[jax.Array, Activations]:
    activations = {}
    for name in ("first", "hidden", "head"):
        x = (jax.nn.relu(x) if activations else x) @ params[name]["kernel"] + params[name]["bias"]
        activations[name] = rms(x)
    return x, activations


def load_mlp() -> tuple[Any, Any]:
    digits = data.mnist()
    scaled = lambda part: (part[0].reshape(-1, PIXELS) / 0.3, part[1])  # noqa: E731
    return scaled(digits.train), scaled(digits.test)


def init_transformer(key: jax.Array, width: int) -> Any:
    keys = iter(jax.random.split(key, 6))
    sizes = {"query": (width, width), "key": (width, width), "value": (width, width)}
    sizes |= {"mix": (width, width), "widen": (width, 2 * width), "narrow": (2 * width, width)}
    return {
        "embedding": jax.random.normal(jax.random.fold_in(key, 0), (256, width)),
        "positions": jax.random.normal(jax.random.fold_in(key, 1), (LENGTH, width)),
        **{name: {"kernel": dense(next(keys), *size)} for name, size in sizes.items()},
        "norms": {name: {"scale": jnp.ones(width)} for name in ("attention", "dense", "last")},
        "head": {"kernel": jnp.zeros((width, 256))},
    }


def apply_transformer(params: Any, tokens: jax.Array) -> tuple[jax.Array, Activations]:
    """One block. Heads have a fixed size, so attention divides by its root at every width."""
    product = lambda name, x: x @ params[name]["kernel"]  # noqa: E731
    norm = lambda name, x: params["norms"][name]["scale"] * x / rms_of_rows(x)  # noqa: E731
    x = params["embedding"][tokens.astype(jnp.int32)] + params["positions"]
    h, heads = norm("attention", x), (*x.shape[:2], -1, HEAD)
    query, key, value = (product(name, h).reshape(heads) for name in ("query", "key", "value"))
    attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
    attended = product("mix", attended.reshape(x.shape))
    hidden = product("widen", norm("dense", x + attended))
    last = x + attended + product("narrow", jax.nn.gelu(hidden))
    logits = product("head", norm("last", last))
    names = {"embedding": x, "query": query, "attention": attended, "hidden": hidden, "last": last}
    return logits, {name: rms(y) for name, y in (names | {"logits": logits}).items()}


def rms_of_rows(x: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(jnp.square(x), -1, keepdims=True) + 1e-6)


def load_transformer() -> tuple[Any, Any]:
    text = data.python_source()
    return data.stretches(text.train, LENGTH, 2**14), data.stretches(text.held_out, LENGTH, 64)


MODELS = {
    "mlp": Model(init_mlp, apply_mlp, load_mlp, 64),
    "transformer": Model(init_transformer, apply_transformer, load_transformer, 8),
}


def start(model: Model, width: int, base: int, seed: int, transfer: bool) -> Any:
    """Return initial parameters, with `mup_init` if `transfer`."""
    key = jax.random.key(seed)
    params = model.init(key, width)
    return adamjax.mup_init(params, model.init(key, base)) if transfer else params


def train(
    model: Model, tx: optax.GradientTransformation, params: Any, batches: Any
) -> tuple[Any, dict[str, jax.Array]]:
    """Return the parameters after all batches, and the activations of each batch."""

    def step(carry: Any, batch: Any) -> Any:
        params, state = carry
        gradients, activations = jax.grad(model.loss, has_aux=True)(params, *batch)
        updates, state = tx.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), activations

    (params, _), activations = jax.lax.scan(step, (params, tx.init(params)), batches)
    return params, activations


def batches(model: Model, part: Any, steps: int, seed: int) -> Any:
    """Return random batches, [steps, batch, ...]."""
    rows = np.random.default_rng(seed).integers(len(part[0]), size=(steps, model.batch_size))
    return tuple(jnp.asarray(np.asarray(array)[rows]) for array in part)


def draw(measured: Mapping[str, Mapping[int, Mapping[str, Any]]], file: Path, title: str) -> None:
    """Draw activations [steps] by label, width and name: a row for each label."""
    names = list(next(iter(next(iter(measured.values())).values())))
    mosaic = [[f"{label}: {name}" for name in names] for label in measured]
    figure, panels = pictures.axes(mosaic, (2.4 * len(names), 2.7 * len(measured)))
    for label, by_width in measured.items():
        for name in names:
            panel, widths = panels[f"{label}: {name}"], list(by_width)
            columns = np.array([by_width[width][name] for width in widths], float).T
            columns = columns[columns.all(1)]  # logits start at 0
            for step, column in enumerate(columns):
                shade = 0.25 + 0.75 * step / max(1, len(columns) - 1)
                panel.plot(widths, column, color=pictures.COLORS[0], alpha=shade, marker=".")
            panel.set(xscale="log", yscale="log", title=name, xlabel="width")
            panel.set_xticks(widths, list(map(str, widths)), minor=False)
            panel.minorticks_off()
        panels[f"{label}: {names[0]}"].set_ylabel(label)
    figure.suptitle(f"{title}: root mean square after each step, from light to dark")
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.mup_coordinate_check")
    parser.description = __doc__
    parser.add_argument("--model", choices=MODELS, default="mlp")
    parser.add_argument("--optimizer", choices=("adamw", "lion", "muon", "sgd"), default="adamw")
    parser.add_argument("--learning-rate", type=float, default=1e-2)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args(argv)
    model, base = MODELS[options.model], options.widths[0]
    taken = batches(model, model.load()[0], options.steps, 0)
    measured: dict[str, dict[int, Any]] = {"adamjax.mup": {}, "without": {}}
    for label, by_width in measured.items():
        for width in options.widths:
            params = start(model, width, base, 0, label != "without")
            rate = options.learning_rate
            tx = adamjax.create(options.optimizer, learning_rate=rate)
            if label != "without":
                shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), base))
                tx = adamjax.mup(options.optimizer, params, shapes, learning_rate=rate)
            by_width[width] = jax.jit(train, static_argnums=(0, 1))(model, tx, params, taken)[1]
        sizes = [[by_width[w][name][1:] for w in by_width] for name in by_width[base]]
        spread = max(np.max(np.max(s, 0) / np.min(s, 0)) for s in sizes)
        print(f"{label}: sizes differ by at most {spread:.2f} times over widths")
    draw(
        measured, options.runs / "mup_coordinate_check.png", f"{options.model}, {options.optimizer}"
    )


if __name__ == "__main__":
    main()
