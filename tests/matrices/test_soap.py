"""SOAP and its kin on layouts, and divided over devices."""

import re

import jax
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec as P

import adamjax
from adamjax.sharding import state_shardings
from tests.sharding import plans

NAMES = ("soap", "kl_soap", "kl_shampoo")
SETTINGS = {"learning_rate": 0.1, "precondition_frequency": 2, "eps": 1e-3, "max_size": 6}
LAYOUTS = {
    "heads": "in (heads=3 dim) -> heads dim in",
    "unequal": "in out=7+5 -> out in",  # 7 rows are not rotated
    "stack": "in stack out -> stack out in",
}
RANDOM = np.random.default_rng(3)


def path(tx, params, gradients):
    state, update, steps = tx.init(params), jax.jit(tx.update), []
    for gradient in gradients:
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        steps.append(updates)
    return steps


def separated(tree):
    """The matrices of the leaves as leaves."""
    matrices = {f"head{i}": tree["heads"][:, 5 * i : 5 * i + 5] for i in range(3)}
    matrices |= {f"layer{i}": tree["stack"][:, i] for i in range(2)}
    return matrices | {"seven": tree["unequal"][:, :7], "five": tree["unequal"][:, 7:]}


@pytest.mark.xdist_group("float64")
@pytest.mark.parametrize("name", NAMES)
def test_a_fused_leaf_equals_separate_parameters(name, float64):
    shapes = {"heads": (5, 15), "stack": (5, 2, 5), "unequal": (5, 12)}
    start, *gradients = (
        {leaf: RANDOM.normal(size=shape) for leaf, shape in shapes.items()} for _ in range(6)
    )
    extra = {"normalize": True} if name == "soap" else {}
    fused = path(adamjax.create(name, layouts=LAYOUTS, **SETTINGS, **extra), start, gradients)
    tx = adamjax.create(name, layouts="in out -> out in", **SETTINGS, **extra)
    alone = path(tx, separated(start), list(map(separated, gradients)))
    for updates, expected in zip(map(separated, fused), alone, strict=True):
        for leaf, u in expected.items():
            np.testing.assert_allclose(updates[leaf], u, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_three_axes_need_a_layout(name):
    params = {"conv": np.ones((3, 3, 4), np.float32)}
    with pytest.raises(ValueError, match=r"'conv' of shape \(3, 3, 4\): no layout says"):
        adamjax.create(name).init(params)
    tx = adamjax.create(name, layouts="axes")
    updates, _ = tx.update(params, tx.init(params), params)
    assert updates["conv"].shape == (3, 3, 4)


def test_rounding_decides_where_a_covariance_is_rank_deficient():
    """Of 12 x 4 matrices the first covariance of the rows has rank 4, that of the columns too."""
    start, *gradients = RANDOM.normal(size=(3, 12, 4)).astype("f")
    nearly = [g * (1 + 1e-7 * RANDOM.normal(size=g.shape)).astype("f") for g in gradients]
    for max_size, reproducible in ((12, False), (4, True)):
        tx = adamjax.soap(0.1, max_size=max_size)
        u, v = (path(tx, start, each)[-1] for each in (gradients, nearly))
        assert (np.linalg.norm(u - v) < 1e-3 * np.linalg.norm(u)) == reproducible


def test_work_is_divided_over_devices():
    """Of eight matrices each device decomposes the sides of one, whatever their sharding."""
    tx, mesh = adamjax.soap(0.1), plans.mesh()
    counts = []
    for leaves in (8, 16):
        shapes = {str(i): jax.ShapeDtypeStruct((32, 16), np.float32) for i in range(leaves)}
        at = jax.tree.map(lambda _: jax.sharding.NamedSharding(mesh, P("data", "model")), shapes)
        state_at = state_shardings(tx, shapes, at, zero="data", min_size=0)
        placed = [
            jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), *pair)
            for pair in ((shapes, at), (jax.eval_shape(tx.init, shapes), state_at))
        ]
        step = jax.jit(tx.update, out_shardings=(at, state_at))
        text = step.lower(placed[0], placed[1], placed[0]).compile().as_text()
        for routine in ("sgeqrf", "ssyevd"):
            shapes = set(re.findall(rf"= \((f32\[[\d,]*\])[^\n]*lapack_{routine}", text))
            assert shapes == {f"f32[{leaves // 8},{n},{n}]" for n in (16, 32)}
        counts.append(len(re.findall(r" (?:all-to-all|all-gather|collective-permute)\(", text)))
        assert "all-reduce(" not in text
    assert counts[0] == counts[1] <= 60
