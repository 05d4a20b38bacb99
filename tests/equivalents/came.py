"""Of CAME."""

EQUIVALENT = {
    "too small to count beside squares of this size": {
        "came-scale_by_came: 1e-30 -> 1.5000000000000001e-30",
        "came-scale_by_came: 1e-16 -> 1.5e-16",
        "came-came: 1e-30 -> 1.5000000000000001e-30",
        "came-came: 1e-16 -> 1.5e-16",
    },
    "CAME has no floor: it is the constant 0": {
        "came-factored: jnp.maximum(mean(row, axes[0]), floor) -> mean(row, axes[0])",
    },
    "R Cᵀ / mean(R) is the same of sums as of means": {
        "came-mean: x / count -> x",
        "came-mean: x / count -> x * count",
    },
}
