"""Of the basis that SOAP takes its averages in."""

EQUIVALENT = {
    "the leaves that soap turns are square here; test_eigenbasis has others": {
        "eigenbasis-eigenbasis: -1 -> 1",
        "eigenbasis-eigenbasis: 1 -> 2",
        "eigenbasis-eigenbasis: -1 -> 1 #2",
        "eigenbasis-eigenbasis: 1 -> 2 #2",
        "eigenbasis-eigenbasis: -1 -> 1 #3",
        "eigenbasis-_rotates: -1 -> 1",
        "eigenbasis-_rotates: 1 -> 2",
    },
    "Adam does not look at the parameters": {
        "eigenbasis-eigenbasis: None if params is None else map_leaves(_into, params, *bases)"
        " -> map_leaves(_into, params, *bases) if params is None else None",
        "eigenbasis-eigenbasis: params is None -> params is not None",
        "eigenbasis-eigenbasis: map_leaves(_into, params, *bases) -> _into",
        "eigenbasis-eigenbasis: map_leaves(_into, params, *bases) -> params",
    },
    "the limit on huge gradients, and NaN at the first step: on which the conformance kit looks": {
        "eigenbasis-eigenbasis: map_leaves(clamp, updates) -> updates",
        "eigenbasis-eigenbasis: 0 * u -> 0",
        "eigenbasis-_gram: 2.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)"
        " -> 3.0 ** (jnp.finfo(g.dtype).maxexp // 4 - 2)",
        "eigenbasis-_gram: jnp.finfo(g.dtype).maxexp // 4 - 2 -> jnp.finfo(g.dtype).maxexp // 4",
        "eigenbasis-_gram: jnp.finfo(g.dtype).maxexp // 4 - 2"
        " -> jnp.finfo(g.dtype).maxexp // 4 + 2",
        "eigenbasis-_gram: jnp.finfo(g.dtype).maxexp // 4 -> jnp.finfo(g.dtype).maxexp",
        "eigenbasis-_gram: jnp.finfo(g.dtype).maxexp // 4 -> jnp.finfo(g.dtype).maxexp // 5",
        "eigenbasis-_gram: jnp.finfo(g.dtype).maxexp // 4 - 2"
        " -> jnp.finfo(g.dtype).maxexp // 4 - 3",
        "eigenbasis-_gram: jnp.clip(g, -limit, limit) -> g",
    },
    "a switch takes what is too large for its last case, and a condition for 0 or 1": {
        "eigenbasis-eigenbasis: jnp.where(first, 2, jnp.where(state.count % every == 0, 1, 0))"
        " -> jnp.where(first, 3, jnp.where(state.count % every == 0, 1, 0))",
        "eigenbasis-eigenbasis: jnp.where(state.count % every == 0, 1, 0)"
        " -> state.count % every == 0",
        "eigenbasis-eigenbasis: jnp.where(state.count % every == 0, 1, 0)"
        " -> jnp.where(1, state.count % every == 0, 0)",
    },
    "no leaf here has so short a side": {
        "eigenbasis-_shape: 0 in shape -> 1 in shape",
        "eigenbasis-_rotates: matrix.shape[-1] > 1 -> matrix.shape[-1] > 2",
    },
    "no number depends on it": {
        "eigenbasis-_shape: (1,) * len(shape) -> (1,)",
        "eigenbasis-_zeros: jnp.result_type(param) -> param",
    },
    "on CPU every product is precise": {
        "eigenbasis-_dot: jnp.matmul(a, b, precision='highest') -> jnp.matmul(a, b)",
    },
    "what the basis is refined to is put in order": {
        "eigenbasis-_diagonalize: jnp.flip(jnp.linalg.eigh(a)[1], axis=-1)"
        " -> jnp.linalg.eigh(a)[1]",
    },
}
