"""Of CAME."""

EQUIVALENT = {
    "too small to count beside squares of this size": {
        "came-scale_by_came: 1e-30 -> 1.5000000000000001e-30",
        "came-scale_by_came: 1e-16 -> 1.5e-16",
        "came-came: 1e-30 -> 1.5000000000000001e-30",
        "came-came: 1e-16 -> 1.5e-16",
    },
}
