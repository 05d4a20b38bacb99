"""Ready-made optimizers are derived from their rules: signatures, docstrings, stubs."""

import doctest
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
import pytest

import adamjax
from adamjax.arguments import ADVICE
from adamjax.derive import section
from adamjax.interop import tables
from adamjax.interop.optax_arguments import optax_call

ROOT = Path(__file__).resolve().parents[1]
VARIANTS = [adamjax.get_variant(name) for name in adamjax.list_variants()]


def test_every_argument_has_an_entry_in_help():
    for variant in VARIANTS:
        for function in filter(None, (variant.optimizer, variant.scale_by)):
            entries = section(function.__doc__, "Args")
            arguments = inspect.signature(function).parameters
            missing = [name for name in arguments if f"\n{name}: " not in f"\n{entries}"]
            assert not missing, f"{function.__name__}: {missing}"


def test_functions_are_found_by_their_names():
    for variant in VARIANTS:
        function = variant.optimizer
        assert pickle.loads(pickle.dumps(function)) is function is getattr(adamjax, variant.name)
        assert function.__name__ == function.__qualname__ == variant.name
        assert function.__module__.startswith("adamjax.variants.")


@pytest.mark.wide
def test_examples_run():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for variant in VARIANTS:
        for test in finder.find(variant.optimizer, variant.name, module=False, globs={}):
            assert test.examples
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_injected_hyperparameters_are_arguments():
    tx = optax.inject_hyperparams(adamjax.lion)(learning_rate=optax.constant_schedule(0.5))
    params = {"w": jnp.ones(2)}
    updates, state = tx.update(params, tx.init(params))
    assert updates["w"].tolist() == [-0.5, -0.5]
    assert set(state.hyperparams) == {"learning_rate", "b1", "b2"}


PARAMS = {"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}


@pytest.mark.parametrize("name", adamjax.list_variants())
def test_every_variant_injects_by_name_alone(name):
    function = getattr(adamjax, name)
    plain, injected = function(learning_rate=0.1), optax.inject_hyperparams(function)
    injected = injected(learning_rate=0.1)
    state = jax.eval_shape(injected.init, PARAMS)
    for seen in ((PARAMS,), ()):
        try:
            expected, _ = jax.eval_shape(
                plain.update, PARAMS, jax.eval_shape(plain.init, PARAMS), *seen
            )
        except ValueError as error:
            assert not seen and "params: " in str(error)
            continue
        updates, after = jax.eval_shape(injected.update, PARAMS, state, *seen)
        assert updates == expected and after == state


def test_static_arguments_keep_their_defaults_under_injection():
    parameter = inspect.signature(adamjax.soap).parameters["precondition_frequency"]
    assert repr(
        pickle.loads(pickle.dumps(parameter.default))
    ) == "10" and "precondition_frequency: int = 10" in str(parameter)
    assert adamjax.get_variant("muon").static == ("layouts", "ns_steps")
    assert adamjax.get_variant("sgd").static == ()
    static = optax.inject_hyperparams(adamjax.muon, static_args="ns_steps")(ns_steps=3)
    assert not {"ns_steps", "coefficients"} & set(static.init(PARAMS).hyperparams)
    for function, arguments in (
        (adamjax.muon, {"ns_steps": 3}),
        (adamjax.adafactor, {"min_dim_size_to_factor": 8}),
        (adamjax.adam, {"mu_dtype": jnp.bfloat16}),
    ):
        name = next(iter(arguments))
        with pytest.raises(TypeError, match=rf'{name} must be static.* static_args=\("{name}",\)'):
            optax.inject_hyperparams(function)(**arguments).init(PARAMS)


def test_a_limit_of_0_is_none_under_injection():
    plain = adamjax.scale_by_grokadamw(clip_norm=0.0)
    injected = adamjax.scale_by_grokadamw(clip_norm=jnp.float32(0.0))
    expected, _ = plain.update(PARAMS, plain.init(PARAMS))
    updates, _ = injected.update(PARAMS, injected.init(PARAMS))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, updates, expected))


@pytest.mark.parametrize(
    ("name", "argument", "advice"),
    [
        ("adam", "lr", "; use learning_rate"),
        ("adamw", "betas", "; use b1=..., b2=..."),
        ("adam", "amsgrad", "; use adamjax.amsgrad"),
        ("rmsprop", "decay", "; use b2, or decay_mode="),
        ("adamw", "decay_rate", "; did you mean '.*decay"),
        ("lion", "eps_root", r"\. Options: b1, b2, decay_mode"),
        ("adamw", "beta1", "; use b1"),
        ("prodigy", "estim_lr0", "; use d0"),
        ("normuon", "beta2", "; use muon_b2 for matrices, or b2 for Adam"),
    ],
)
def test_names_of_other_libraries(name, argument, advice):
    with pytest.raises(
        TypeError, match=f"^{name}: unexpected keyword argument '{argument}'{advice}"
    ):
        adamjax.create(name, **{argument: 0.9})


def test_advice_names_arguments_that_exist():
    for row in tables.OPTAX.values():
        function = adamjax.get_variant(row.name).optimizer
        names = {} if row.refused else optax_call(row.name, {"learning_rate": 0.1}).names
        for here, there in names.items():
            with pytest.raises(TypeError, match=f"unexpected .*'{there}'; .*{here}"):
                function(**{there: 0.5})
    arguments = {name for variant in VARIANTS for name in variant.defaults}
    assert {text for text in ADVICE.values() if text.isidentifier()} <= arguments


def test_errors_name_the_own_decay_modes():
    with pytest.raises(ValueError, match="unknown decay_mode 'insde'; did you mean 'inside'"):
        adamjax.lamb(decay_mode="insde")
    assert "'inside'" in str(inspect.signature(adamjax.lamb))
    assert "'inside': r <- r + λ p" in adamjax.lamb.__doc__


def test_stub_is_in_sync():
    command = [sys.executable, ROOT / "scripts" / "stubs.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


PROGRAM = """
import adamjax
import optax

tx = adamjax.adamw(optax.cosine_decay_schedule(1e-3, 10), storage="8bit", mask="*kernel")
chain = optax.chain(adamjax.scale_by_lion(b1=0.95), optax.scale(-1e-4))
"""


@pytest.mark.wide
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", ""),
        ("adamjax.adamw(1e-3, beta1=0.9)", "beta1"),
    ],
)
def test_type_checkers_know_the_arguments(tmp_path, line, error):
    pytest.importorskip("pyrefly")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + line, encoding="utf-8")
    options = ["--python-interpreter-path", sys.executable, "--search-path", ROOT]
    command = [sys.executable, "-m", "pyrefly", "check", *options, program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode != 0) == bool(error), done.stdout
    assert error in done.stdout
