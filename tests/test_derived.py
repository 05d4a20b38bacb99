"""Ready-made optimizers are derived from their rules: signatures, docstrings, stubs."""

import doctest
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import optax
import pytest

import adamjax
from adamjax.derive import section

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


def test_errors_name_the_optimizer_and_its_own_decay_modes():
    with pytest.raises(TypeError, match=r"adam: .*unexpected keyword argument 'beta1'"):
        adamjax.adam(beta1=0.9)
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
