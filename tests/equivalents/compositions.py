"""Of what is composed of modifiers and wrappers."""

EQUIVALENT = {
    "they are added to each other": {
        "lookahead-lookahead: map_leaves(slow_after, state.slow, params, steps)"
        " -> map_leaves(slow_after, state.slow, steps, params)",
        "schedule_free_adamw-_decaying: map_leaves(jnp.add, params, shrunk)"
        " -> map_leaves(jnp.add, shrunk, params)",
        "schedule_free_adamw-_decaying: map_leaves(jnp.add, steps, shrunk)"
        " -> map_leaves(jnp.add, shrunk, steps)",
        "schedule_free-schedule_free: map_leaves(lambda z, step: z + step, state.z, steps)"
        " -> map_leaves(lambda z, step: z + step, steps, state.z)",
    },
    "a size that no leaf of an oracle has, on which test_sides_that_soap_turns looks": {
        "soap-scale_by_soap: 10000 -> 10001",
        "soap-soap: 10000 -> 10001",
    },
    "a warm-up of one step is none": {
        "schedules-with_linear_warmup: warmup_steps == 0 -> warmup_steps == 1",
        "schedule_free_sgd-schedule_free_sgd: 0 -> 1",
        "schedule_free_adamw-schedule_free_adamw: 0 -> 1",
    },
}
