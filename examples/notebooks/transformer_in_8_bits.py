# %% [markdown]
# # A transformer with its optimizer in two bytes
#
# A byte-level GPT learns to write Python, from the source of Python's own standard library. AdamW
# keeps its two averages once in float32, 8 bytes for each parameter, and once in codes of 2 bytes.
# Same weights at the start, same batches: does it learn as well?

# %%
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from examples import char_lm, data, pictures

# %% [markdown]
# ## Train it twice
#
# The model is small enough for two processor cores and a minute. On a GPU, double `--width`,
# `--depth` and `--steps`. On a CPU the 8-bit run is not faster, since its codes cost arithmetic and
# save only memory.

# %%
arguments = "--storage float32 8bit --steps 200 --every 25 --width 128 --depth 2 --length 64"
_, options = char_lm.parse([*arguments.split(), "--batch-size", "8"])
text = data.python_source()
print(text.name)
runs = char_lm.train(text, options)
char_lm.tell(runs)

# %% [markdown]
# ## Loss

# %%
figure, panels = pictures.axes([["loss", "memory"]], (11, 3.8), width_ratios=(2, 1))
for color, (storage, one) in zip(pictures.COLORS, runs.items(), strict=False):
    steps = options.every * np.arange(1, len(one.validation) + 1)
    # The curves lie on one another: the first is drawn wide, to show below the second.
    look = {"linewidth": 5, "alpha": 0.35} if storage == "float32" else {"linewidth": 1.2}
    dots = {"markersize": 11, "alpha": 0.35} if storage == "float32" else {"markersize": 4}
    smooth = pictures.smooth(one.trainer.losses, 5)
    panels["loss"].plot(*smooth, color=color, label=f"{storage}, training", **look)
    panels["loss"].plot(steps, one.validation, "o", color=color, label="held out", **dots)
    size = one.trainer.state_bytes_per_parameter
    panels["memory"].bar(storage, size, color=color)
panels["loss"].set(xlabel="step", ylabel="loss [nats per byte]")
panels["loss"].legend(frameon=False)
panels["memory"].set(ylabel="state [bytes per parameter]")
figure

# %% [markdown]
# The second bar is above 2 bytes since small leaves (biases, scales)
# stay float32.
#
# ## Contents of the state
#
# The state has the same tree and the same shapes as in float32. Only its dtypes differ, so code for
# Optax's states keeps working.

# %%
model = runs["8bit"].trainer.model
weights = nnx.to_pure_dict(nnx.state(model, nnx.Param))
state = jax.eval_shape(char_lm.optimizer("8bit", options).init, weights)
for path, leaf in jax.tree_util.tree_leaves_with_path(state[0].nu)[:6]:
    print(jax.tree_util.keystr(path, simple=True, separator="/"), leaf.shape, leaf.dtype)

# %% [markdown]
# ## Generated text
#
# After so few steps the model knows indentation and some words. Longer training improves it.

# %%
written = list(b"def ")
key = jax.random.key(0)


@nnx.jit
def next_byte(model, context, key):
    return jax.random.categorical(key, model(context)[0, -1] / 0.7)


for _ in range(200):
    key, now = jax.random.split(key)
    context = np.full(options.length, ord("\n"), np.uint8)
    context[-len(written) :] = written[-options.length :]
    written.append(int(next_byte(model, jnp.array(context[None]), now)))
print(bytes(written).decode("latin-1"))

# %% [markdown]
# ## In numbers

# %%
losses = {storage: one.validation[-1] for storage, one in runs.items()}
sizes = {storage: one.trainer.state_bytes_per_parameter for storage, one in runs.items()}
assert abs(losses["8bit"] - losses["float32"]) < 0.05, losses
assert losses["8bit"] < 2.7, losses
assert sizes["8bit"] < 0.4 * sizes["float32"], sizes
