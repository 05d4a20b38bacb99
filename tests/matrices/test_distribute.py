"""Stacks of matrices over the devices of a mesh: collectives, results, groups."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec as P

import adamjax
from adamjax.matrices.distribute import map_stacks
from tests.sharding import plans
from tests.sharding.collectives import collectives

# All-to-alls of CPU have a result for each of the 2 or 4 devices, here on the way in and out.
SENT = {
    P("data", "model"): {"all-to-all": 2 * (2 + 4)},
    P(("data", "model")): {"all-to-all": 2 * (2 + 4)},
    P(): {"all-gather": 2},
}


@pytest.mark.parametrize("spec", SENT, ids=str)
@pytest.mark.usefixtures("compiled_quickly")
def test_no_matrix_is_gathered_unless_replicated(spec):
    tx, at = adamjax.orthogonalize(), NamedSharding(plans.mesh(), spec)
    grads = {str(i): jax.random.normal(jax.random.key(i), (16, 32)) for i in range(8)}
    expected, _ = tx.update(grads, tx.init(grads))
    with jax.set_mesh(plans.mesh()):
        run = jax.jit(lambda g: tx.update(g, tx.init(g))[0], out_shardings=at)
        compiled = run.lower(jax.device_put(grads, at)).compile()
        updates = compiled(jax.device_put(grads, at))
    assert {op: len(sizes) for op, sizes in collectives(compiled.as_text()).items()} == SENT[spec]
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-5), updates, expected)


def test_groups_of_a_shape_have_even_sizes():
    sizes = []
    rows = [(jnp.full((1, 2, 2), i, jnp.float32),) for i in range(12)]
    results = map_stacks(lambda x: sizes.append(len(x)) or 2 * x, rows, max_bytes=7 * 16)
    assert sizes == [6, 6]
    assert [float(y.max()) for y in results] == [2.0 * i for i in range(12)]
