"""States that are refused: codes taken for moments, steps that are not counted, unknown names."""

import warnings
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamjax
from adamjax.storage.formats import FORMATS
from adamjax.storage.state_moments import split_moments
from tests.storage.problem import STORED, formats

SHAPE = (16, 16)
PARAMS = {"dense": {"kernel": jnp.ones(SHAPE)}}


COUNTED = optax.sgd(optax.constant_schedule(1e-2), momentum=0.9)


def stored(tx, storage="8bit", **arguments):
    return adamjax.store(tx, storage, min_size=0, **arguments)


def test_codes_are_no_float32_moments():
    """A configuration that has lost its `storage=` must not go on from codes as from numbers."""
    for plain in (adamjax.adam(1e-2), adamjax.store(optax.adam(1e-2), "float32")):
        state = adamjax.convert_state(plain.init(PARAMS), to="8bit", min_size=0)
        message = r"'dense/kernel' are stored as '8bit', but .*'float32'; .*convert_state"
        with pytest.raises(ValueError, match=message):
            plain.update(PARAMS, state, PARAMS)


def test_a_state_that_is_stored_already_is_refused():
    for outer in ("8bit", "bfloat16"):
        with pytest.raises(ValueError, match=r"tx: .* call store once"):
            stored(stored(optax.adam(1e-2)), outer).init(PARAMS)


def test_a_state_without_a_count_is_refused():
    """And takes its count from a schedule, or in adamjax's form of the optimizer."""
    for tx in (optax.sgd(1e-2, momentum=0.9), optax.rmsprop(1e-2), optax.adagrad(1e-2)):
        with pytest.raises(ValueError, match=r"tx: .* no step count.* use adamjax's form"):
            stored(tx).init(PARAMS)
    for tx in (COUNTED, adamjax.sgd(1e-2, momentum=0.9)):
        state = jax.eval_shape(stored(tx).init, PARAMS)
        state = jax.eval_shape(stored(tx).update, PARAMS, state, PARAMS)[1]
        assert "int8" in {x.dtype.name for x in jax.tree.leaves(state)}


def test_nothing_to_store_is_refused():
    message = (
        r"tx: its state has no moments .* leave the storage out.*adamjax\.store their roles, roles="
    )
    for tx in (optax.sgd(1e-2), optax.sm3(1e-2), adamjax.sgd(1e-2)):
        with pytest.raises(ValueError, match=message):
            stored(tx).init(PARAMS)
    for make in (adamjax.madgrad, adamjax.sgd):
        with pytest.raises(ValueError, match=message):
            make(1e-2, storage="8bit").init(PARAMS)


def test_storage_that_changes_nothing():
    tx = adamjax.adamw(storage="8bit")
    chained = optax.chain(optax.clip(1.0), adamjax.track(tx))
    for init in (tx.init, jax.jit(tx.init), jax.jit(chained.init)):
        with pytest.warns(
            UserWarning, match=r"min_size=16384 .* 'dense/kernel', has 256"
        ) as caught:
            init(PARAMS)
        assert [one.filename for one in caught] == [__file__]
    with warnings.catch_warnings(action="error"):
        tx.init({"w": jnp.ones((128, 128)), "b": jnp.ones(3)})
        tx.init({})
        labels = {"dense": {"kernel": "tx"}, "b": "rest"}
        parts = {"tx": tx, "rest": adamjax.store(optax.adam(1e-2), exclude="*kernel")}
        optax.partition(parts, labels).init({**PARAMS, "b": jnp.ones(3)})
    with pytest.raises(ValueError, match=r"tx: moments of complex parameters"):
        stored(optax.adam(1e-2)).init({"w": jnp.ones(4, complex)})


def test_unknown_names():
    state = adamjax.adam().init(PARAMS)
    with pytest.raises(ValueError, match=r"unknown storage '8bits'; did you mean '8bit'"):
        stored(optax.adam(1e-3), "8bits")
    with pytest.raises(ValueError, match=r"unknown storage 'int8'"):
        adamjax.adamw(storage="int8")
    with pytest.raises(ValueError, match=r"unknown role 'squares'; did you mean 'square'"):
        stored(optax.adam(1e-3), roles={"nu": "squares"})
    with pytest.raises(ValueError, match=r"roles: the state has no field 'momentum'"):
        stored(optax.adam(1e-2), roles={"momentum": "signed"}).init(PARAMS)
    with pytest.raises(ValueError, match=r"unknown to 'bf16'"):
        adamjax.convert_state(state, to="bf16")


def test_a_pattern_that_no_leaf_matches():
    for pattern in ("*bias", ["dense/*", "emb*"]):
        with pytest.raises(ValueError, match=r"exclude: no parameter matches .*\['dense/kernel'\]"):
            stored(optax.adam(1e-3), exclude=pattern).init(PARAMS)
    with pytest.raises(ValueError, match=r"exclude: no parameter matches '\*bias'"):
        adamjax.convert_state(optax.adam(1e-3).init(PARAMS), to="8bit", exclude="*bias")


def test_a_state_of_another_storage_is_refused():
    """Errors name the leaf and the fix, also where `min_size` now excludes the leaf."""
    tx = optax.adam(1e-3)
    for storage in STORED:
        update = stored(tx, storage).update
        for other in set(FORMATS) - {storage}:
            state = stored(tx, other).init(PARAMS)
            with pytest.raises(ValueError, match=r"'dense/kernel'.*convert_state"):
                jax.eval_shape(update, PARAMS, state, PARAMS)
            converted = adamjax.convert_state(state, to=storage, min_size=0)
            jax.eval_shape(update, PARAMS, converted, PARAMS)
    state = stored(tx, "8bit").init(PARAMS)
    for storage in ("8bit_v16", "bfloat16"):
        with pytest.raises(ValueError, match=r"'dense/kernel' are stored as '8bit', .*convert"):
            adamjax.store(tx, storage).update(PARAMS, state, PARAMS)


class Encoder(NamedTuple):
    mu: Any
    logvar: Any


def test_parameters_and_complex_moments_stay():
    params = Encoder(jnp.ones(SHAPE), jnp.ones(SHAPE))
    state = stored(optax.MultiSteps(optax.adam(1e-2), 4).gradient_transformation()).init(params)
    assert state.acc_grads.mu.dtype == jnp.float32
    assert state.inner_opt_state[0].inner_state.mu.mu.dtype == jnp.int8
    complex64 = {"w": jnp.ones(SHAPE, jnp.complex64), "v": jnp.ones(SHAPE)}
    state = stored(optax.scale_by_adam()).init(complex64).inner_state
    assert (state.mu["w"].dtype, state.mu["v"].dtype) == (jnp.complex64, jnp.int8)


def test_the_count_is_one_that_counts_steps():
    """Not one that begins anew, and no parameter that is called `t`."""
    params = {"t": jnp.float32(1.0), "w": jnp.ones(SHAPE)}
    for tx, extra in (
        (optax.chain(optax.contrib.reduce_on_plateau(), COUNTED), {"value": 1.0}),
        (optax.chain(optax.apply_every(1), COUNTED), {}),
        (optax.chain(optax.trace(0.9), optax.scale_by_adam()), {}),
    ):
        state = tx.init(params)
        for _ in range(3):
            _, state = tx.update(params, state, params, **extra)
        counts = [int(part.count) for part in split_moments(state, {})[0]]
        assert set(counts) == {3}


@pytest.mark.parametrize("decay", [0.9, pytest.param(0.99, marks=pytest.mark.wide)])
@formats
def test_momentum_is_right_on_average(storage, decay):
    """The errors of rounding are summed up over 1 / (1 - decay) steps."""
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
    plain, rounded = np.asarray(means).sum(0)
    assert rounded / plain == pytest.approx(1.0, abs=0.03)
