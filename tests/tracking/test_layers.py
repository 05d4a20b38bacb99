"""The metrics of each layer against NumPy, spikes, and the metrics of matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tracking import Recorder, find_spikes, matrix_metrics, metrics, plot_layers, track
from adamjax.tracking.sums import STACK_SIZE

PARAMS = {
    "layers": {"kernel": jnp.linspace(-1.0, 2.0, 24).reshape(3, 4, 2)},
    "bias": jnp.array([0.5, -0.25]),
}
STACKED = {"layers/*": 0}


def run(tx, grads, params=PARAMS):
    update, state = jax.jit(tx.update, donate_argnums=1), tx.init(params)
    for g in grads:
        _, state = update(g, state, params)
    return metrics(state)


def times(layer, factor):
    kernel = PARAMS["layers"]["kernel"].at[layer].mul(factor)
    return {**PARAMS, "layers": {"kernel": kernel}}


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_each_layer_has_the_metrics_of_its_elements(dtype):
    params = jax.tree.map(lambda x: x.astype(dtype), PARAMS)
    grads = jax.tree.map(lambda x: (1 - x * x).astype(dtype), PARAMS)
    values = run(track(optax.sgd(2.0**-8), per_layer=STACKED), [grads], params)
    g, p = (np.asarray(t["layers"]["kernel"], float).reshape(3, 8) for t in (grads, params))
    # The update of SGD is exact, and the new parameter is rounded.
    new = np.asarray(jnp.asarray(p - g / 256, dtype), float)
    expected = {
        "gradient_norm": np.linalg.norm(g, axis=1),
        "parameter_norm": np.linalg.norm(p, axis=1),
        "update_norm": (d := np.linalg.norm(new - p, axis=1)),
        "update_ratio": d / np.linalg.norm(p, axis=1),
        "gradient_cosine": -np.sum((new - p) * g, 1) / d / np.linalg.norm(g, axis=1),
        "lost": np.mean((new == p) & (g != 0), axis=1),
        "nonfinite": np.zeros(3),
        "gradient_spike": np.zeros(3),  # nothing before
    }
    for key, value in expected.items():
        np.testing.assert_allclose(values[f"{key}/layers/kernel"], value, rtol=2e-4, err_msg=key)
        assert values[f"{key}/bias"].shape == ()
    assert (values["lost/layers/kernel"].max() > 0) == (dtype == jnp.bfloat16)


def test_the_whole_tree_and_the_updates_are_those_without_layers():
    grads = [PARAMS, times(1, jnp.nan), times(0, jnp.inf)]
    for storage in ("float32", "8bit"):
        tx = adamjax.adamw(0.1, storage=storage)
        plain, layers = (run(track(tx, per_layer=each), grads[:1]) for each in (False, STACKED))
        for key, value in plain.items():
            np.testing.assert_allclose(layers[key], value, rtol=1e-6, err_msg=key)
    assert run(track(optax.sgd(0.1), per_layer=STACKED), grads)["nonfinite"] == 8


def test_leaves_in_stacks_keep_their_places():
    """Of three shapes and two dtypes, in an order that mixes them, and more than a stack holds."""
    size = STACK_SIZE // 2
    shapes = [(size,), (3,), (size,), (2, 2), (3,), (size,)]
    params = {f"p{i}": jnp.full(shape, i + 1.0) for i, shape in enumerate(shapes)}
    params |= {"p6": jnp.full(3, 7.0, jnp.bfloat16), "scalar": jnp.float32(8.0)}
    tx = track(optax.sgd(0.5), per_layer={"p3": 1})
    values = run(tx, [params], params)
    for i, (name, x) in enumerate(params.items()):
        norm = (i + 1) * np.sqrt(x.size if name != "p3" else [2, 2])
        np.testing.assert_allclose(values[f"gradient_norm/{name}"], norm, rtol=1e-5)
        np.testing.assert_allclose(values[f"update_norm/{name}"], norm / 2, rtol=1e-5)
    plain = run(track(optax.sgd(0.5)), [params], params)
    np.testing.assert_allclose(plain["gradient_norm"], values["gradient_norm"], rtol=1e-6)
    np.testing.assert_allclose(plain["update_norm"], values["update_norm"], rtol=1e-6)


def test_axes_of_layers_by_pattern():
    values = run(track(optax.sgd(0.1), per_layer={"*kernel": 2}), [PARAMS])
    norms = jnp.linalg.norm(PARAMS["layers"]["kernel"].reshape(12, 2), axis=0)
    np.testing.assert_allclose(values["gradient_norm/layers/kernel"], norms, rtol=1e-6)
    for bad, message in (
        ({"*kernel": 3}, r"'layers/kernel' of shape \(3, 4, 2\) has no axis 3"),
        ({"*kernel": (0, 1)}, r"'layers/kernel' has the axes \(0, 1\)"),
        ({"x": 0}, "per_layer: no"),
        ("*kernel", "per_layer must be a dict"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            track(optax.sgd(0.1), per_layer=bad).init(PARAMS)


def test_saturation_of_each_layer():
    params = {"layers": {"kernel": jnp.zeros((3, 128, 128))}}
    grads = {"layers": {"kernel": jnp.ones((3, 128, 128)).at[1].set(1e8)}}
    values = run(track(adamjax.adamw(0.1, storage="8bit"), per_layer=STACKED), [grads] * 2, params)
    share = values["saturated/layers/kernel"]
    assert share[1] > 0.9 and share[0] == share[2] < 0.1
    np.testing.assert_allclose(values["saturated"], share.mean(), rtol=1e-5)


@pytest.mark.parametrize("factor", [100.0, jnp.nan, jnp.inf])
def test_an_injected_spike_is_named_in_its_step(factor, tmp_path):
    tx, live = track(adamjax.adamw(1e-3), per_layer=STACKED), []
    update, state = jax.jit(tx.update), tx.init(PARAMS)
    with Recorder(tmp_path / "run.jsonl") as recorder:
        for step in range(8):
            grads = times(2, factor) if step == 6 else PARAMS
            _, state = update(grads, state, PARAMS)
            recorder.record(step, metrics(state))
            live.append(recorder.spikes(last=1))
    assert [bool(spikes) for spikes in live[:7]] == [False] * 6 + [True]
    first, *_ = recorder.spikes()
    assert first == live[6][0] == find_spikes(recorder.history)[0]
    assert first[:3] == (6, "gradient", "layers/kernel/2")
    expected = factor if factor == 100 else np.inf
    np.testing.assert_allclose(first.factor, expected, rtol=1e-5)
    figure = plot_layers(recorder.history, "gradient_norm", tmp_path / "layers.png")
    image = figure.axes[0].collections[0].get_array()
    assert image.shape == (4, 8)  # the bias and three layers
    if factor == 100:
        assert np.unravel_index(image.argmax(), image.shape) == (3, 6)
    with pytest.raises(ValueError, match="history has no lots/"):
        recorder.plot_layers(tmp_path / "layers.png", "lots")


def test_a_sink_gets_what_is_in_the_file(tmp_path):
    seen, path = [], tmp_path / "run.jsonl"

    def sink(step, values):
        seen.append((step, values, Recorder.load(path).history["step"][-1]))
        if step == 2:
            raise ConnectionError

    recorder = Recorder(path, sink=sink)
    recorder.record(1, {"norm": jnp.array([1.0, 2.0])})
    with pytest.raises(ConnectionError):
        recorder.record(2, {"norm": 3.0})
    assert seen == [(1, {"norm/0": 1.0, "norm/1": 2.0}, 1), (2, {"norm": 3.0}, 2)]
    recorder.close()
    assert Recorder.load(path).history["step"].tolist() == [1, 2]


def test_metrics_of_matrices():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 4)) * np.array([1.0, 1e-20, 1e15])[:, None, None]
    tree = {"stack": jnp.asarray(x, jnp.float32), "zeros": jnp.zeros((2, 3)), "b": jnp.ones(3)}
    values = matrix_metrics(tree, {"stack": "n in out -> n out in"})
    assert set(values) == {
        f"{m}/{k}" for m in ("stable_rank", "orthogonality_error") for k in ("stack", "zeros")
    }
    squares = np.linalg.svd(x, compute_uv=False) ** 2
    ranks = squares.sum(1) / squares.max(1)
    np.testing.assert_allclose(values["stable_rank/stack"], ranks, rtol=1e-3)
    errors = np.sqrt(np.mean((4 * squares / squares.sum(1, keepdims=True) - 1) ** 2, axis=1))
    np.testing.assert_allclose(values["orthogonality_error/stack"], errors, rtol=1e-5)
    assert values["stable_rank/zeros"] == values["orthogonality_error/zeros"] == 0
