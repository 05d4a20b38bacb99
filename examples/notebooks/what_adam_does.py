# %% [markdown]
# # How Adam works
#
# Three views of Adam: its path, the correction of its averages, and the effective learning rate of
# each weight.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.cli.compare import draw_paths, run
from adamjax.problems import get_problem
from adamjax.tracking import plot_metrics
from examples import pictures

# %% [markdown]
# ## Paths
#
# The two problems have two parameters. In the long valley, the gradient is large across the valley
# and small along it. On the plateau it is almost zero at first. Each method runs at the best of
# eleven learning rates.

# %%
methods = {"sgd": adamjax.sgd, "adam": adamjax.adam, "nadam": adamjax.nadam}
figure, panels = pictures.axes([["quadratic", "plateau"]], (11, 4.6))
reached = {}
for name, panel in panels.items():
    problem = get_problem(name)
    runs = [run(make, problem, steps=300, label=label) for label, make in methods.items()]
    assert problem.window is not None  # it is in the plane
    draw_paths(panel, problem, problem.window, runs)
    panel.set_title(name, loc="left")
    panel.legend(frameon=True, fontsize="small", loc="lower right")
    reached[name] = {one.label: float(one.distances[-1]) for one in runs}
    print(f"{name}: {problem.shows}")
figure

# %% [markdown]
# On the plateau plain gradient descent has to wait, because its steps are as small as the gradient.
# Adam's are not: it divides by the gradient's size.

# %% [markdown]
# ## Why it corrects its averages
#
# m and v start at 0, so in the beginning they are too small: after t steps by 1 - b₁ᵗ and 1 - b₂ᵗ.
# Since v is behind for longer, m / √v would make the first steps too long. With the correction,
# the first step is the learning rate, whatever the gradient. MLX leaves it out by default, and
# `style="mlx"` does the same here.

# %%
steps = 40
gradients = 0.01 * (1 + 0.3 * np.random.default_rng(0).standard_normal(steps))


def updates_of(tx):
    state, sizes = tx.init(jnp.float32(0.0)), []
    for gradient in gradients:
        update, state = tx.update(jnp.float32(gradient), state)
        sizes.append(-float(update))
    return sizes


corrected = updates_of(adamjax.adam(0.1))
uncorrected = updates_of(adamjax.adam(0.1, style="mlx"))
figure, panels = pictures.axes([["steps"]], (7, 3.4))
panels["steps"].plot(range(1, steps + 1), corrected, color=pictures.COLORS[0], label="corrected")
panels["steps"].plot(
    range(1, steps + 1), uncorrected, color=pictures.COLORS[1], label="not corrected"
)
panels["steps"].axhline(0.1, color="#7F7F7F", linestyle="--", label="learning rate")
panels["steps"].set(xlabel="step", ylabel="length of the step", ylim=(0, None))
panels["steps"].legend(frameon=False)
figure

# %% [markdown]
# ## Effective learning rates
#
# Adam multiplies the averaged gradient of a weight by η / √v̂. Here a regression has three inputs
# of very different size, and each weight gets another factor.

# %%
scales = jnp.array([10.0, 1.0, 0.1])
inputs = scales * jax.random.normal(jax.random.key(0), (256, 3))
targets = inputs @ jnp.array([0.2, 2.0, 20.0])
tx = adamjax.track(adamjax.adam(optax.cosine_decay_schedule(0.3, 400)), b2=0.999)


@jax.jit
def train_step(weights, state):
    loss, gradient = jax.value_and_grad(lambda w: jnp.mean((inputs @ w - targets) ** 2))(weights)
    updates, state = tx.update(gradient, state, weights)
    return optax.apply_updates(weights, updates), state, loss


weights, recorder = jnp.zeros(3), adamjax.Recorder()
state = tx.init(weights)
for step in range(1, 401):
    weights, state, loss = train_step(weights, state)
    recorder.record(step, {"loss": loss, **adamjax.metrics(state)})
print("weights:", np.round(weights, 2), "loss:", f"{loss:.2g}")
figure = plot_metrics(recorder.history)
figure

# %%
history = recorder.history
ratio = history["effective_lr_p95"][0] / history["effective_lr_p05"][0]
print(f"at first, the largest effective learning rate is {ratio:.0f} times the smallest")

# %% [markdown]
# ## In numbers

# %%
assert reached["plateau"]["adam"] < 0.1 < reached["plateau"]["sgd"], reached
assert abs(corrected[0] - 0.1) < 1e-4
assert uncorrected[0] > 2 * corrected[0]
assert ratio > 5
assert loss < history["loss"][0] / 100
