"""A run on a problem is what a loop by hand does: delays, curvature, averages."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.cli.compare import run
from adamjax.cli.descent import descend, evaluated, takes_hessian
from adamjax.problems import PROBLEMS, get_problem, parameters


def test_a_delay_is_counted_in_steps():
    problem = PROBLEMS["delayed"]
    x, rate = np.array(problem.start, np.float32), np.float32(0.01)
    path = [x]
    for t in range(1, 31):
        seen = path[max(0, t - 1 - problem.delay)]
        path.append(path[-1] - rate * np.asarray(jax.grad(problem.loss)(jnp.array(seen))))
    result = run(adamjax.sgd, problem, learning_rates=[0.01], steps=30)
    np.testing.assert_allclose(result.path, path, rtol=1e-4, atol=1e-5)


def test_sophia_is_given_the_curvature_at_every_tenth_step():
    problem = get_problem("noisy")._replace(sample=None)
    make = lambda learning_rate: adamjax.sophia(learning_rate, rho=1.0, weight_decay=0.0)  # noqa: E731
    x, tx = jnp.array(problem.start, jnp.float32), make(0.1)
    state, path = tx.init(x), [x]
    for t in range(25):
        given = {"hessian": jnp.array([1.0, 10.0])} if t % 10 == 0 else {}
        updates, state = tx.update(jax.grad(problem.loss)(x), state, x, **given)
        x = x + updates
        path.append(x)
    result = run(make, problem, learning_rates=[0.1], steps=25)
    np.testing.assert_allclose(result.path, path, rtol=1e-4, atol=1e-5)


def test_who_is_given_a_curvature():
    taking = [
        name
        for name in adamjax.list_variants()
        if takes_hessian(adamjax.create(name, learning_rate=0.1), jnp.zeros((2, 2)))
    ]
    assert taking == ["sophia"]
    assert takes_hessian(adamjax.sophia(0.1, storage="8bit"), jnp.zeros((2, 2)))
    assert not takes_hessian(optax.with_extra_args_support(optax.adam(0.1)), jnp.zeros(2))


def test_an_average_is_judged_where_there_is_one():
    problem, tx = PROBLEMS["noisy"], adamjax.schedule_free_sgd(0.05)
    start = parameters(problem.start)
    trained, state = start, tx.init(start)
    for t in range(1, 21):
        updates, state = tx.update(problem.gradient(trained, jnp.int32(t)), state, trained)
        trained = trained + updates
    averaged = adamjax.eval_params(state, trained)
    assert float(jnp.abs(averaged - trained).max()) > 1e-3
    found = jax.jit(lambda: descend(tx, problem, start, 20).path)()[-1]
    np.testing.assert_allclose(found, averaged, rtol=1e-4, atol=1e-5)
    assert evaluated((), start) is start
