"""The finder: right on known optima, and silent where the losses decide nothing."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.tuning.find_learning_rate import judge

RATES = np.geomspace(1e-4, 1.0, 17)
NOISE = np.random.default_rng(0).normal(size=(17, 50))


def losses(curve, noise=0.0, shared=0.0):
    """Constant losses by rate, with noise of each rate and noise that all rates share."""
    return curve(RATES)[:, None] + noise * NOISE + shared * NOISE[:1]


def valley(rates):
    """The minimum is at 0.02."""
    return 1 + np.log10(rates / 0.02) ** 2


def test_finds_the_optimum_of_a_quadratic():
    scale = jnp.array([1.0, 4.0])
    found = adamjax.find_learning_rate(
        optax.sgd, lambda x, batch: jnp.sum(scale * x**2) / 2, jnp.ones(2), [None] * 50
    )
    assert found.learning_rate == pytest.approx(2 / 5, rel=0.25)
    assert found.reason == "" and str(found).startswith("learning rate 0.")
    assert len(found.sweep.members) == 25


def test_noise_that_all_rates_share_cancels():
    expected = pytest.approx(0.02, rel=0.12)
    assert judge(RATES, losses(valley, 0.001))[0] == expected
    assert judge(RATES, losses(valley, 0.001, shared=10.0))[0] == expected
    rate, _, (low, high) = judge(RATES, losses(lambda r: np.maximum(valley(r), 1.04)))
    assert low < 0.02 < high and low <= rate <= high  # two equal rates


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (losses(lambda r: -np.log(r)), "the best rate is the highest, raise high"),
        (losses(np.log), "the best rate is the lowest, lower low"),
        (losses(valley, 3.0), "do not differ significantly"),
        (losses(np.ones_like), "0.0001 to 1 do not differ significantly"),
        (losses(lambda r: 1 - 1e-3 / valley(r)), "no rate is clearly better than the lowest"),
        (losses(lambda r: np.full(17, np.nan)), "all rates diverge"),
    ],
)
def test_reports_that_it_cannot_tell(values, reason):
    rate, message, _ = judge(RATES, values)
    assert rate is None and reason in message


def test_bad_input():
    arguments = ("sgd", lambda x, batch: x**2, jnp.ones(()), [None] * 24)
    with pytest.raises(ValueError, match=r"low must be below high, got 1 and 0\.1"):
        adamjax.find_learning_rate(*arguments, low=1.0, high=0.1)
    with pytest.raises(ValueError, match="low must be below high, got 1 and inf"):
        adamjax.find_learning_rate(*arguments, low=1.0, high=np.inf)
    with pytest.raises(ValueError, match="batches: at least 25 are needed, got 24"):
        adamjax.find_learning_rate(*arguments)
