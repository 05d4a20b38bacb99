"""The released step is the ordinary one, a layer at a time."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax
from tests.tiers import each_variant

LAYERS, WIDTH, BATCH = 3, 8, 4


def block(p, x, batch):
    kernel = p["kernel"].astype(jnp.float32)
    if "factors" in batch:
        kernel = spoiled(kernel, batch["factors"][p["place"].astype(int)])
    return x + jnp.tanh(x @ kernel) * p["scale"].astype(jnp.float32)


@jax.custom_vjp
def spoiled(w, factor):
    """The weights, with a factor on their gradient."""
    return w


spoiled.defvjp(lambda w, factor: (w, factor), lambda factor, g: (factor * g, 0 * factor))


STAGES = {
    "embed": lambda p, x, batch: batch["inputs"] @ p["kernel"].astype(jnp.float32),
    "blocks": adamjax.Scan(block),
    "head": lambda p, x, batch: jnp.mean((x @ p["kernel"].astype(jnp.float32) - batch["y"]) ** 2),
}


def problem(dtype=jnp.float32, width=WIDTH):
    """Parameters, and batches of five steps."""
    shapes = {
        "embed": {"kernel": (5, width)},
        "blocks": {"kernel": (LAYERS, width, width), "scale": (LAYERS, width)},
        "head": {"kernel": (width, 2)},
    }
    rng = np.random.default_rng(0)
    draw = lambda shape: jnp.asarray(rng.normal(0, 0.4, shape), dtype)  # noqa: E731
    params = jax.tree.map(draw, shapes, is_leaf=lambda x: isinstance(x, tuple))
    batches = {"inputs": rng.normal(size=(5, BATCH, 5)), "y": rng.normal(size=(5, BATCH, 2))}
    return params, jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), batches)


def loss(params, batch):
    x = STAGES["embed"](params["embed"], None, batch)
    layer = jax.checkpoint(lambda x, p: block(p, x, batch))
    x, _ = jax.lax.scan(lambda x, p: (layer(x, p), None), x, params["blocks"])
    return STAGES["head"](params["head"], x, batch)


def ordinary(tx):
    def step(params, state, batch):
        value, gradients = jax.value_and_grad(loss)(params, batch)
        updates, state = given(gradients, state, params, value=value)
        return optax.apply_updates(params, updates), state, value

    given = optax.with_extra_args_support(tx).update
    return tx.init, step


def layers_apart(tx):
    """The ordinary step of a model whose layers are separate leaves, with an axis of size 1."""

    def init(params):
        return tx.init(apart(params))

    def apart(tree):
        layer = lambda i: jax.tree.map(lambda x: x[i][None], tree["blocks"])  # noqa: E731
        return tree | {"blocks": [layer(i) for i in range(LAYERS)]}

    def step(params, state, batch):
        value, gradients = jax.value_and_grad(loss)(params, batch)
        given, parts = optax.with_extra_args_support(tx).update, apart(params)
        updates, state = given(apart(gradients), state, parts, value=value)
        parts = optax.apply_updates(parts, updates)
        return parts | {"blocks": stack(parts["blocks"])}, state, value

    return init, step


def stack(layers):
    return jax.tree.map(lambda *x: jnp.concatenate(x), *layers)


def train(init, step, params, batches, steps):
    state, losses = init(params), []
    for i in range(steps):
        params, state, value = step(params, state, jax.tree.map(lambda x: x[i], batches))  # noqa: B023
        losses.append(value)
    return params, state, losses


def check_equal(tx, params, batches, steps=2):
    """Each operation alone gives the same bits. Programs differ in the fusions of XLA."""
    with jax.disable_jit():
        a = train(*ordinary(tx), params, batches, steps)
        b = train(*adamjax.release(STAGES, tx), params, batches, steps)
    equal(a, b)


def equal(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for (path, x), y in zip(
        jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b), strict=True
    ):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y, err_msg=jax.tree_util.keystr(path))


def test_plain():
    params, batches = problem()
    check_equal(adamjax.adamw(1e-2, weight_decay=0.1, mask="*kernel"), params, batches)


# Formats and roundings take their random bits apart. The other pairs add nothing.
@pytest.mark.parametrize(
    ("storage", "rounding"),
    [("bfloat16", None), ("8bit_v16", "kahan"), ("8bit", "residual8"), ("8bit", "stochastic")],
)
def test_storage(storage, rounding):
    params, batches = problem(jnp.bfloat16, 128)
    check_equal(adamjax.adamw(1e-2, storage=storage, param_rounding=rounding), params, batches)


@pytest.mark.parametrize(("platform", "apart"), [("cuda", 2), ("tpu", 0)])
def test_codes_of_a_layer_are_written_as_bytes(platform, apart):
    """XLA's GPU backend would write them as float32, and read these to update all layers."""
    params, batches = problem(width=128)
    tx = adamjax.adamw(0.1, storage="8bit")
    init, step = adamjax.release(STAGES, tx)
    traced = jax.jit(step).trace(params, init(params), jax.tree.map(lambda x: x[0], batches))
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    apart_from = re.findall(r"optimization_barrier (\S+) : tensor<1x128x128xu?i8>", text)
    slices = re.findall(r"(\S+) = stablehlo.dynamic_slice", text)
    assert len({*apart_from} - {*slices}) == apart


@pytest.mark.parametrize(
    "make",
    [
        lambda: optax.adamw(1e-2, mask=lambda p: jax.tree.map(lambda x: x.ndim > 2, p)),
        lambda: optax.inject_hyperparams(adamjax.lion)(optax.linear_schedule(1e-2, 0.0, 5)),
        lambda: optax.chain(optax.clip(0.1), adamjax.adamw(1e-2), optax.add_decayed_weights(0.1)),
        lambda: adamjax.schedule_free_adamw(1e-2),
        lambda: adamjax.ema_params(adamjax.adam(1e-2)),
        lambda: optax.masked(adamjax.adam(1e-2), {"embed": True, "blocks": True, "head": False}),
        lambda: optax.partition({"a": adamjax.adam(1e-2), "b": adamjax.sgd(0.1)}, label),
        lambda: optax.MultiSteps(adamjax.adam(1e-2), 2).gradient_transformation(),
        lambda: adamjax.accumulate(adamjax.adam(1e-2), 2, dtype=jnp.bfloat16),
        lambda: adamjax.adashift(1e-2, reduce="none"),
        lambda: adamjax.muon(1e-2, layouts={"blocks/*kernel": "layer in out -> layer out in"}),
    ],
    ids=[
        "optax",
        "inject",
        "chain",
        "schedule_free",
        "ema",
        "masked",
        "partition",
        "MultiSteps",
        "accumulate",
        "window",
        "muon",
    ],
)
def test_optimizers(make):
    check_equal(make(), *problem())


def label(params):
    return jax.tree.map_with_path(lambda path, x: "ab"["scale" in str(path)], params)


def test_each_layer_is_a_leaf_for_rules_on_whole_leaves():
    """adagc clips each layer to its own norm, as if the layers were separate leaves."""
    tx = optax.chain(adamjax.adagc(0.5, warmup_steps=0), adamjax.adam(1e-2))
    params, batches = problem()
    with jax.disable_jit():
        released, state, _ = train(*adamjax.release(STAGES, tx), params, batches, 3)
        expected, apart, _ = train(*layers_apart(tx), params, batches, 3)
    equal(released, expected)
    for i, norms in enumerate(apart[0].norm["blocks"]):
        equal(jax.tree.map(lambda x, i=i: x[i], state[0].norm["blocks"]), norms)


def test_guard_by_leaf():
    """An outlier and a NaN in one layer skip that layer, and a loss of NaN skips the step."""
    guarded = optax.chain(adamjax.clip_by_previous_norm(5.0), adamjax.adam(1e-2))
    tx = adamjax.guard(guarded, per_leaf=True, max_ratio=5.0, window=2, action="shrink")
    params, batches = problem()
    params["blocks"] = params["blocks"] | {"place": jnp.arange(float(LAYERS))}
    factors = np.ones((5, LAYERS), np.float32)
    factors[2, 1], factors[3, 2] = 1e3, np.nan
    batches = batches | {"factors": jnp.asarray(factors), "y": batches["y"].at[4].set(jnp.nan)}
    with jax.disable_jit():
        released, state, _ = train(*adamjax.release(STAGES, tx), params, batches, 5)
        expected, apart, _ = train(*layers_apart(tx), params, batches, 5)
    equal(released, expected)
    equal(adamjax.metrics(state), adamjax.metrics(apart))
    assert list(map(int, state[:4])) == [2, 1, 1, 2]
    norms = [jax.tree.map(lambda x: x[None], layer) for layer in apart.norms["blocks"]]
    equal(state.norms["blocks"], stack(norms))
    (clip, adam), (clip_apart, adam_apart) = state.inner_state, apart.inner_state
    np.testing.assert_allclose(clip.squares, clip_apart.squares, rtol=1e-6)
    assert int(adam[0].count) == int(adam_apart[0].count) == 4
    equal(adam[0].nu["blocks"], stack(adam_apart[0].nu["blocks"]))


@pytest.mark.parametrize("every_k", [1, 2])
def test_previous_norm(every_k):
    """The sum over the stages is the one over the tree, up to its order, also between updates."""
    tx = optax.chain(adamjax.clip_by_previous_norm(0.05), adamjax.sgd(0.5))
    tx = adamjax.accumulate(tx, every_k) if every_k > 1 else tx
    params, batches = problem()
    a = train(*map(jax.jit, ordinary(tx)), params, batches, 4)
    b = train(*map(jax.jit, adamjax.release(STAGES, tx)), params, batches, 4)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert optax.tree_utils.tree_get(a[1], "squares") > 0


REFUSED = {
    "clip_by_global_norm": lambda: optax.chain(optax.clip_by_global_norm(1.0), adamjax.adam(0.1)),
    "prodigy": lambda: adamjax.prodigy(),
    "adagc": lambda: optax.chain(adamjax.adagc(), adamjax.adam(0.1)),
    "adai": lambda: adamjax.adai(0.1),
    "guard": lambda: adamjax.guard(adamjax.adam(0.1)),
    "track": lambda: adamjax.track(adamjax.adam(0.1)),
    "apply_if_finite": lambda: optax.apply_if_finite(adamjax.adam(0.1), 3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_a_number_of_all_leaves(name):
    init, step = adamjax.release(STAGES, REFUSED[name]())
    params, batches = problem()
    with pytest.raises(ValueError, match=r"tx: it computes a number from the gradients.*no track"):
        jax.eval_shape(step, params, jax.eval_shape(init, params), batches)


def test_refuses_random_numbers_from_a_key():
    params, _ = problem()
    _, step = adamjax.release(STAGES, optax.add_noise(0.1, 0.5, 0))
    with pytest.raises(ValueError, match="tx: it draws random numbers from a key"):
        step(params, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": lambda p, x, batch: x}, "the last one, 'head', must return the loss"),
        ({"embed": lambda p, x, batch: jnp.ones(2, int)}, "the output of 'embed', x"),
        (
            {"blocks": adamjax.Scan(lambda p, x, batch: x.astype(jnp.bfloat16))},
            r"a layer of 'blocks' must keep.* from float32\[4, 8\] it makes bfloat16\[4, 8\]",
        ),
    ],
)
def test_errors_of_stages(change, message):
    params, batches = problem()
    init, step = adamjax.release(STAGES | change, adamjax.adam(0.1))
    with pytest.raises((ValueError, TypeError), match=message):
        step(params, init(params), jax.tree.map(lambda x: x[0], batches))


def test_errors_of_parameters():
    params, batches = problem()
    init, _ = adamjax.release(STAGES, adamjax.adam(0.1))
    with pytest.raises(ValueError, match="no stage is for the parameter 'tail/w'"):
        init(params | {"tail": {"w": jnp.ones(3)}})
    ragged = params["blocks"] | {"scale": jnp.ones((2, WIDTH))}
    with pytest.raises(ValueError, match="a first axis of one size"):
        init(params | {"blocks": ragged})
    tx = optax.chain(adamjax.adagc(warmup_steps=0), adamjax.adam(0.1))
    message = r"has shape \(\), but for the layers of 'blocks' it has \(3,\); make the state with"
    with pytest.raises(ValueError, match=message):
        adamjax.release(STAGES, tx).step(
            params, tx.init(params), jax.tree.map(lambda x: x[0], batches)
        )


def test_refuses_layer_wise_decay():
    """A layer alone would be the only one, with the factor of the last."""
    params = {"blocks": problem()[0]["blocks"]}
    tx = adamjax.groups("sgd", {"*": {"learning_rate": 1.0}}, layer_decay=0.5, stacked={"*": 0})
    with pytest.raises(ValueError, match="layer_decay: release updates a layer without"):
        adamjax.release({"blocks": adamjax.Scan(block)}, tx).init(params)


def test_sharded_parameters_are_gathered_a_layer_at_a_time():
    """With FSDP no device has the weights or the gradients of all layers."""
    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
    params, batches = problem(width=256)
    batch = jax.tree.map(lambda x: x[0], batches)
    wide = lambda x: P(*[None] * (x.ndim - 2), "data", None)  # noqa: E731
    spec = lambda x: wide(x) if x.size > 20_000 else P()  # noqa: E731
    at = jax.tree.map(lambda x: NamedSharding(mesh, spec(x)), params)
    tx = adamjax.sgd(0.1, momentum=0.9)
    state_at = adamjax.state_shardings(tx, params, at)
    batch_at = jax.tree.map(lambda _: NamedSharding(mesh, P("data")), batch)
    init, step = adamjax.release(STAGES, tx)
    run = jax.jit(step, in_shardings=(at, state_at, batch_at), out_shardings=(at, state_at, None))
    program = run.lower(params, init(params), batch).compile()
    gathered = re.findall(r"f32\[([\d,]*)\]\S* all-(?:gather|reduce)\(", program.as_text())
    assert "256,256" in gathered
    assert not [shape for shape in gathered if shape.startswith(f"{LAYERS},")]
    arguments = jax.device_put((params, init(params), batch), (at, state_at, batch_at))
    expected = jax.jit(step)(params, init(params), batch)
    for x, y in zip(jax.tree.leaves(program(*arguments)), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


@each_variant()
def test_variants(name):
    """A variant is refused, or its state keeps tree, shapes and dtypes."""
    make = adamjax.get_variant(name).optimizer
    settings = {"layouts": {"blocks/*kernel": "layer in out -> layer out in"}}
    tx = make(0.1, **(settings if "layouts" in inspect.signature(make).parameters else {}))
    init, step = adamjax.release(STAGES, tx)
    params, batches = problem()
    batch = jax.tree.map(lambda x: x[0], batches)
    before = params, jax.eval_shape(init, params)
    if name in ("adai", "dadapt_adam", "prodigy"):
        with pytest.raises(ValueError, match="several leaves"):
            jax.eval_shape(step, *before, batch)
        return
    *after, _ = jax.eval_shape(step, *before, batch)
    shapes = lambda tree: jax.tree.map(lambda x: (x.shape, x.dtype), tree)  # noqa: E731
    assert shapes(before) == shapes(tuple(after))
