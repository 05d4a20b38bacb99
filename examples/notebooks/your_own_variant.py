# %% [markdown]
# # A variant of your own, and a run from elsewhere
#
# A variant is a function of one array: gradient and averages in, direction and new averages out.
# Everything else (trees, dtypes, schedules, masks, few bits, sharding) is written once around it.

# %%
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.cli.compare import draw_paths, run
from adamjax.interop.optax import from_optax
from adamjax.moments import debias, ema
from adamjax.problems import get_problem
from adamjax.testing import check
from examples import pictures

# %% [markdown]
# ## A dozen lines
#
# Adam divides by the root of the mean square. This variant takes the cube root of the mean cube.
# Large gradients count for more, and for longer.


# %%
def rule(g, moments, step, largest=jnp.inf):
    mu = ema(g, moments.mu, step.b1)
    nu = ema(jnp.minimum(jnp.abs(g), largest) ** 3, moments.nu, step.b2)
    u = debias(mu, step.b1) / (jnp.cbrt(debias(nu, step.b2)) + step.eps)
    return u, moments._replace(mu=mu, nu=nu)


def cubic(learning_rate, b1=0.9, b2=0.999, eps=1e-8, rule=rule, **options):
    slots = {"mu": adamjax.Slot(), "nu": adamjax.Slot()}
    direction = adamjax.lift(
        rule, optax.ScaleByAdamState, slots, betas={"b1": b1, "b2": b2}, scalars={"eps": eps}
    )
    return adamjax.optimizer(direction, learning_rate, **options)


# %% [markdown]
# ## Does it hold?
#
# `check` tests any Optax transformation as users apply it: zero, tiny and huge gradients, every
# dtype, masks, `jit`, checkpoints of frameworks ... It finds a fault:

# %%
finding = "nothing"
try:
    check(cubic(1e-3))
except AssertionError as error:
    finding = str(error)
print(finding)

# %% [markdown]
# The cube of a huge gradient is infinite in float32, and so is the divisor. Clip gradients at 10¹²,
# whose cube is still finite.

# %%
sturdy = partial(cubic, rule=partial(rule, largest=1e12))
report = check(sturdy(1e-3))
print(len(report.ran), "checks passed; left out:", dict(report.not_run))

# %% [markdown]
# ## Against Adam
#
# On a bowl whose gradients are noisy, and over a cliff: a first gradient a thousand times as large
# as those that follow.

# %%
figure, panels = pictures.axes([["noisy", "cliff"]], (11, 4.6))
losses = {}
for name, panel in panels.items():
    problem = get_problem(name)
    makes = {"adam": adamjax.adam, "cubic": sturdy}
    runs = [run(make, problem, steps=300, label=label) for label, make in makes.items()]
    assert problem.window is not None  # it is in the plane
    draw_paths(panel, problem, problem.window, runs)
    panel.set_title(name, loc="left")
    panel.legend(frameon=True, fontsize="small", loc="lower right")
    losses[name] = {one.label: float(one.losses[-1]) for one in runs}
    print(name, losses[name])
figure

# %% [markdown]
# ## All the rest is there
#
# Few bits, a schedule, a modifier around it and a wrapper around that: none of them was written for
# this variant.

# %%
rate = optax.cosine_decay_schedule(3e-2, 200)
tx = adamjax.lookahead(sturdy(rate, weight_decay=1e-3, storage="8bit"))
inputs = jax.random.normal(jax.random.key(0), (512, 128))
targets = inputs @ jax.random.normal(jax.random.key(1), (128, 128)) / 11


def loss_of(params):
    return jnp.mean((inputs @ params["kernel"] + params["bias"] - targets) ** 2)


@jax.jit
def train_step(tx_state, params):
    loss, gradients = jax.value_and_grad(loss_of)(params)
    updates, tx_state = tx.update(gradients, tx_state, params)
    return tx_state, optax.apply_updates(params, updates), loss


params = {"kernel": jnp.zeros((128, 128)), "bias": jnp.zeros(128)}
state, curve = tx.init(params), []
for _ in range(200):
    state, params, loss = train_step(state, params)
    curve.append(float(loss))
figure, panels = pictures.axes([["loss"]], (7, 3.2))
panels["loss"].plot(curve, color=pictures.COLORS[0])
panels["loss"].set(xlabel="step", ylabel="loss", yscale="log")
figure

# %% [markdown]
# ## A run from elsewhere goes on
#
# Ten steps of Optax's Adam, and then on with the same averages here: the next step is the same as
# if nothing had happened. From torch and Keras it works in the same way, see docs/interop.md.

# %%
theirs = optax.adam(1e-2)
params = {"kernel": jnp.zeros((128, 128)), "bias": jnp.zeros(128)}
their_state = theirs.init(params)
for _ in range(10):
    updates, their_state = theirs.update(jax.grad(loss_of)(params), their_state, params)
    params = optax.apply_updates(params, updates)

ours, our_state = from_optax("adam", their_state, params, learning_rate=1e-2)
gradients = jax.grad(loss_of)(params)
their_updates, _ = theirs.update(gradients, their_state, params)
our_updates, _ = ours.update(gradients, our_state, params)
apart = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), our_updates, their_updates)
difference = float(max(jax.tree.leaves(apart)))
print("largest difference of the eleventh update:", difference)

# %% [markdown]
# ## In numbers

# %%
assert "huge_gradients" in finding
assert "huge_gradients" in report.ran
assert curve[-1] < 0.1 * curve[0], (curve[0], curve[-1])
assert difference < 1e-7
assert np.isfinite([loss for both in losses.values() for loss in both.values()]).all()
