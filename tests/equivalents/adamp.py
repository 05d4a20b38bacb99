"""Of AdamP and SGDP."""

EQUIVALENT = {
    "the angle between two is that between them the other way round": {
        "adamp-less_where_projected: projected(clamp(g), p, delta, eps, out_axis=out_axis)"
        " -> projected(p, clamp(g), delta, eps, out_axis=out_axis)",
    },
    "a dtype alone": {
        "sgdp-scale_by_sgdp: jax.tree.map(lambda u, before: u.astype(before.dtype), directions,"
        " kept.mu) -> directions",
    },
}
