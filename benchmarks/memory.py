"""Memory of a whole training step of a 124M-parameter transformer, compiled for absent devices.

    python -m benchmarks.memory --backend tpu     TPU v5e, with libtpu
    python -m benchmarks.memory --backend cuda    H200, with jax's CUDA wheels

Loss, gradients, `update` and `apply_updates` in one jit, parameters and state donated. The peak is
the memory that the compiled program needs at once: arguments, results and temporaries, less the
bytes that results share with arguments. Activations are bfloat16, and each block recomputes its
own in the backward pass.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax

import adamjax
from benchmarks import compiled, record, targets
from examples import pictures

# Those of GPT-2's smallest.
VOCABULARY, WIDTH, DEPTH, HEADS = 50257, 768, 12, 12
LENGTH, BATCH = 1024, 4
DEVICES = {"tpu": "TPU v5e", "cuda": "H200"}


def rows() -> list[compiled.Row]:
    """All that is compared."""
    settings: Any = {"learning_rate": 1e-3, "weight_decay": 0.1}
    ours = partial(adamjax.adamw, **settings)
    low: Any = {"dtype": jnp.bfloat16}
    return [
        compiled.Row("optax.adamw", optax.adamw(**settings)),
        *(
            compiled.Row(f"adamw {storage}", ours(storage=storage))
            for storage in ("float32", "bfloat16", "8bit_v16", "8bit")
        ),
        compiled.Row("optax.adamw, bf16", optax.adamw(**settings), **low),
        *(
            compiled.Row(
                f"adamw {storage}, bf16 {mode}", ours(storage=storage, param_rounding=mode), **low
            )
            for storage, mode in (
                ("float32", "stochastic"),
                ("8bit", "kahan"),
                ("8bit", "residual8"),
                ("8bit", "stochastic"),
            )
        ),
    ]


def parameters(dtype: Any) -> dict[str, Any]:
    """The shapes of a transformer's parameters, those of all blocks in one array."""
    shapes = {
        "tokens": (VOCABULARY, WIDTH),
        "places": (LENGTH, WIDTH),
        "blocks/attention": (DEPTH, WIDTH, 3 * WIDTH),
        "blocks/mix": (DEPTH, WIDTH, WIDTH),
        "blocks/widen": (DEPTH, WIDTH, 4 * WIDTH),
        "blocks/narrow": (DEPTH, 4 * WIDTH, WIDTH),
        "blocks/before_attention": (DEPTH, WIDTH),
        "blocks/before_dense": (DEPTH, WIDTH),
    }
    return {name: jax.ShapeDtypeStruct(shape, dtype) for name, shape in shapes.items()}


def normalized(x: jax.Array, scale: jax.Array) -> jax.Array:
    """RMS normalization, in bfloat16."""
    wide = x.astype(jnp.float32)
    rms = jax.lax.rsqrt(jnp.mean(jnp.square(wide), -1, keepdims=True) + 1e-6)
    return (wide * rms * scale).astype(jnp.bfloat16)


@jax.checkpoint
def _block(x: jax.Array, p: Any) -> jax.Array:
    w = {name: value.astype(jnp.bfloat16) for name, value in p.items()}
    qkv = normalized(x, p["before_attention"]) @ w["attention"]
    query, key, value = jnp.moveaxis(qkv.reshape(*x.shape[:2], 3, HEADS, -1), 2, 0)
    attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
    x = x + attended.reshape(x.shape) @ w["mix"]
    return x + jax.nn.gelu(normalized(x, p["before_dense"]) @ w["widen"]) @ w["narrow"]


def loss(params: Any, text: jax.Array) -> jax.Array:
    """Mean cross entropy of each next token."""
    tokens = params["tokens"].astype(jnp.bfloat16)
    x = tokens[text[:, :-1]] + params["places"].astype(jnp.bfloat16)
    blocks = {k.removeprefix("blocks/"): v for k, v in params.items() if "/" in k}
    x, _ = jax.lax.scan(lambda x, p: (_block(x, p), None), x, blocks)
    logits = (x @ tokens.T).astype(jnp.float32)
    return optax.softmax_cross_entropy_with_integer_labels(logits, text[:, 1:]).mean()


def training_step(tx: optax.GradientTransformation) -> Callable[..., Any]:
    """From text, parameters and state to the loss and the new ones of both."""
    apply = compiled.step(tx)

    def run(text: jax.Array, params: Any, state: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(params, text)
        return value, apply(grads, params, state)

    return run


def measure(backend: str | None, row: compiled.Row) -> dict[str, Any]:
    """Bytes of one compiled training step, of a backend's absent device or of the one here."""
    params = parameters(row.dtype)
    state = jax.eval_shape(row.tx.init, params)
    text = jax.ShapeDtypeStruct((BATCH, LENGTH + 1), jnp.int32)
    device = DEVICES[backend] if backend else jax.devices()[0].device_kind
    prepare = partial(targets.compile_for, backend, device) if backend else targets.compile_here
    program = prepare(training_step(row.tx), text, params, state, donate=(1, 2))
    return {"device": device, "row": row.name, **peak(program, params, state)}


def peak(program: Any, params: Any, state: Any) -> dict[str, Any]:
    """Bytes that a compiled training step needs at once, and those of its arguments."""
    memory = program.memory_analysis()
    size = sum(math.prod(p.shape) for p in jax.tree.leaves(params))
    most = memory.argument_size_in_bytes + memory.output_size_in_bytes
    most += memory.temp_size_in_bytes - memory.alias_size_in_bytes
    return {
        "parameters": size,
        "parameter_bytes": compiled.nbytes(params),
        "state_bytes": compiled.nbytes(state),
        "state_bytes_per_parameter": compiled.nbytes(state) / size,
        "temporary_bytes": memory.temp_size_in_bytes,
        "peak_bytes": most,
        "peak_bytes_per_parameter": most / size,
    }


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Peaks as bars: parameters, state, and all else."""
    drawn = report["rows"]
    device = drawn[0]["device"]
    figure, panels = pictures.axes([[device]], (8, 1 + 0.28 * len(drawn)))
    axes = panels[device]
    names = [row["row"] for row in drawn]
    parts = {
        "parameters": [row["parameter_bytes"] for row in drawn],
        "optimizer state": [row["state_bytes"] for row in drawn],
        "gradients, activations": [
            row["peak_bytes"] - row["parameter_bytes"] - row["state_bytes"] for row in drawn
        ],
    }
    left = [0.0] * len(drawn)
    for color, (label, sizes) in zip(pictures.COLORS, parts.items(), strict=False):
        widths = [size / 2**30 for size in sizes]
        axes.barh(names, widths, left=left, color=color, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, total in enumerate(left):
        axes.annotate(f" {total:.2f}", (total, place), va="center", fontsize=8)
    axes.set(title=device, xlabel="GiB at the peak of a training step")
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.invert_yaxis()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    pictures.save(figure, file)


def main(argv: Sequence[str] | None = None) -> None:
    given: argparse.Namespace = record.parse(compiled.options("memory", __doc__), argv)
    targets.restart_for(given.backend)
    every = {row.name: row for row in rows()}
    names = compiled.chosen(list(every), given.rows)
    measured = []
    for name in names[:2] if given.quick else names:
        result = measure(given.backend, every[name])
        measured.append(result)
        print(
            f"{result['device']:8} {name:30} {result['state_bytes_per_parameter']:5.2f} bytes"
            f" of state, {result['peak_bytes_per_parameter']:6.2f} at the peak for each"
            f" parameter ({result['peak_bytes'] / 2**30:.3f} GiB)",
            flush=True,
        )
    about = {"batch": BATCH, "length": LENGTH, "activations": "bfloat16, recomputed"}
    compiled.write("memory", given, rows=measured, settings=about)


if __name__ == "__main__":
    main()
