"""Steps of `mup` change activations by the same at every width."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.optimizer import DECAY_MODES
from adamjax.tuning.mup import KINDS
from tests.tiers import each_variant

BASE, WIDE = 16, 64
RATE = 0.01


def layers(d):
    """Shapes of leaves of each kind: a head is no matrix, an output is one."""
    shapes = {
        "constant": (8, 8),
        "bias": (d,),
        "embedding": (6, d),
        "hidden": (d, 2 * d),
        "last": (d, 8),
    }
    shapes |= {"lm_head": (d, 8)}
    return {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}


def draw(shapes, seed=0):
    """Random parameters, with a root mean square of 1 at every width."""
    rng = np.random.default_rng(seed)
    return {
        name: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32) for name, leaf in shapes.items()
    }


def changes(make, d, *, rank_one=True, **arguments):
    """By how much the first step changes the activations of each layer.

    Gradients are x dᵀ, with backpropagated d that shrink with the width that they come from, or
    matrices of full rank whose columns x combines.
    """
    shapes, rng = layers(d), np.random.default_rng(1)
    inputs, gradients = {}, {}
    for name, leaf in shapes.items():
        *rows, columns = leaf.shape
        signs = rng.choice([-1.0, 1.0], columns) * (1 if columns == 8 else BASE / columns)
        x = np.eye(6)[0] if name == "embedding" else rng.choice([-1.0, 1.0], rows)
        g = np.multiply.outer(x, signs)
        if len(rows) and not rank_one:
            g = rng.normal(size=leaf.shape)
            x = g @ signs
            x /= np.sqrt(np.mean(np.square(x)))
        inputs[name], gradients[name] = x, jnp.asarray(g, jnp.float32)
    params = adamjax.mup_init(draw(shapes), draw(layers(BASE)))
    tx = adamjax.mup(make, shapes, layers(BASE), **arguments)
    updates, _ = tx.update(gradients, tx.init(params), params)
    moved = {name: np.tensordot(x, updates[name], np.ndim(x)) for name, x in inputs.items()}
    return {name: np.sqrt(np.mean(np.square(y))) for name, y in moved.items()}


ADAMH = partial(adamjax.hyperball, adamjax.scale_by_adam())
MUONH = partial(adamjax.hyperball, adamjax.scale_by_muon())
WIDE_ONLY = ("muon rms", "muon dion", "normuon")
MUON = {"ns_steps": 1}  # enough for one singular value
MAKES = {
    "adamw": ("adamw", {}),
    "adamw, large eps": ("adamw", {"eps": 1.0}),
    "optax.adamw": (optax.adamw, {"eps_root": 1.0}),
    "given kind": (lambda learning_rate: optax.lion(learning_rate), {"kind": "sign"}),
    "lion": (adamjax.lion, {}),
    "sgd": (optax.sgd, {}),
    "adamh": (ADAMH, {"kind": "adamh"}),
    "muon": ("muon", MUON),
    "muon rms": ("muon", {**MUON, "scale": "rms"}),
    "muon dion": ("muon", {**MUON, "style": "dion"}),
    "normuon": ("normuon", MUON),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.wide] * (n in WIDE_ONLY)) for n in MAKES],
)
def test_step_changes_activations_by_the_same_at_every_width(name):
    make, arguments = MAKES[name]
    base, wide = (changes(make, d, learning_rate=RATE, **arguments) for d in (BASE, WIDE))
    assert min(base.values()) > 0
    for layer, size in base.items():
        np.testing.assert_allclose(wide[layer], size, rtol=0.05, err_msg=layer)


@pytest.mark.wide
def test_muonh_changes_activations_by_the_same_with_updates_of_full_rank():
    arguments = {"kind": "muonh", "rank_one": False, "learning_rate": RATE}
    base, wide = (changes(MUONH, d, **arguments) for d in (BASE, WIDE))
    for layer in ("hidden", "last"):
        np.testing.assert_allclose(wide[layer], base[layer], rtol=0.1, err_msg=layer)


@pytest.mark.parametrize("mode", [name for name in DECAY_MODES if name != "l2"])
def test_weight_decay_is_the_same_at_every_width(mode):
    params = {"kernel": jnp.full((4, 4), 0.5)}
    arguments = {"learning_rate": 0.1, "weight_decay": 0.2, "decay_mode": mode}
    steps = []
    for base in (4, 2):
        tx = adamjax.mup("adamw", params, {"kernel": jnp.ones((base, base))}, **arguments)
        steps.append(tx.update({"kernel": jnp.zeros((4, 4))}, tx.init(params), params)[0])
    np.testing.assert_allclose(steps[1]["kernel"], steps[0]["kernel"], rtol=1e-6)


def test_base_size_takes_the_steps_of_the_optimizer():
    params = draw(layers(BASE))
    txs = adamjax.mup("adamw", params, params, learning_rate=RATE), adamjax.adamw(RATE)
    ours, theirs = (tx.update(params, tx.init(params), params)[0] for tx in txs)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@each_variant(names=[name for names in KINDS.values() for name in names.split()], others="wide")
def test_variant_scales_with_gradients_as_its_kind(name):
    """Only steps of SGD grow with gradients, if ε does so as well."""
    kind = next(kind for kind, names in KINDS.items() if name in names.split())
    params = {"kernel": jnp.asarray(np.random.default_rng(0).normal(size=(8, 12)), jnp.float32)}

    def total(factor):
        arguments = {"eps": 0.1 * factor} if kind == "adam" and name != "adam_atan2" else {}
        tx, p = adamjax.create(name, learning_rate=0.01, weight_decay=0.0, **arguments), params
        state = tx.init(p)
        for i in range(3):
            gradients = jax.tree.map(lambda x, i=i: factor * jnp.sin(5 * x + i), params)
            updates, state = tx.update(gradients, state, p)
            p = optax.apply_updates(p, updates)
        return p["kernel"] - params["kernel"]

    ratio = 16.0 if kind == "sgd" else 1.0
    np.testing.assert_allclose(total(16.0), ratio * total(1.0), rtol=1e-3, atol=1e-5)


# --- kinds of leaves


def stack(layers, d, heads):
    return {
        "blocks": {
            "norm": {"scale": jnp.ones((layers, d))},
            "out": {"kernel": jnp.ones((layers, heads, 4, d))},
            "query": {"kernel": jnp.ones((layers, d, heads, 4))},
        },
        "scale": jnp.ones(()),
    }


def test_table_has_heads_layers_and_all_factors():
    layouts = adamjax.stacked_layouts({"blocks/*": 0}, "flax")
    wide, base = stack(6, 32, 8), stack(2, 8, 2)
    tx = adamjax.mup("adamw", wide, base, layouts=layouts, weight_decay=0.1)
    assert str(tx.table(wide)).splitlines() == [
        "parameter            shape          kind      inputs  outputs  layers  "
        "learning_rate  eps      weight_decay  init",
        "blocks/norm/scale    (6, 32)        vector    1       4        3       "
        "1              0.08333  1             1",
        "blocks/out/kernel    (6, 8, 4, 32)  hidden    4       4        3       "
        "0.25           0.08333  4             0.5",
        "blocks/query/kernel  (6, 32, 8, 4)  hidden    4       4        3       "
        "0.25           0.08333  4             0.5",
        "scale                ()             constant  1       1        1       "
        "1              1        1             1",
    ]
    deep = stack(6, 8, 2)
    assert {
        row.growth.kind for row in adamjax.mup("sgd", deep, base, layouts=layouts).table(deep)
    } == {
        "constant",
        "depth",
    }


def test_layout_tells_inputs_from_outputs():
    """torch has (outputs, inputs), and heads with fused axes grow one of them."""
    wide, base = ({"fc": {"weight": jnp.ones((d, 8))}} for d in (32, 8))
    kinds = [
        adamjax.mup("sgd", wide, base, layouts=each).table(wide)[0].growth.kind
        for each in (None, "torch")
    ]
    assert kinds == ["output", "input"]
    layouts = "in (heads=2 dim) -> heads dim in"
    wide, base = ({"query": jnp.ones((8, d))} for d in (32, 8))
    (row,) = adamjax.mup("muon", wide, base, layouts=layouts).table(wide)
    assert row.growth == ("input", 1.0, 4.0, 1.0)


def test_learning_rates_of_groups_are_measured():
    wide, base = draw(layers(WIDE)), layers(BASE)
    tx = adamjax.track(
        adamjax.mup("adamw", wide, base, learning_rate=optax.constant_schedule(RATE))
    )
    _, state = jax.jit(tx.update)(wide, tx.init(wide), wide)
    rates = {
        k: float(v) for k, v in adamjax.metrics(state).items() if k.startswith("learning_rate/")
    }
    assert rates == pytest.approx(
        {
            "learning_rate/vector": RATE,
            "learning_rate/input": RATE,
            "learning_rate/hidden": RATE / 4,
            "learning_rate/output": RATE / 4,
            "learning_rate/default": RATE,
        }
    )


@pytest.mark.parametrize("name", ["unembed/kernel", "embed_out.kernel"])
def test_names_of_heads(name):
    params, base = ({name: jnp.ones((d, 8))} for d in (WIDE, BASE))
    (row,) = adamjax.mup("adamw", params, base, learning_rate=RATE).table(params)
    assert row.factors["learning_rate"] == BASE / WIDE


# --- initialization


def test_init_has_the_root_mean_squares_of_the_rule():
    others = lambda d: {"bias": jnp.zeros(d, jnp.bfloat16), "positions": jnp.arange(d)}  # noqa: E731
    params, base = {**draw(layers(WIDE)), **others(WIDE)}, {**draw(layers(BASE), 1), **others(BASE)}
    new = jax.jit(adamjax.mup_init)(params, base)
    assert jax.tree.map(jnp.result_type, new) == jax.tree.map(jnp.result_type, params)
    rms = lambda x: float(jnp.sqrt(jnp.mean(jnp.square(x))))  # noqa: E731
    factors = {"embedding": 1, "hidden": 0.5, "last": 0.25, "lm_head": 0.25}
    for name, factor in factors.items():
        assert rms(new[name]) == pytest.approx(factor * rms(base[name]), rel=1e-5)
    for name in ("bias", "constant", "positions"):
        np.testing.assert_array_equal(new[name], params[name])


# --- errors


@pytest.mark.parametrize(
    ("make", "wide", "arguments", "message"),
    [
        ("adamw", {"a": (4, 4), "b": (4,)}, {}, "'b' is only in params"),
        (
            "adamw",
            {"a": (4,)},
            {},
            r"params\['a'\] has the axes \(4,\), but in base_params \(2, 2\)",
        ),
        (optax.adamw, {"a": (4, 4)}, {}, "learning_rate: give that of the small model"),
        ("adamw", {"a": (4, 4)}, {"kind": "adamw"}, "unknown kind 'adamw'"),
        ("prodigy", {"a": (4, 4)}, {}, "kind: it is unknown for 'prodigy'; give one of adam, "),
        (ADAMH, {"a": (4, 4)}, {}, "kind: it is unknown for 'hyperball'"),
        (optax.contrib.muon, {"a": (4, 4)}, {}, "kind: it is unknown for 'muon'"),
        (lambda learning_rate: optax.sgd(learning_rate), {"a": (4, 4)}, {}, "kind: it is unknown"),
        ("adamw", {"a": (4, 4)}, {"decay_mode": "l2"}, "decay_mode: 'l2' does not transfer"),
        ("adamw", {"a": (4, 4)}, {"learning_rat": 1.0}, "unknown setting 'learning_rat'"),
        ("muon", {"a": (4, 4)}, {"style": "tourch"}, "unknown style 'tourch'; did you mean"),
        ("muon", {"a": (4, 4)}, {"scale": "spectra"}, "unknown scale 'spectra'"),
    ],
)
def test_errors_name_the_leaf_or_the_argument(make, wide, arguments, message):
    base = {"a": jnp.ones((2, 2))}
    wide = {name: jnp.ones(shape) for name, shape in wide.items()}
    with pytest.raises(ValueError, match=message):
        adamjax.mup(make, wide, base, **arguments)


def test_modules_may_contain_their_sizes():
    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Linear:
        kernel: Any
        size: int = dataclasses.field(metadata={"static": True})

    wide, base = (Linear(jnp.ones((n, n)), n) for n in (4, 2))
    tx = adamjax.mup("adamw", wide, base)
    updates, _ = tx.update(wide, tx.init(wide), wide)
    assert updates.size == 4 and tx.table(wide)[0].growth.kind == "hidden"
    np.testing.assert_allclose(adamjax.mup_init(wide, base).kernel, 0.5**0.5, rtol=1e-6)


def test_growth_that_no_layout_explains_is_an_error():
    wide, base = ({"experts": jnp.ones((n, 4, 4))} for n in (8, 2))
    with pytest.raises(ValueError, match="axis 0 of 'experts' grows from 2 to 8, but no layout"):
        adamjax.mup("adamw", wide, base, layouts="e in out -> e out in")
    (row,) = adamjax.mup(
        "adamw", wide, base, layouts=adamjax.stacked_layouts({"experts": 0})
    ).table(wide)
    assert row.growth == ("depth", 1.0, 1.0, 4.0)
    with pytest.raises(ValueError, match="axis 0 of 'experts' grows"):
        adamjax.mup("adamw", wide, base, layouts="other")


def test_optimizer_or_shapes_in_place_of_their_sources_are_errors():
    with pytest.raises(TypeError, match="give the function"):
        adamjax.mup(optax.adamw(1e-3), {}, {})
    with pytest.raises(ValueError, match="base_params: give arrays"):
        adamjax.mup_init(draw(layers(WIDE)), layers(BASE))
    with pytest.raises(ValueError, match=r"^params: give arrays"):
        adamjax.mup_init(layers(WIDE), draw(layers(BASE)))
    swapped = adamjax.mup("adamw", layers(BASE), layers(WIDE))
    with pytest.raises(ValueError, match=r"was .* in mup, but is .* in init"):
        swapped.init(draw(layers(WIDE)))
