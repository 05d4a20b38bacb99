"""Of what is composed of modifiers and wrappers."""

EQUIVALENT = {
    "they are added to each other": {
        "lookahead-lookahead: each_leaf(slow_after, state.slow, params, steps)"
        " -> each_leaf(slow_after, state.slow, steps, params)",
        "schedule_free_adamw-_decaying: each_leaf(jnp.add, params, shrunk)"
        " -> each_leaf(jnp.add, shrunk, params)",
        "schedule_free_adamw-_decaying: each_leaf(jnp.add, steps, shrunk)"
        " -> each_leaf(jnp.add, shrunk, steps)",
        "schedule_free-schedule_free: each_leaf(lambda z, step: z + step, state.z, steps)"
        " -> each_leaf(lambda z, step: z + step, steps, state.z)",
    },
    "a size that no leaf of an oracle has, on which test_sides_that_soap_turns looks": {
        "soap-scale_by_soap: 10000 -> 10001",
        "soap-soap: 10000 -> 10001",
    },
    "a warm-up of one step is none": {
        "schedules-warmed_up: warmup_steps == 0 -> warmup_steps == 1",
        "schedule_free_sgd-schedule_free_sgd: 0 -> 1",
        "schedule_free_adamw-schedule_free_adamw: 0 -> 1",
    },
}
