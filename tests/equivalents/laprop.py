"""Of LaProp."""

EQUIVALENT = {
    "a guard against rounding, on which test_centered_moment_of_a_constant_gradient looks": {
        "laprop-_spread: jnp.maximum(nu - center * center, 0) -> nu - center * center",
    },
    "a constant learning rate makes no difference": {"laprop-scale_by_laprop: 1.0 -> 1.5"},
    "one number for each element is as good as one for the leaf, and larger": {
        "laprop-scale_by_laprop: Slot(shape=lambda shape: (1,) * len(shape)) -> Slot()",
    },
}
