"""Of AdaShift."""

EQUIVALENT = {
    "one number, or the same in every element; an empty leaf has none": {
        "adashift-scale_by_adashift: Slot(dtype=nu_dtype,"
        " shape=(lambda shape: (1,) * len(shape)) if whole else None)"
        " -> Slot(dtype=nu_dtype)",
        "adashift-scale_by_adashift: jnp.max(oldest ** 2, initial=0, keepdims=True)"
        " -> jnp.max(oldest ** 2, keepdims=True)",
        "adashift-scale_by_adashift: jnp.max(oldest ** 2, initial=0, keepdims=True)"
        " -> jnp.max(oldest ** 2, initial=0)",
        "adashift-scale_by_adashift: jnp.max(oldest ** 2, initial=0, keepdims=True)"
        " -> jnp.max(oldest ** 2, initial=0, keepdims=False)",
    },
    "a ring has no beginning": {
        "adashift-scale_by_adashift: moments.count - 1 -> moments.count",
        "adashift-scale_by_adashift: moments.count - 1 -> moments.count + 1",
        "adashift-scale_by_adashift: moments.count - 1 -> moments.count - 2",
    },
    "nothing is taken of what the window is not yet full of": {
        "adashift-scale_by_adashift: jnp.where(full, step.count - window, 1)"
        " -> step.count - window",
        "adashift-scale_by_adashift: jnp.where(full, step.count - window, 1)"
        " -> jnp.where(full, step.count - window, 2)",
    },
}
