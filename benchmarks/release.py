"""Memory of a training step with the update inside the backward pass, compiled for absent devices.

    python -m benchmarks.release --backend tpu     TPU v5e, with libtpu
    python -m benchmarks.release --backend cuda    H200, with jax's CUDA wheels

A transformer of 268 million parameters whose layers are stacked. The ordinary step computes all
gradients and then updates. The released step, `adamjax.release`, updates each layer in turn. Both
recompute a layer's activations in the backward pass, and parameters and state are donated. The peak
is that of the compiled program: arguments, results and temporaries, less shared buffers.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax

import adamjax
from benchmarks import compiled, memory, record, targets
from examples import pictures

DEPTH, WIDTH, HEADS, VOCABULARY = 16, 1024, 8, 256
LENGTH, BATCH = 512, 1
SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {},
    "8bit": {"storage": "8bit"},
    "8bit, bf16 stochastic": {"storage": "8bit", "param_rounding": "stochastic"},
    "8bit, bf16 residual8": {"storage": "8bit", "param_rounding": "residual8"},
}


def parameters(dtype: Any, depth: int = DEPTH) -> dict[str, Any]:
    """Shapes of the parameters, those of all layers in one array."""
    hidden = 4 * WIDTH
    blocks = {
        "before_attention": (WIDTH,),
        "attention": (WIDTH, 3 * WIDTH),
        "mix": (WIDTH, WIDTH),
        "before_dense": (WIDTH,),
        "gate": (WIDTH, hidden),
        "widen": (WIDTH, hidden),
        "narrow": (hidden, WIDTH),
    }
    array = lambda *shape: jax.ShapeDtypeStruct(shape, dtype)  # noqa: E731
    return {
        "embed": {"tokens": array(VOCABULARY, WIDTH)},
        "blocks": {name: array(depth, *shape) for name, shape in blocks.items()},
        "head": {"output": array(WIDTH, VOCABULARY)},
    }


def embed(p: Any, x: None, text: jax.Array) -> jax.Array:
    """Vectors of the tokens, in bfloat16."""
    return p["tokens"].astype(jnp.bfloat16)[text[:, :-1]]


def block(p: Any, x: jax.Array, text: jax.Array) -> jax.Array:
    """Causal attention, then a gated dense layer, each beside a shortcut."""
    w = {name: value.astype(jnp.bfloat16) for name, value in p.items()}
    qkv = memory.normalized(x, p["before_attention"]) @ w["attention"]
    query, key, value = jnp.moveaxis(qkv.reshape(*x.shape[:2], 3, HEADS, -1), 2, 0)
    attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
    x = x + attended.reshape(x.shape) @ w["mix"]
    dense = memory.normalized(x, p["before_dense"])
    return x + (jax.nn.silu(dense @ w["gate"]) * (dense @ w["widen"])) @ w["narrow"]


def head(p: Any, x: jax.Array, text: jax.Array) -> jax.Array:
    """Mean cross entropy of each next token."""
    logits = (x @ p["output"].astype(jnp.bfloat16)).astype(jnp.float32)
    return optax.softmax_cross_entropy_with_integer_labels(logits, text[:, 1:]).mean()


STAGES = {"embed": embed, "blocks": adamjax.Scan(block), "head": head}


def ordinary(tx: optax.GradientTransformation) -> Callable[..., Any]:
    """From parameters, state and text to the new ones and the loss."""

    def loss(params: Any, text: jax.Array) -> jax.Array:
        layer = jax.checkpoint(lambda x, p: (block(p, x, text), None))
        x, _ = jax.lax.scan(layer, embed(params["embed"], None, text), params["blocks"])
        return head(params["head"], x, text)

    def step(params: Any, state: Any, text: jax.Array) -> Any:
        value, gradients = jax.value_and_grad(loss)(params, text)
        updates, state = tx.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, value

    return step


def measure(backend: str, name: str, released: bool, depth: int = DEPTH) -> dict[str, Any]:
    """Bytes of one compiled training step."""
    dtype = jnp.bfloat16 if "bf16" in name else jnp.float32
    params = parameters(dtype, depth)
    tx = adamjax.adamw(1e-3, weight_decay=0.1, **SETTINGS[name])
    step = adamjax.release(STAGES, tx).step if released else ordinary(tx)
    state = jax.eval_shape(tx.init, params)
    text = jax.ShapeDtypeStruct((BATCH, LENGTH + 1), jnp.int32)
    device = memory.DEVICES[backend]
    program = targets.compile_for(backend, device, step, params, state, text, donate=(0, 1))
    return {
        "device": device,
        "row": name,
        "step": "released" if released else "ordinary",
        **memory.peak(program, params, state),
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Peaks of both steps as bars."""
    rows = report["rows"]
    device = rows[0]["device"]
    figure, panels = pictures.axes([[device]], (8, 1 + 0.3 * len(rows)))
    axes = panels[device]
    for place, row in enumerate(rows):
        size = row["peak_bytes_per_parameter"]
        axes.barh(place, size, color=pictures.COLORS[row["step"] == "released"])
        axes.annotate(f" {size:.2f}", (size, place), va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [f"{row['row']}, {row['step']}" for row in rows])
    axes.set(title=device, xlabel="bytes per parameter at the peak of a training step")
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.invert_yaxis()
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(compiled.options("release", __doc__), argv)
    targets.restart_for(given.backend)
    names = compiled.chosen(list(SETTINGS), given.rows)
    depth = 2 if given.quick else DEPTH
    measured = []
    for name in names[:1] if given.quick else names:
        for released in (False, True):
            result = measure(given.backend, name, released, depth)
            measured.append(result)
            print(
                f"{result['device']:8} {name:24} {result['step']:9}"
                f" {result['peak_bytes_per_parameter']:6.2f} bytes at the peak for each parameter",
                flush=True,
            )
    about = {"layers": depth, "width": WIDTH, "batch": BATCH, "length": LENGTH}
    compiled.write("release", given, rows=measured, settings=about)


if __name__ == "__main__":
    main()
