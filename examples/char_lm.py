"""Train a byte-level transformer with several storage formats of AdamW's state.

The model predicts the next byte of the source of Python's standard library. Whole files are held
out. Each `--storage` has the same initial weights and batches, to compare loss and memory.
"""

import argparse
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import adamjax
from examples import console, data, loop, pictures, released

VALIDATION_BATCHES = 16


class Block(nnx.Module):
    """Causal attention, then a dense layer of four times the width, each beside a shortcut."""

    def __init__(self, width: int, heads: int, *, dtype: Any, rngs: nnx.Rngs):
        self.heads = heads
        self.before_attention = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.attention = nnx.Linear(width, 3 * width, dtype=dtype, rngs=rngs)
        self.mix = nnx.Linear(width, width, dtype=dtype, rngs=rngs)
        self.before_dense = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.widen = nnx.Linear(width, 4 * width, dtype=dtype, rngs=rngs)
        self.narrow = nnx.Linear(4 * width, width, dtype=dtype, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        batch, length, width = x.shape
        qkv = self.attention(self.before_attention(x))
        query, key, value = jnp.moveaxis(qkv.reshape(batch, length, 3, self.heads, -1), 2, 0)
        attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
        x = x + self.mix(attended.reshape(batch, length, width))
        return x + self.narrow(jax.nn.gelu(self.widen(self.before_dense(x))))


class Transformer(nnx.Module):
    """A model from bytes [batch, time] to logits of the next byte [batch, time, vocabulary].

    Args:
      width: width of the vectors between the blocks.
      depth: number of blocks.
      heads: number of attention heads, a divisor of the width.
      length: largest length of a text.
      rngs: random number generators of the weights.
      vocabulary: number of tokens.
      dtype: dtype of the computation.
      param_dtype: dtype of the weights.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        heads: int,
        length: int,
        rngs: nnx.Rngs,
        vocabulary: int = 256,
        *,
        dtype: jax.typing.DTypeLike = jnp.float32,
        param_dtype: jax.typing.DTypeLike = jnp.float32,
    ):
        self.tokens = nnx.Embed(vocabulary, width, dtype=dtype, rngs=rngs)
        self.places = nnx.Embed(length, width, dtype=dtype, rngs=rngs)
        blocks = [Block(width, heads, dtype=dtype, rngs=rngs) for _ in range(depth)]
        self.blocks = nnx.Sequential(*blocks)
        self.last = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.output = nnx.Linear(width, vocabulary, use_bias=False, dtype=dtype, rngs=rngs)
        # Drawn in float32 and then rounded, so that the weights are the same whatever their type.
        weights = nnx.state(self, nnx.Param)
        nnx.update(self, jax.tree.map(lambda weight: weight.astype(param_dtype), weights))

    def __call__(self, tokens: jax.Array) -> jax.Array:
        tokens = tokens.astype(jnp.int32)
        x = self.tokens(tokens) + self.places(jnp.arange(tokens.shape[1]))
        return self.output(self.last(self.blocks(x)))


def loss(model: Transformer, tokens: jax.Array, following: jax.Array) -> jax.Array:
    """Return the mean cross entropy [nats] of the next byte. Both arguments are [batch, time]."""
    logits = model(tokens).astype(jnp.float32)
    labels = following.astype(jnp.int32)
    return optax.losses.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class Run(NamedTuple):
    """One training, and its loss [nats per byte] on held-out text each time it was measured."""

    trainer: loop.Trainer
    validation: list[float]

    @property
    def parameter_bytes(self) -> int:
        return sum(
            leaf.nbytes for leaf in jax.tree.leaves(nnx.state(self.trainer.model, nnx.Param))
        )


def optimizer(storage: str, options: argparse.Namespace) -> optax.GradientTransformation:
    """Return AdamW with a warm-up over a tenth of the steps and a cosine decay to 0."""
    rate = optax.schedules.warmup_cosine_decay_schedule(
        0.0, options.learning_rate, options.steps // 10, options.steps
    )
    # Steps much smaller than a bfloat16 parameter's last digit would be lost to nearest rounding.
    rounding = "stochastic" if options.params == "bfloat16" else None
    try:
        return adamjax.adamw(rate, b2=options.b2, storage=storage, param_rounding=rounding)
    except ValueError as error:
        raise console.OptionError(str(error)) from error


def prepare(
    storage: str, text: data.Text, options: argparse.Namespace, trainers: Any = loop.Trainer
) -> Run:
    """Return a training at step 0. All have the same weights and batches."""
    tx = optimizer(storage, options)
    model = Transformer(
        options.width,
        options.depth,
        options.heads,
        options.length,
        nnx.Rngs(options.seed),
        param_dtype=options.params,
    )
    trainer = trainers(
        model,
        tx,
        loss,
        data.stretches(text.train, options.length),
        batch_size=options.batch_size,
        seed=options.seed,
    )
    # The text is long: an epoch ends where the validation comes, each with pieces drawn anew.
    trainer.steps_per_epoch = options.every
    return Run(trainer, [])


def train(text: data.Text, options: argparse.Namespace) -> dict[str, Run]:
    """Trains with every storage, some steps of each in turn."""
    runs = {storage: prepare(storage, text, options) for storage in options.storage}
    for storage in options.storage if options.release else ():
        runs[f"{storage} released"] = prepare(storage, text, options, released.Trainer)
    count = VALIDATION_BATCHES * options.batch_size
    held_out = [
        part.reshape(VALIDATION_BATCHES, options.batch_size, options.length)
        for part in data.stretches(text.held_out, options.length, count)
    ]
    evaluate = nnx.jit(loss)
    with console.progress(dict.fromkeys(runs, options.steps // options.every)) as advance:
        for _ in range(options.steps // options.every):
            for storage, (trainer, validation) in runs.items():
                mean, model = trainer.epoch(), trainer.model
                losses = [evaluate(model, *batch) for batch in zip(*held_out, strict=True)]
                validation.append(float(np.mean(losses)))
                advance(storage, f"loss {mean:.4f}, held out {validation[-1]:.4f}")
    return runs


def tell(runs: Mapping[str, Run]) -> None:
    headings = (
        "storage",
        "validation loss",
        "state bytes per parameter",
        "parameter bytes",
        "temporary bytes",
        "steps/s",
    )
    rows = [
        (
            storage,
            f"{run.validation[-1]:.4f}",
            f"{run.trainer.state_bytes_per_parameter:.2f}",
            f"{run.parameter_bytes:,}",
            f"{run.trainer.temporary_bytes:,}",
            f"{run.trainer.steps_per_second:.1f}",
        )
        for storage, run in runs.items()
    ]
    console.table(headings, rows)


def draw(file: Path, title: str, runs: Mapping[str, Run], every: int) -> None:
    """The losses, and how far those on held-out text are from those of the first storage."""
    figure, panels = pictures.axes([["loss", "difference"]], (12, 4.2), width_ratios=(1.4, 1))
    figure.suptitle(title)
    first, *_ = runs
    reference = runs[first].validation
    for color, (storage, run) in zip(cycle(pictures.COLORS), runs.items(), strict=False):
        losses = run.trainer.losses
        steps = every * np.arange(1, len(run.validation) + 1)
        label = f"{storage}: {run.trainer.state_bytes_per_parameter:.2f} bytes per parameter"
        # The curves lie on one another where a format does its work: the first one shows below.
        look = {"color": color, **({"alpha": 0.4, "linewidth": 4} if storage == first else {})}
        panels["loss"].plot(*pictures.smooth(losses, len(losses) // 20), label=label, **look)
        panels["difference"].plot(steps, np.subtract(run.validation, reference), **look)
        panels["loss"].plot(steps, run.validation, "o", color=color, markersize=3)
    panels["loss"].set(xlabel="step", ylabel="training (line), held out (points) [nats per byte]")
    panels["loss"].legend(frameon=False)
    panels["difference"].set(xlabel="step", ylabel=f"held-out loss − that of {first} [nats]")
    for panel in panels.values():
        pictures.whole_numbers(panel.xaxis)
    pictures.save(figure, file)


def parse(argv: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(
        prog="python -m examples.char_lm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    storages = "formats of the optimizer's state (%(default)s)"
    add("--storage", nargs="+", default=["float32", "8bit"], metavar="FORMAT", help=storages)
    rounded = "dtype of the weights, with stochastic rounding for bfloat16 (%(default)s)"
    add("--params", choices=("float32", "bfloat16"), default="float32", help=rounded)
    twice = "train with each storage a second time, with adamjax.release"
    add("--release", action="store_true", help=twice)
    sizes = {"steps": 400, "width": 128, "depth": 4, "heads": 4, "length": 128, "batch-size": 16}
    for name, default in sizes.items():
        add(f"--{name}", type=int, default=default, help="(%(default)s)")
    often = "steps between two looks at the held-out text (%(default)s)"
    add("--every", type=int, default=25, help=often)
    add("--learning-rate", type=float, default=4e-3, help="at its highest (%(default)s)")
    add("--b2", type=float, default=0.99, help="(%(default)s)")
    add("--seed", type=int, default=0, help="of weights and order of the text (%(default)s)")
    add("--runs", type=Path, default=Path("runs"), help="folder for pictures (%(default)s)")
    options = parser.parse_args(argv)
    for name in (*sizes, "every"):
        if vars(options)[name.replace("-", "_")] < 1:
            parser.error(f"--{name}: must be at least 1")
    if options.learning_rate <= 0:
        parser.error("--learning-rate: must be above 0")
    if options.width % options.heads:
        parser.error(f"--width: {options.width} is not a multiple of {options.heads} heads")
    options.storage = list(dict.fromkeys(options.storage))
    options.every = min(options.every, options.steps)
    if options.steps % options.every:
        parser.error(f"--steps: {options.steps} is not a multiple of --every {options.every}")
    return parser, options


def main(argv: Sequence[str] | None = None) -> None:
    parser, options = parse(argv)
    with console.one_line_errors(parser):
        console.make_folders(options.runs)
        text = data.python_source()
        print(f"Training on {text.name}, {len(text.held_out) / 1e6:.1f} million of them held out.")
        runs = train(text, options)
    tell(runs)
    size = f"Width {options.width}, depth {options.depth}, {options.params} weights"
    draw(options.runs / "char_lm.png", f"{size}, on {text.name}", runs, options.every)


if __name__ == "__main__":
    main()
