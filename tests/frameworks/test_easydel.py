"""EasyDeL: `update` by keywords, partition specs by regular expressions on the state's paths.

Facts, in erfanzar/EasyDeL, easydel/infra/base_state.py:
- `EasyDeLState.create` splits an NNX model into a graph, its parameters (a `GraphState`) and the
  rest; `apply_gradients` calls `tx.update(updates=grads, state=opt_state, params=graphstate)`.
- `init_tx` evaluates the shapes of `tx.init`, gives `match_partition_rules(rules, shapes)` to
  `jax.jit` as `out_shardings`. The rules are pairs of a regular expression, searched in a leaf's
  "/"-joined path, and a spec; scalars are replicated, a spec longer than the rank is cut off, a
  leaf that no rule matches is an error; axes that do not divide a dimension are dropped.
"""

import re

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec as P

from tests.frameworks.loop import (
    LEARNING_RATE,
    OPTIMIZERS,
    assert_same,
    optimizers,
)
from tests.frameworks.test_nnx import Model, batch, pure_params, wanted_of

# Written for the parameters; the moments are called like them.
RULES = (
    ("encoder/kernel", P("fsdp", "tp")),
    ("head/kernel", P("tp", "fsdp")),
    ("bias", P(None)),
)


def path_of(path):
    parts = [getattr(key, "idx", getattr(key, "key", getattr(key, "name", None))) for key in path]
    return "/".join(map(str, parts))


def partition(rules, tree):
    def spec_of(path, leaf):
        if leaf.ndim == 0:
            return P()
        for pattern, spec in rules:
            if re.search(pattern, path_of(path)):
                return P(*tuple(spec)[: leaf.ndim])
        raise ValueError(f"no rule for {path_of(path)}")

    return jax.tree_util.tree_map_with_path(spec_of, tree)


def sharding_of(mesh, spec, shape):
    """Without the axes that do not divide their dimension."""
    fits = [a if a and n % mesh.shape[a] == 0 else None for a, n in zip(spec, shape, strict=False)]
    return NamedSharding(mesh, P(*fits))


class State:
    """What a trainer holds."""

    def __init__(self, model, tx, mesh):
        self.graph, self.params, self.other = nnx.split(model, nnx.Param, ...)
        self.tx, self.step = tx, 0
        shapes = jax.eval_shape(lambda: tx.init(self.params))
        specs = partition(RULES, shapes)
        shardings = jax.tree.map(lambda x, s: sharding_of(mesh, s, x.shape), shapes, specs)
        self.update = jax.jit(lambda g, s, p: tx.update(updates=g, state=s, params=p))
        self.opt_state = jax.jit(tx.init, out_shardings=shardings)(self.params)

    def apply_gradients(self, *, grads):
        updates, self.opt_state = self.update(grads, self.opt_state, self.params)
        self.params = optax.apply_updates(self.params, updates)
        self.step += 1

    def gradient_function(self):
        def loss(params, t):
            model = nnx.merge(self.graph, params, self.other)
            return jnp.mean((model(batch(t)) - 1.0) ** 2)

        return jax.jit(jax.grad(loss))


@optimizers("adamw", "adamw in 8 bits")
def test_state_is_the_plain_loop(make):
    mesh = jax.make_mesh((1, 1), ("fsdp", "tp"), axis_types=(AxisType.Auto,) * 2)
    model = Model()
    start = pure_params(model)
    state = State(model, make(LEARNING_RATE), mesh)
    gradients = state.gradient_function()
    for t in range(5):
        state.apply_gradients(grads=gradients(state.params, jnp.float32(t)))
    assert_same(nnx.to_pure_dict(state.params), wanted_of(make, 5), start)


@optimizers()
def test_rules_for_the_parameters_fit_the_state(make):
    mesh = AbstractMesh((4, 2), ("fsdp", "tp"))
    params = nnx.state(Model(), nnx.Param)
    shapes = jax.eval_shape(make(LEARNING_RATE).init, params)
    specs = partition(RULES, shapes)
    pairs = zip(jax.tree_util.tree_leaves_with_path(shapes), jax.tree.leaves(specs), strict=True)
    seen = 0
    for (path, leaf), spec in pairs:
        sharding = sharding_of(mesh, spec, leaf.shape)
        here = sharding.shard_shape(leaf.shape)
        if "encoder/kernel" in path_of(path):
            # Whole, or the mean over one dimension, which has length 1 and is not divided.
            whole = tuple(n if n == 1 else n // k for n, k in zip(leaf.shape, (4, 2), strict=True))
            assert here == whole
            seen += leaf.shape == (160, 128)
    moments = {"lion": 1, "adafactor": 1, "amsgrad": 3}
    name = next(n for n, other in OPTIMIZERS.items() if other is make)
    assert seen == moments.get(name, 2)


@pytest.mark.parametrize("field", ["mu", "nu"])
def test_paths_of_the_state_have_the_names_of_the_moments(field):
    """So that rules may tell a moment from another, and are checked: one too few is an error."""
    shapes = jax.eval_shape(OPTIMIZERS["adamw"](LEARNING_RATE).init, nnx.state(Model(), nnx.Param))
    specs = partition(((f"/{field}/.*kernel", P("fsdp")), (".*", P(None))), shapes)
    other = {"mu": "nu", "nu": "mu"}[field]
    by_path = {path_of(path): spec for path, spec in jax.tree_util.tree_leaves_with_path(specs)}
    for path, spec in by_path.items():
        if "kernel" in path:
            assert spec == (P("fsdp") if f"/{field}/" in path else P(None))
    assert sum("/encoder/kernel" in path for path in by_path) == 2
    with pytest.raises(ValueError, match=f"no rule for 0/{other}/encoder"):
        partition(((f"/{field}/", P("fsdp")),), shapes)
