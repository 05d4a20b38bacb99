"""Of FOCUS."""

EQUIVALENT = {
    "a factor of 0, up to a last place, on which test_focus_is_drawn_nowhere_at_first looks": {
        "focus-scale_by_focus: jnp.where(step.count == 1, p, moments.average) -> moments.average",
    },
}
