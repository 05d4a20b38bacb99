"""A run on a problem equals a loop by hand: delays, curvature, averages."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.cli.compare import run
from adamjax.cli.descent import descend, takes_hessian
from adamjax.problems import PROBLEMS, get_problem, parameters
from adamjax.wrappers.evaluation import evaluated


def test_a_delay_is_counted_in_steps():
    problem, rate = PROBLEMS["delayed"], np.float32(0.01)
    gradient = jax.jit(jax.grad(problem.loss))
    path = [np.array(problem.start, np.float32)]
    for t in range(1, 31):
        delayed = path[max(0, t - 1 - problem.delay)]
        path.append(path[-1] - rate * np.asarray(gradient(delayed)))
    result = run(adamjax.sgd, problem, learning_rates=[0.01], steps=30)
    points = jnp.array(path)
    np.testing.assert_allclose(result.path, path, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.losses, jax.vmap(problem.loss)(points), rtol=1e-3)
    np.testing.assert_allclose(result.distances, jax.vmap(problem.distance)(points), rtol=1e-3)
    assert (result.label, result.learning_rate) == ("sgd", 0.01)


def test_sophia_receives_the_curvature_at_every_tenth_step():
    problem = get_problem("noisy")._replace(sample=None)
    make = lambda learning_rate: adamjax.sophia(learning_rate, rho=1.0, weight_decay=0.0)  # noqa: E731
    x, tx = jnp.array(problem.start, jnp.float32), make(0.1)
    update, gradient = jax.jit(tx.update), jax.jit(jax.grad(problem.loss))
    state, path = tx.init(x), [x]
    for t in range(25):
        extra = {"hessian": jnp.array([1.0, 10.0])} if t % 10 == 0 else {}
        updates, state = update(gradient(x), state, x, **extra)
        x = x + updates
        path.append(x)
    result = run(make, problem, learning_rates=[0.1], steps=25)
    np.testing.assert_allclose(result.path, path, rtol=1e-4, atol=1e-5)


def test_sophia_alone_takes_a_hessian():
    params = jnp.zeros((2, 2))
    optimizers = {name: adamjax.create(name, learning_rate=0.1) for name in adamjax.list_variants()}
    taking = [name for name, tx in optimizers.items() if takes_hessian(tx, params)]
    assert taking == ["sophia"]
    assert takes_hessian(adamjax.sophia(0.1, storage="8bit"), params)
    assert not takes_hessian(optax.with_extra_args_support(optax.adam(0.1)), params)


def test_an_average_is_evaluated_if_there_is_one():
    problem, tx = PROBLEMS["noisy"], adamjax.schedule_free_sgd(0.05)
    start = parameters(problem.start)
    trained, state = start, tx.init(start)
    update = jax.jit(tx.update)
    for t in range(1, 21):
        updates, state = update(problem.gradient(trained, jnp.int32(t)), state, trained)
        trained = trained + updates
    averaged = adamjax.eval_params(state, trained)
    assert float(jnp.abs(averaged - trained).max()) > 1e-3
    last = jax.jit(lambda: descend(tx, problem, start, 20).path)()[-1]
    np.testing.assert_allclose(last, averaged, rtol=1e-4, atol=1e-5)
    assert evaluated((), start) is start
