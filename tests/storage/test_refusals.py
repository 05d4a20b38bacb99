"""What must not be taken for moments, for a count of steps, or for another storage."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.state_moments import map_moments

SHAPE = (16, 16)
PARAMS = {"dense": {"kernel": jnp.ones(SHAPE)}}


def stored(tx, storage="8bit", **arguments):
    return adamjax.store(tx, storage, min_size=0, **arguments)


@pytest.mark.parametrize(
    "plain",
    [adamjax.adam(1e-2), adamjax.store(optax.adam(1e-2), "float32")],
    ids=["adamjax", "optax"],
)
def test_codes_are_no_float32_moments(plain):
    """A configuration that has lost its `storage=` must not go on from codes as from numbers."""
    state = adamjax.convert_state(plain.init(PARAMS), to="8bit", min_size=0)
    with pytest.raises(ValueError, match=r"'dense/kernel' is .*int8.*convert_state"):
        plain.update(PARAMS, state, PARAMS)


@pytest.mark.parametrize("outer", ["8bit", "bfloat16"])
def test_a_state_that_is_stored_already_is_refused(outer):
    with pytest.raises(ValueError, match=r"a code of another storage"):
        stored(stored(optax.adam(1e-2)), outer).init(PARAMS)


def test_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match=r"roles: the state has no field 'momentum'"):
        stored(optax.adam(1e-2), roles={"momentum": "signed"}).init(PARAMS)


@pytest.mark.parametrize("make", [adamjax.madgrad, adamjax.sgd])
def test_nothing_to_store_is_said_in_words_of_who_asks(make):
    """Who writes storage= has no roles= to give."""
    with pytest.raises(ValueError, match=r"no moments .* leave the storage out, .*adamjax\.store"):
        make(1e-2, storage="8bit").init(PARAMS)


class Encoder(NamedTuple):
    mu: Any
    logvar: Any


def test_parameters_are_no_moments_whatever_they_are_called():
    params = Encoder(jnp.ones(SHAPE), jnp.ones(SHAPE))
    state = stored(optax.MultiSteps(optax.adam(1e-2), 4).gradient_transformation()).init(params)
    assert state.acc_grads.mu.dtype == jnp.float32
    assert state.inner_opt_state[0].mu.mu.dtype == jnp.int8


def test_complex_moments_stay():
    params = {"w": jnp.ones(SHAPE, jnp.complex64), "v": jnp.ones(SHAPE)}
    state = stored(optax.scale_by_adam()).init(params)
    assert state.mu["w"].dtype == jnp.complex64
    assert state.mu["v"].dtype == jnp.int8


COUNTED = optax.sgd(optax.constant_schedule(1e-2), momentum=0.9)


@pytest.mark.parametrize(
    "tx",
    [
        optax.chain(optax.contrib.reduce_on_plateau(), COUNTED),
        optax.chain(optax.apply_every(1), COUNTED),
        optax.chain(optax.trace(0.9), optax.scale_by_adam()),
    ],
    ids=["plateau", "apply_every", "behind"],
)
def test_the_count_is_one_that_counts_steps(tx):
    """Not one that begins anew, and no parameter that is called `t`."""
    params = {"t": jnp.float32(1.0), "w": jnp.ones(SHAPE)}
    state = tx.init(params)
    for _ in range(3):
        _, state = tx.update(
            params,
            state,
            params,
            **({"value": 1.0} if "Plateau" in str(jax.tree.structure(state)) else {}),
        )
    counts = []
    map_moments(lambda name, leaf, roles, count: counts.append(int(count)) or leaf, state, {})
    assert set(counts) == {3}


@pytest.mark.parametrize(("b1", "b2"), [(0.9, 0.9999), (0.5, 0.999)])
@pytest.mark.parametrize("storage", ["8bit_v16", "8bit"])
def test_the_first_steps_are_not_cut(storage, b1, b2):
    """Of a constant gradient every step is 1, although m / √v is 20 at first."""
    tx = stored(adamjax.scale_by_adam(b1=b1, b2=b2), storage)
    g = jnp.full((64, 64), 1e-3)
    state, update = tx.init(g), jax.jit(tx.update)
    for t in range(30):
        u, state = update(g, state, g)
        assert float(jnp.mean(u)) == pytest.approx(1.0, abs=0.15), t


@pytest.mark.parametrize("storage", ["bfloat16", "8bit_v16", "8bit"])
@pytest.mark.parametrize("decay", [0.9, 0.99])
def test_momentum_is_right_on_average(decay, storage):
    """What rounding adds is summed up over 1 / (1 - decay) steps."""
    tx = optax.chain(optax.trace(decay), optax.scale_by_schedule(lambda count: 1.0))
    coded = stored(tx, storage)
    p = jnp.zeros((32, 32))

    def step(states, t):
        g = 1e-3 * (0.3 + jax.random.normal(jax.random.fold_in(jax.random.key(0), t), p.shape))
        updates, states = zip(
            *(each.update(g, s) for each, s in zip((tx, coded), states, strict=True)), strict=True
        )
        late = t >= 500
        return states, jnp.stack([jnp.mean(u) * late for u in updates])

    _, means = jax.jit(lambda s: jax.lax.scan(step, s, jnp.arange(2000)))(
        (tx.init(p), coded.init(p))
    )
    plain, seen = np.asarray(means).sum(0)
    assert seen / plain == pytest.approx(1.0, abs=0.03)


MODES = ["stochastic", "kahan", "residual8"]


@pytest.mark.parametrize("mode", MODES)
def test_rounding_refuses_the_state_of_another_mode(mode):
    p, u = {"w": jnp.ones(3, jnp.bfloat16)}, {"w": jnp.full(3, 1e-3)}
    for other in MODES:
        state = adamjax.round_params(other).init(p)
        if other != mode:
            with pytest.raises(ValueError, match="state"):
                adamjax.round_params(mode).update(u, state, p)


@pytest.mark.parametrize("mode", MODES)
def test_what_has_overflowed_stays_infinite(mode):
    tx, p = adamjax.round_params(mode), jnp.float16(jnp.inf)
    updates, _ = tx.update(jnp.float32(0.0), tx.init(p), p)
    assert np.isposinf(optax.apply_updates(p, updates))
