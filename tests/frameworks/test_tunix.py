"""Tunix: an optimizer by its name in a module, with those keywords that its signature has.

Facts, in google/tunix:
- tunix/cli/config.py: `create_optimizer` takes `getattr(optax, config["opt_type"].lower())`, and
  from the config what `inspect.signature` lists; one without a default and not in the config is an
  error. A `schedule_type` names a function of `optax.schedules`, likewise. The function goes
  through `optax.inject_hyperparams(function, hyperparam_dtype=float32)`, without static arguments:
  every number becomes an array, defaults included.
- tunix/sft/peft_trainer.py: the result goes into `flax.nnx.Optimizer(model, tx, wrt=...)`; the
  dtypes that an update gives the state, found by `jax.eval_shape`, must be those that it has.
"""

import inspect

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

import adamjax
from tests.frameworks.loop import assert_same, large_params, plain_loop
from tests.frameworks.test_nnx import Model, plain_gradients, pure_params, train_step
from tests.storage.runs import dtypes_of


def keywords_of(function, config):
    parameters = inspect.signature(function).parameters.values()
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in config]
    if missing:
        raise ValueError(f"missing {missing}")
    return {p.name: config[p.name] for p in parameters if p.name in config}


def create_optimizer(config, module=optax):
    if name := config.get("schedule_type"):
        schedule = getattr(optax.schedules, name)
        config = {**config, "learning_rate": schedule(**keywords_of(schedule, config))}
    function = getattr(module, config["opt_type"].lower())
    injected = optax.inject_hyperparams(function, hyperparam_dtype=jnp.float32)
    return injected(**keywords_of(function, config))


# What a config file has for one optimizer is there for all; names that one lacks are left out.
SCHEDULE = {
    "schedule_type": "warmup_cosine_decay_schedule",
    "init_value": 1e-3,
    "peak_value": 1e-2,
    "warmup_steps": 2,
    "decay_steps": 10,
}
CONFIG = {**SCHEDULE, "b1": 0.8, "b2": 0.95, "weight_decay": 0.1, "mask": ["*kernel"], "rank": 16}
RATE = optax.warmup_cosine_decay_schedule(1e-3, 1e-2, 2, 10)
CHOSEN = {
    "adamw": {},
    "adopt": {"decay_mode": "independent", "weight_decay": 1e-3},
    "nadamw": {"style": "keras"},
    "adamw in 8 bits": {"storage": "8bit"},
}


@pytest.mark.parametrize("name", CHOSEN)
def test_by_name_from_a_config(name):
    opt_type = name.split()[0]
    config = {**CONFIG, **CHOSEN[name], "opt_type": opt_type.upper()}
    model = Model()
    start = pure_params(model)
    optimizer = nnx.Optimizer(model, create_optimizer(config, adamjax), wrt=nnx.Param)
    for t in range(4):
        train_step(model, optimizer, jnp.float32(t))
    settings = {k: config[k] for k in ("b1", "b2", "weight_decay", "mask", *CHOSEN[name])}
    direct = adamjax.create(opt_type, learning_rate=RATE, **settings)
    wanted, _ = plain_loop(direct, start, plain_gradients, steps=4)
    # A rounding that tips over in the one layer is seen in the gradients of the other.
    assert_same(pure_params(model), wanted, start, tolerance=1e-5)
    used = optimizer.opt_state.hyperparams["learning_rate"][...]
    assert float(used) == pytest.approx(float(RATE(3)))
    assert ("int8" in dtypes_of(nnx.state(optimizer))) == ("storage" in config)


def test_function_without_numbers_that_must_stay_numbers(monkeypatch):
    """What sets shapes and loops is bound in a function of the rest, hung into `optax`."""

    def my_soap(learning_rate, weight_decay=0.0):
        return adamjax.soap(learning_rate, weight_decay=weight_decay, precondition_frequency=2)

    monkeypatch.setattr(optax, "my_soap", my_soap, raising=False)
    config = {**CONFIG, "opt_type": "my_soap"}
    start = {"head": large_params()["head"], "more": large_params()["encoder"]["bias"]}
    seen, state = plain_loop(create_optimizer(config), start)
    assert_same(seen, plain_loop(my_soap(RATE, 0.1), start)[0], start, tolerance=1e-5)
    assert set(state.hyperparams) == {"learning_rate", "weight_decay"}


NUMBERS = {
    "adam_mini",
    "adamp",
    "sgdp",
    "adashift",
    "amos",
    "apollo",
    "grokadamw",
    "muon",
    "ranger",
}
NUMBERS |= {"lookahead_adam", "schedule_free_adamw", "schedule_free_sgd", "soap"}


def works(name):
    """Whether a step is traced, and leaves the dtypes of the state as they are."""
    params = {"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}
    tx = create_optimizer({"opt_type": name, "learning_rate": 0.1}, adamjax)
    state = jax.eval_shape(tx.init, params)
    updates, after = jax.eval_shape(tx.update, params, state, params)
    dtypes = lambda tree: jax.tree.map(lambda x: (x.shape, x.dtype), tree)  # noqa: E731
    return dtypes((updates, after)) == dtypes((params, state))


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_which_go_as_they_are(name):
    """All but those with a number that sets a shape: such a one is in the record, as static."""
    if name not in NUMBERS:
        assert works(name)
        return
    assert adamjax.get_variant(name).static
    with pytest.raises((TypeError, ValueError, IndexError, jax.errors.JAXTypeError)):
        works(name)
