"""MaxText and Tunix: an optimizer that is built from a config.

Facts:
- AI-Hypercomputer/maxtext, src/maxtext/optimizers/optimizers.py: `get_optimizer` calls
  `optax.adamw` with b1, b2, eps, eps_root, weight_decay, mu_dtype and a mask, a function that
  searches regular expressions in the leaves' paths; `trainable_parameters_mask` puts it into
  `optax.multi_transform`.
- google/tunix, tunix/cli/config.py: `getattr(optax, name)` is called with those keys of the config
  that `inspect.signature` lists, under `optax.inject_hyperparams(function,
  hyperparam_dtype=float32)` without static arguments: every number becomes an array, defaults
  included. The dtypes of the state must stay what they are.
"""

import inspect
import re

import jax
import jax.numpy as jnp
import optax
import pytest

import adamjax
from tests.frameworks.loop import assert_same, large_params, plain_loop
from tests.storage.runs import assert_equal, dtypes_of

pytestmark = pytest.mark.usefixtures("compiled_quickly")
SCHEDULE = optax.warmup_cosine_decay_schedule(1e-3, 1e-2, 2, 10)


def path_mask(pattern, matched=True):
    """A function of the parameters that tells which paths a regular expression is found in."""

    def found(path, _):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        return matched == bool(re.search(pattern, name))

    return lambda params: jax.tree_util.tree_map_with_path(found, params)


@pytest.mark.parametrize(("mu_dtype", "frozen"), [("float32", ""), ("bfloat16", "head")])
def test_arguments_mean_what_they_mean_for_optax(mu_dtype, frozen):
    def build(library):
        settings = {"b1": 0.8, "b2": 0.95, "eps": 1e-7, "eps_root": 1e-9, "weight_decay": 0.1}
        decays = path_mask("bias$", matched=False)
        tx = library.adamw(SCHEDULE, **settings, mu_dtype=mu_dtype, mask=decays)
        if not frozen:
            return tx
        parts = {True: optax.set_to_zero(), False: tx}
        return optax.multi_transform(parts, path_mask(frozen))

    start = large_params()
    reached, state = plain_loop(build(adamjax), start)
    expected, _ = plain_loop(build(optax), start)
    # adamjax rounds the average once it has used it, Optax before: the last bits of bfloat16.
    tolerance = 2e-6 if mu_dtype == "float32" else 1e-3
    assert_same(reached["encoder"], expected["encoder"], tolerance=tolerance)
    if frozen:
        assert_equal(reached["head"], start["head"])
    assert sum(x.shape == (8, 3) for x in jax.tree.leaves(state)) == (0 if frozen else 2)


# --- by the signature, every number an array


def create_optimizer(config, module):
    function = getattr(module, config["opt_type"].lower())
    keywords = {k: config[k] for k in inspect.signature(function).parameters if k in config}
    return optax.inject_hyperparams(function, hyperparam_dtype=jnp.float32)(**keywords)


CONFIG = {"learning_rate": SCHEDULE, "b1": 0.8, "b2": 0.95, "weight_decay": 0.1, "rank": 16}


@pytest.mark.parametrize("opt_type", ["AdamW", pytest.param("Adopt", marks=pytest.mark.wide)])
def test_optimizer_by_its_signature(opt_type):
    settings = {**CONFIG, "mask": ["*kernel"], "storage": "8bit", "opt_type": opt_type}
    start = large_params()
    reached, state = plain_loop(create_optimizer(settings, adamjax), start)
    del settings["rank"], settings["opt_type"]
    direct = adamjax.create(opt_type.lower(), **settings)
    assert_same(reached, plain_loop(direct, start)[0], start)
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(float(SCHEDULE(4)))
    assert "int8" in dtypes_of(state)
