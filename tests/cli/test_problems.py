"""The test functions are what they say, and `compare` runs on them what it says."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import adamjax
from adamjax.cli.compare import LEARNING_RATES, plot_runs, run
from adamjax.problems import PROBLEMS, get_problem, parameters

pytestmark = pytest.mark.usefixtures("compiled_quickly")
problems = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
sampled = [problem for problem in PROBLEMS.values() if problem.sample is not None]


def points(problem, count=200):
    """Random points around the optima, within the problem's limits."""
    rng = np.random.default_rng(0)
    optimum = jax.tree.map(lambda x: np.asarray(x)[None], parameters(problem.optima[0]))
    low, high = problem.limits
    return jax.tree.map(
        lambda x: jnp.array(np.clip(x + 2 * rng.normal(size=(count, *x.shape[1:])), low, high),
                            jnp.float32), optimum)  # fmt: skip


@problems
def test_no_optimum_is_the_origin(problem):
    for optimum in problem.optima:
        assert all(np.abs(x).max() > 0.1 for x in jax.tree.leaves(parameters(optimum)))


def flat(x):
    return np.asarray(ravel_pytree(x)[0])


@problems
def test_optima_are_minima_of_loss_0(problem):
    for optimum in problem.optima:
        x = parameters(optimum)
        assert abs(float(problem.loss(x))) < 1e-6
        assert float(problem.distance(x)) == 0
        if problem.name == "kink":  # it has no gradient there
            continue
        # Downhill leads only across a limit.
        downhill = jax.tree.map(
            lambda x, g: jnp.clip(x - g, *problem.limits), x, jax.grad(problem.loss)(x)
        )
        np.testing.assert_allclose(flat(downhill), flat(x), atol=1e-6)
    assert float(jax.vmap(problem.loss)(points(problem)).min()) > -1e-6
    assert float(problem.loss(parameters(problem.start))) > 0.1


@problems
def test_the_start_is_away_from_the_optima_and_has_a_finite_gradient(problem):
    x = parameters(problem.start)
    assert float(problem.distance(x)) > 0.5
    gradient = flat(problem.gradient(x, jnp.int32(1)))
    assert np.isfinite(gradient).all() and (gradient != 0).any()
    assert jax.tree.map(jnp.shape, x) == jax.tree.map(jnp.shape, parameters(problem.optima[0]))


@problems
def test_the_window_shows_start_and_optima(problem):
    assert (problem.window is not None) == (flat(parameters(problem.start)).shape == (2,))
    if problem.window is not None:
        left, right, bottom, top = problem.window
        for x, y in (problem.start, *problem.optima):
            assert left < x < right and bottom < y < top


@pytest.mark.parametrize("problem", sampled, ids=lambda problem: problem.name)
def test_samples_differ_repeat_and_average_to_the_gradient_of_the_loss(problem):
    x = jax.tree.map(lambda x: x[0], points(problem, 1))
    steps = jnp.arange(1, 3001)
    gradient = jax.jit(lambda t, seed: ravel_pytree(problem.gradient(x, t, seed))[0])
    gradients = np.asarray(jax.vmap(gradient, in_axes=(0, None))(steps, 0))
    np.testing.assert_allclose(gradients[6], gradient(jnp.int32(7), 0), atol=1e-4)
    assert (gradients != gradients[0]).any()
    error = np.abs(gradients.mean(axis=0) - flat(jax.grad(problem.loss)(x)))
    assert (error <= 5 * gradients.std(axis=0) / np.sqrt(len(steps)) + 1e-5).all()


@pytest.mark.parametrize("problem", sampled, ids=lambda problem: problem.name)
def test_noise_is_drawn_from_the_seed(problem):
    x = parameters(problem.start)
    first, again, other = (
        np.stack([flat(problem.gradient(x, jnp.int32(t), seed)) for t in range(1, 6)])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    # Two of them change in time, and nothing is drawn.
    assert (first != other).any() == (problem.name not in ("reddi", "in_turn"))


@problems
def test_curvature_is_how_the_gradient_changes(problem):
    x = parameters(problem.start)
    t = jnp.int32(1)
    vector, unravel = ravel_pytree(x)
    gradient = lambda v: ravel_pytree(problem.gradient(unravel(v), t))[0]  # noqa: E731
    expected = np.diag(jax.jacrev(gradient)(vector))
    found = flat(problem.curvature(x, t))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_gradient_without_samples_is_that_of_the_loss():
    problem = get_problem("rosenbrock")
    x, y = 0.5, -1.0
    expected = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    np.testing.assert_allclose(problem.gradient(jnp.array([x, y]), jnp.int32(1)), expected)


def test_quadratic_has_the_condition_number_and_angle_it_names():
    values, vectors = np.linalg.eigh(jax.hessian(PROBLEMS["quadratic"].loss)(jnp.zeros(2)))
    assert values[1] / values[0] == pytest.approx(200, rel=1e-3)
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0])) % 180
    assert angle == pytest.approx(30, abs=0.1)


def test_plateau_starts_with_the_gradient_it_names():
    problem = PROBLEMS["plateau"]
    gradient = problem.gradient(jnp.array(problem.start), jnp.int32(1))
    assert float(jnp.linalg.norm(gradient)) == pytest.approx(2e-5, rel=0.1)


def test_distance_is_to_the_nearest_optimum():
    assert float(PROBLEMS["saddle"].distance(jnp.array([3.0, 5.0]))) == pytest.approx(5.0)


def test_unknown_problem():
    with pytest.raises(ValueError, match="did you mean 'beale'"):
        get_problem("beal")


def test_reddi_sends_adam_to_the_wrong_end_and_amsgrad_to_the_right_one():
    problem = PROBLEMS["reddi"]
    assert run(adamjax.adam, problem).path[-1, 0] > 0.9
    assert run(adamjax.amsgrad, problem).path[-1, 0] < -0.9
    assert run(adamjax.sgd, problem).path[-1, 0] < -0.9


@problems
def test_every_problem_runs(problem):
    best = run(adamjax.adamax, problem, steps=20)
    assert best.path.shape == (21, flat(parameters(problem.start)).size)
    assert best.losses[0] == pytest.approx(float(problem.loss(parameters(problem.start))), rel=1e-5)
    assert np.isfinite(best.losses).all()


def test_plateau_holds_sgd_but_not_adam():
    problem = PROBLEMS["plateau"]
    assert run(adamjax.sgd, problem).distances[-1] > 4
    assert run(adamjax.adam, problem).distances[-1] < 0.01


def test_adam_leaves_the_saddle_before_sgd():
    def leaves(make):
        best = run(make, PROBLEMS["saddle"], learning_rates=[0.1])
        return int(np.argmax(best.losses < 0.2))

    assert 0 < leaves(adamjax.adam) < leaves(adamjax.sgd)


def test_sparse_and_rotated_valley_tell_adaptive_methods_from_sgd():
    for name in ("sparse", "quadratic"):
        sgd = run(adamjax.sgd, PROBLEMS[name])
        for make in (adamjax.adam, adamjax.adagrad):
            assert run(make, PROBLEMS[name]).losses[-1] < 0.1 * sgd.losses[-1]


def test_run_is_plain_gradient_descent_for_sgd():
    problem = PROBLEMS["noisy"]
    x = np.array(problem.start, np.float32)
    path = [x]
    for t in range(1, 31):
        x = x - np.float32(0.02) * np.asarray(problem.gradient(jnp.array(x), jnp.int32(t)))
        path.append(x)
    result = run(adamjax.sgd, problem, learning_rates=[0.02], steps=30)
    np.testing.assert_allclose(result.path, path, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.losses, jax.vmap(problem.loss)(jnp.array(path)), rtol=1e-3)
    np.testing.assert_allclose(
        result.distances, np.linalg.norm(np.array(path) - 1, axis=1), rtol=1e-3
    )
    assert (result.label, result.learning_rate) == ("sgd", 0.02)


def test_run_keeps_the_best_learning_rate():
    problem = PROBLEMS["rosenbrock"]
    best = run(adamjax.sgd, problem, steps=200)
    each = {rate: run(adamjax.sgd, problem, learning_rates=[rate], steps=200).losses[-20:].mean()
            for rate in (0.001, 0.003, 0.01)}  # fmt: skip
    assert best.learning_rate in LEARNING_RATES
    assert best.learning_rate == min(each, key=lambda rate: np.nan_to_num(each[rate], nan=np.inf))
    np.testing.assert_allclose(best.losses[-20:].mean(), each[best.learning_rate], rtol=1e-4)


def test_of_runs_that_reach_the_optimum_the_fastest_is_kept():
    assert run(adamjax.sgd, PROBLEMS["saddle"], learning_rates=[0.1, 0.3, 0.2]).learning_rate == 0.3


def test_problems_arguments_are_passed_where_known_and_may_be_overruled():
    problem = PROBLEMS["reddi"]
    own = run(adamjax.adam, problem, arguments={"b1": 0.9, "b2": 0.999})
    expected = run(adamjax.adam, problem._replace(arguments={}))
    np.testing.assert_array_equal(own.path, expected.path)
    assert (own.path != run(adamjax.adam, problem).path).any()


def test_a_variant_that_refuses_the_arguments_of_a_problem_keeps_its_own():
    problem = PROBLEMS["reddi"]
    with pytest.raises(ValueError, match="b2 must be at least"):
        adamjax.ano(**problem.arguments)
    assert run(adamjax.ano, problem, steps=5).losses.shape == (6,)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("beale", "Path"),
        ("reddi", "Coordinate"),
        ("sparse", "Distance to the optimum"),
        ("layers", "Distance to the optimum"),
    ],
)
def test_picture(tmp_path, name, second):
    problem = PROBLEMS[name]
    runs = [run(make, problem, steps=30) for make in (adamjax.sgd, adamjax.adam)]
    file = tmp_path / "new" / "curves.png"
    figure = plot_runs(problem, runs, file)
    assert file.read_bytes().startswith(b"\x89PNG")
    left, right = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Loss", second]
    assert len(left.lines) == 2
    assert len(right.lines) >= 2
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [f"{one.label}, lr {one.learning_rate:g}" for one in runs]


def test_picture_of_a_run_that_diverged(tmp_path):
    problem = PROBLEMS["rosenbrock"]
    runs = [run(adamjax.sgd, problem, learning_rates=[10.0], steps=50)]
    assert not np.isfinite(runs[0].losses[-1])
    figure = plot_runs(problem, runs, tmp_path / "curves.svg")
    assert figure.axes[0].get_ylim()[1] <= 30 * runs[0].losses[0]


def test_pictures_leave_the_state_of_pyplot_alone(tmp_path):
    code = (
        "import sys, adamjax\n"
        "from adamjax.cli.compare import plot_runs, run\n"
        "from adamjax.problems import PROBLEMS\n"
        "assert 'matplotlib' not in sys.modules\n"
        "saddle = PROBLEMS['saddle']\n"
        f"plot_runs(saddle, [run(adamjax.sgd, saddle, steps=5)], {str(tmp_path / 'a.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
