"""The test problems have the properties they claim, and `run` and `plot_runs` report them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import adamjax
from adamjax.cli.compare import LEARNING_RATES, plot_runs, run
from adamjax.problems import PROBLEMS, get_problem, parameters

pytestmark = pytest.mark.usefixtures("compiled_quickly")
SAMPLED = {name: problem for name, problem in PROBLEMS.items() if problem.sample is not None}


def flat(x):
    return ravel_pytree(x)[0]


def points(problem, count=200):
    """Random points around the first optimum, within the problem's limits."""
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda x: np.clip(x + 2 * rng.normal(size=(count, *x.shape)), *problem.limits).astype("f"),
        parameters(problem.optima[0]),
    )


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_problem(problem):
    """Its optima, start and window, and a short run."""
    start = parameters(problem.start)
    optima = jax.tree.map(lambda *x: jnp.stack(x), *map(parameters, problem.optima))

    @jax.jit
    def evaluate(optima, others):
        gradients = jax.vmap(jax.grad(problem.loss))(optima)
        downhill = jax.tree.map(lambda x, g: jnp.clip(x - g, *problem.limits), optima, gradients)
        return {
            "losses": jax.vmap(problem.loss)(optima),
            "distances": jax.vmap(problem.distance)(optima),
            "downhill": downhill,
            "other losses": jax.vmap(problem.loss)(others),
            "start": (problem.loss(start), problem.distance(start)),
            "gradient": flat(problem.gradient(start, jnp.int32(1))),
        }

    values = evaluate(optima, points(problem))
    np.testing.assert_allclose(values["losses"], 0, atol=1e-6)
    np.testing.assert_allclose(values["distances"], 0, atol=1e-5)
    if problem.name != "kink":  # it has no gradient there
        # Only a limit stops the descent.
        np.testing.assert_allclose(flat(values["downhill"]), flat(optima), atol=1e-6)
    # The origin is no optimum: some methods find it by chance.
    for optimum in problem.optima:
        assert all(np.abs(x).max() > 0.1 for x in jax.tree.leaves(parameters(optimum)))
    assert values["other losses"].min() > -1e-6
    loss, distance = values["start"]
    assert loss > 0.1 and distance > 0.5
    assert np.isfinite(values["gradient"]).all() and values["gradient"].any()
    assert (problem.window is not None) == (values["gradient"].shape == (2,))
    if problem.window is not None:
        left, right, bottom, top = problem.window
        for x, y in (problem.start, *problem.optima):
            assert left < x < right and bottom < y < top
    best = run(adamjax.adamax, problem, learning_rates=[1e-2], steps=20)
    assert best.path.shape == (21, values["gradient"].size)
    assert best.losses[0] == pytest.approx(float(loss), rel=1e-5)
    assert np.isfinite(best.losses).all() and (best.path[1:] != best.path[0]).any()


@pytest.mark.wide
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_curvature_is_the_diagonal_of_the_hessian(problem):
    x, t = parameters(problem.start), jnp.int32(1)
    vector, unravel = ravel_pytree(x)
    hessian = jax.jit(jax.jacrev(lambda v: flat(problem.gradient(unravel(v), t))))
    expected = np.diag(hessian(vector))
    curvature = flat(jax.jit(problem.curvature)(x, t))
    np.testing.assert_allclose(curvature, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.wide
@pytest.mark.parametrize("problem", SAMPLED.values(), ids=SAMPLED)
def test_samples_repeat_and_average_to_the_gradient_of_the_loss(problem):
    x = jax.tree.map(lambda x: x[0], points(problem, 1))
    steps = jnp.arange(1, 3001)

    def gradient(t, seed):
        return flat(problem.gradient(x, t, seed))

    sample = jax.jit(jax.vmap(gradient, in_axes=(0, None)))
    gradients, other = np.asarray(sample(steps, 0)), np.asarray(sample(steps, 1))
    np.testing.assert_allclose(gradients[6], gradient(jnp.int32(7), 0), atol=1e-4)
    assert (gradients != gradients[0]).any()
    error = np.abs(gradients.mean(axis=0) - flat(jax.jit(jax.grad(problem.loss))(x)))
    assert (error <= 5 * gradients.std(axis=0) / np.sqrt(len(steps)) + 1e-5).all()
    # Two problems change in time and draw nothing.
    assert (gradients != other).any() == (problem.name not in ("reddi", "in_turn"))


def test_values_by_hand():
    problem = get_problem("rosenbrock")
    x, y = 0.5, -1.0
    expected = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    np.testing.assert_allclose(problem.gradient(jnp.array([x, y]), jnp.int32(1)), expected)
    values, vectors = np.linalg.eigh(jax.hessian(PROBLEMS["quadratic"].loss)(jnp.zeros(2)))
    assert values[1] / values[0] == pytest.approx(200, rel=1e-3)
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0])) % 180
    assert angle == pytest.approx(30, abs=0.1)
    problem = PROBLEMS["plateau"]
    gradient = problem.gradient(jnp.array(problem.start), jnp.int32(1))
    assert float(jnp.linalg.norm(gradient)) == pytest.approx(2e-5, rel=0.1)
    # The nearest of two optima.
    assert float(PROBLEMS["saddle"].distance(jnp.array([3.0, 5.0]))) == pytest.approx(5.0)
    with pytest.raises(ValueError, match="did you mean 'beale'"):
        get_problem("beal")


def test_optimizers_differ_as_the_problems_say():
    reddi, plateau = PROBLEMS["reddi"], PROBLEMS["plateau"]
    assert run(adamjax.adam, reddi).path[-1, 0] > 0.9
    assert run(adamjax.amsgrad, reddi).path[-1, 0] < -0.9
    assert run(adamjax.sgd, reddi).path[-1, 0] < -0.9
    assert run(adamjax.sgd, plateau).distances[-1] > 4
    assert run(adamjax.adam, plateau).distances[-1] < 0.01
    adam, sgd = (
        run(make, PROBLEMS["saddle"], learning_rates=[0.1]) for make in (adamjax.adam, adamjax.sgd)
    )
    assert 0 < np.argmax(adam.losses < 0.2) < np.argmax(sgd.losses < 0.2)
    for name in ("sparse", "quadratic"):
        sgd = run(adamjax.sgd, PROBLEMS[name])
        for make in (adamjax.adam, adamjax.adagrad):
            assert run(make, PROBLEMS[name]).losses[-1] < 0.1 * sgd.losses[-1]


def test_run_keeps_the_best_learning_rate():
    problem, rates = PROBLEMS["rosenbrock"], (0.001, 0.003, 0.01)
    best = run(adamjax.sgd, problem, steps=200)
    each = {
        rate: run(adamjax.sgd, problem, learning_rates=[rate], steps=200).losses[-20:].mean()
        for rate in rates
    }
    assert best.learning_rate in LEARNING_RATES
    assert best.learning_rate == min(rates, key=lambda rate: np.nan_to_num(each[rate], nan=np.inf))
    np.testing.assert_allclose(best.losses[-20:].mean(), each[best.learning_rate], rtol=1e-4)
    # Of the runs that reach the optimum, the fastest.
    best = run(adamjax.sgd, PROBLEMS["saddle"], learning_rates=[0.1, 0.3, 0.2])
    assert best.learning_rate == 0.3


def test_arguments_of_a_problem_are_passed_where_valid_and_can_be_overruled():
    problem = PROBLEMS["reddi"]
    own = run(adamjax.adam, problem, arguments={"b1": 0.9, "b2": 0.999})
    expected = run(adamjax.adam, problem._replace(arguments={}))
    np.testing.assert_array_equal(own.path, expected.path)
    assert (own.path != run(adamjax.adam, problem).path).any()
    with pytest.raises(ValueError, match="b2 must be at least"):
        adamjax.ano(**problem.arguments)
    assert run(adamjax.ano, problem, steps=5).losses.shape == (6,)


@pytest.mark.parametrize(
    ("name", "title"),
    [("beale", "Path"), ("reddi", "Coordinate"), ("layers", "Distance to the optimum")],
)
def test_picture(tmp_path, name, title):
    problem = PROBLEMS[name]
    runs = [run(make, problem, steps=30) for make in (adamjax.sgd, adamjax.adam)]
    file = tmp_path / "new" / "curves.png"
    figure = plot_runs(problem, runs, file)
    assert file.read_bytes().startswith(b"\x89PNG")
    left, right = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Loss", title]
    assert len(left.lines) == 2
    assert len(right.lines) >= 2
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [f"{one.label}, lr {one.learning_rate:g}" for one in runs]
