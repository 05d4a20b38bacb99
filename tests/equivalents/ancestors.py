"""Of the variants around Adam, and of its ancestors."""

EQUIVALENT = {
    "only the shape of the state differs, on which test_adafactor_keeps_means_alone looks": {
        "adafactor-factored_slots: Slot(dtype=dtype, shape=shape) -> Slot(dtype=dtype)",
        "adafactor-factored_slots: 1: -> 2:",
    },
    "1/√t is below 10⁻² after 10,000 steps only": {
        "adafactor-scale_by_adafactor: relative_step(0.01) -> 0.01",
    },
    "the last coefficient of a series: 4e-9 of a small correction": {
        "radam-sma_length: x ** 2 / 40 -> x ** 2 / 41",
    },
    "keeps the branch that is not taken free of NaN": {
        "radam-sma_length: jnp.maximum(x, 0.5) -> x",
    },
    "differs in the branch that is not taken, on which test_steps_can_be_differentiated looks": {
        "radam-rectification: jnp.where(trusted, part, 1) -> part",
        "radam-rectification: jnp.where(trusted, part, 1) -> jnp.where(trusted, part, 2)",
    },
    "the two comparisons differ in ties alone": {
        "radam-scale_by_radam: jnp.greater if style == 'torch' else jnp.greater_equal"
        " -> jnp.greater_equal if style == 'torch' else jnp.greater",
        "radam-scale_by_radam: style == 'torch' -> style != 'torch'",
    },
    "a guard against rounding, on which test_centered_moment_of_a_constant_gradient looks": {
        "rmsprop-scale_by_rmsprop: jnp.maximum(nu - average ** 2, ZERO) -> nu - average ** 2",
    },
    "moments holds the new nu by then": {
        "rmsprop-scale_by_rmsprop: nu - average ** 2 -> moments.nu - average ** 2",
    },
}
