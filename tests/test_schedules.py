"""Cool-downs: their shapes, and the steps that a longer phase does not change."""

import jax
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tracking import plot_schedules

STEPS = np.arange(40)
SHAPES = {
    "linear": lambda s: 1 - s,
    "1-sqrt": lambda s: 1 - np.sqrt(s),
    "cosine": lambda s: np.cos(np.pi * s / 2) ** 2,
    "power": lambda s: (1 - s) ** 3,
}


def values(schedule, steps=STEPS):
    return np.asarray(jax.jit(schedule)(steps))  # also of an array, as Optax's


@pytest.mark.parametrize("shape", SHAPES)
def test_wsd_warms_up_stays_and_cools_down(shape):
    schedule = adamjax.wsd(0.8, 8, 12, 16, init_value=0.2, end_value=0.1, shape=shape, power=3.0)
    expected = np.interp(STEPS, [0, 8], [0.2, 0.8])
    share = np.clip((STEPS - 20) / 16, 0, 1)
    expected = np.where(STEPS < 20, expected, 0.1 + 0.7 * SHAPES[shape](share))
    np.testing.assert_allclose(values(schedule), expected, atol=1e-6)


def test_power_cool_decays_by_a_power():
    schedule = adamjax.power_cool(0.8, 4, 16, 10, stable_steps=5, exponent=0.7)
    expected = 0.8 * np.minimum(STEPS / 4, np.maximum(STEPS / 9, 1) ** -0.7)
    at_25 = expected[25]
    expected = np.where(STEPS < 25, expected, at_25 * (1 - np.clip((STEPS - 25) / 10, 0, 1)))
    np.testing.assert_allclose(values(schedule), expected, atol=1e-6)
    np.testing.assert_allclose(values(adamjax.power_cool(0.8, 0, 9, 9))[:2], 0.8)


@pytest.mark.parametrize("make", [adamjax.wsd, adamjax.power_cool])
def test_a_longer_phase_changes_nothing_before_it(make):
    short, long = make(0.3, 5, 10, 7), make(0.3, 5, 20, 7)
    np.testing.assert_array_equal(values(short)[:15], values(long)[:15])
    assert values(short)[16] < values(long)[16]


def test_cool_down_follows_any_schedule():
    """Bit for bit before the start, and from the value there on."""
    cosine = optax.cosine_decay_schedule(0.3, 100)
    cooled = values(adamjax.cool_down(cosine, 20, 10, shape="linear"))
    np.testing.assert_array_equal(cooled[:21], values(cosine)[:21])
    np.testing.assert_allclose(cooled[25], cosine(20) / 2, rtol=1e-6)
    np.testing.assert_array_equal(cooled[30:], 0)


def test_momentum_is_scheduled():
    b1 = adamjax.wsd(0.95, 2, 3, 2, init_value=0.85, end_value=0.85, shape="linear")
    np.testing.assert_allclose(values(b1)[:8], [0.85, 0.9, 0.95, 0.95, 0.95, 0.95, 0.9, 0.85])
    tx = adamjax.adam(0.1, b1=b1)
    state = tx.init(1.0)
    for _ in range(3):
        updates, state = tx.update(1.0, state, 1.0)
        np.testing.assert_allclose(updates, -0.1, rtol=1e-5)  # exact bias correction


def test_plot_has_a_line_for_each_schedule(tmp_path):
    schedules = {"wsd": adamjax.wsd(0.3, 5, 10, 7), "constant": lambda count: 0.1}
    figure = plot_schedules(schedules, 40, tmp_path / "schedules.png")
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["wsd"].T, [STEPS, values(schedules["wsd"])], rtol=1e-6)
    assert list(lines) == list(schedules) and (tmp_path / "schedules.png").stat().st_size


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("unknown shape 'sqrt'", {"shape": "sqrt"}),
        ("warmup_steps must be a whole number from 0", {"warmup_steps": None}),
        ("^decay_steps must be a whole number from 1", {"decay_steps": 0}),
        ("^peak_value must be a number, got a schedule", {"peak_value": lambda count: 0.1}),
        ("^init_value must be a number", {"init_value": "0"}),
        ("^end_value must be a number", {"end_value": None}),
    ],
)
def test_error_names_the_argument(message, arguments):
    with pytest.raises((TypeError, ValueError), match=message):
        adamjax.wsd(
            **{"peak_value": 0.1, "warmup_steps": 1, "stable_steps": 1, "decay_steps": 1}
            | arguments
        )
