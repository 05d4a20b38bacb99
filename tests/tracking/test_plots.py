"""The pictures: the right data on the right panel, and nothing global touched."""

import subprocess
import sys

import numpy as np
import pytest

from adamjax.tracking import Recorder, plot_layers, plot_metrics
from adamjax.tracking.plots import MOST_POINTS, PARTS

STEPS = np.arange(1, 21)
HISTORY = {
    "step": STEPS,
    "learning_rate": 0.1 / STEPS,
    "effective_lr_p05": 1.0 / STEPS,
    "effective_lr_p50": 2.0 / STEPS,
    "effective_lr_p95": 8.0 / STEPS,
    "gradient_norm": np.exp(-STEPS / 5),
    "update_norm": 0.5 / STEPS,
    "update_ratio": 0.05 / STEPS,
    "parameter_norm": np.full(20, 10.0),
    "nonfinite": np.zeros(20, int),
}
PANELS = ["Effective learning rate", "Gradient norm", "Update magnitude"]


def panels(history, **options):
    axes = plot_metrics(history, **options).axes
    assert [a.get_title(loc="left") for a in axes] == PANELS
    return axes


def lines(axes):
    return {line.get_label(): line.get_xydata().T for line in axes.lines}


def test_each_panel_has_its_data():
    effective, gradient, update = panels(HISTORY, title="Adam")
    assert {axes.get_yscale() for axes in (effective, gradient, update)} == {"log"}
    for axes, label, key in (
        (effective, "lr / √v, median", "effective_lr_p50"),
        (effective, "learning rate lr", "learning_rate"),
        (gradient, "‖g‖", "gradient_norm"),
        (update, "‖Δθ‖", "update_norm"),
        (update, "‖Δθ‖ / ‖θ‖", "update_ratio"),
    ):
        np.testing.assert_array_equal(lines(axes)[label], [STEPS, HISTORY[key]], err_msg=label)
    (band,) = effective.collections
    assert band.get_label() == "5% to 95% of the elements"
    corners = band.get_paths()[0].vertices
    for step, low, high in ((1, 1.0, 8.0), (20, 0.05, 0.4)):
        heights = corners[corners[:, 0] == step, 1]
        np.testing.assert_allclose([heights.min(), heights.max()], [low, high])


def test_steps_without_a_drawable_value_are_passed_over():
    """And steps with non-finite gradients are marked."""
    norms, nonfinite = HISTORY["gradient_norm"].copy(), np.zeros(20)
    norms[3], norms[5], norms[7] = np.nan, np.inf, 0.0
    nonfinite[[4, 9]] = [2, 7]
    history = {"gradient_norm": norms, "learning_rate": norms, "nonfinite": nonfinite}
    effective, gradient, _ = panels({**HISTORY, **history})
    shown = np.isin(STEPS, [4, 6, 8], invert=True)
    for axes, label in ((gradient, "‖g‖"), (effective, "learning rate lr")):
        np.testing.assert_array_equal(lines(axes)[label], [STEPS[shown], norms[shown]])
    marks = lines(gradient)["2 steps with non-finite gradients"]
    np.testing.assert_array_equal(marks[0], [5, 10])


def test_long_runs_have_medians_over_the_values():
    count = MOST_POINTS + 100
    steps, norms = np.arange(count), np.random.default_rng(0).uniform(1, 2, count)
    raw, median = panels({"step": steps, "gradient_norm": norms})[1].lines
    np.testing.assert_array_equal(raw.get_ydata(), norms)
    assert median.get_label() == "‖g‖, median of 5 steps"
    np.testing.assert_array_equal(median.get_ydata(), np.median(norms.reshape(PARTS, 5), axis=1))
    np.testing.assert_array_equal(median.get_xdata(), steps.reshape(PARTS, 5).mean(axis=1))


def test_of_a_repeated_step_the_last_counts():
    history = {"step": [1, 2, 3, 2, 3, 4], "gradient_norm": [1.0, 2.0, 3.0, 20.0, 30.0, 40.0]}
    drawn = lines(panels(history)[1])["‖g‖"]
    np.testing.assert_array_equal(drawn, [[1, 2, 3, 4], [1.0, 20.0, 30.0, 40.0]])


def test_other_metrics_may_be_recorded_at_the_same_step():
    recorder = Recorder()
    for step in (1, 2):
        layer = dict.fromkeys(("gradient_norm/w", "gradient_spike/w", "update_spike/w"), 20.0)
        recorder.record(step, {"gradient_norm": float(step), "nonfinite": 0, **layer})
        recorder.record(step, {"accuracy": 0.5})
    drawn = lines(panels(recorder.history)[1])["‖g‖"]
    np.testing.assert_array_equal(drawn, [[1, 2], [1.0, 2.0]])
    image = plot_layers(recorder.history, "gradient_norm").axes[0].collections[0].get_array()
    np.testing.assert_array_equal(image, [[20.0, 20.0]])
    assert {spike.step for spike in recorder.spikes(last=1)} == {2}


def test_one_of_several_trackers():
    history = {f"body/{key}": values for key, values in HISTORY.items()} | {"step": STEPS}
    drawn = lines(panels(history, name="body")[1])["‖g‖"]
    np.testing.assert_array_equal(drawn[1], HISTORY["gradient_norm"])
    with pytest.raises(ValueError, match=r"no metrics .* name=''; there are \['body'\]"):
        plot_metrics(history)
    with pytest.raises(ValueError, match=r"record adamjax\.metrics\(opt_state\)"):
        plot_metrics({"step": STEPS, "loss": STEPS})
    with pytest.raises(ValueError, match='steps under "step"'):
        plot_metrics({"gradient_norm": STEPS})


def test_files(tmp_path):
    recorder = Recorder()
    for i, step in enumerate(STEPS):
        recorder.record(step, {key: v[i] for key, v in HISTORY.items() if key != "step"})
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
        file = tmp_path / "new" / f"run{ending}"
        recorder.plot(file, title="Adam")
        data = file.read_bytes()
        assert data.startswith(start) and len(data) > 10_000


def test_global_state_is_left_alone(monkeypatch):
    code = (
        "import sys, adamjax.tracking as t\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import matplotlib\n"
        "before = matplotlib.rcParams.copy()\n"
        "t.plot_metrics({'step': [1], 'gradient_norm': [1.0]})\n"
        "assert matplotlib.rcParams.copy() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plot_metrics(HISTORY)
