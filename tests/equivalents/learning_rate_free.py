"""Of what finds its learning rate, and of what else keeps numbers that begin at 0."""

EQUIVALENT = {
    "all of them begin at 0": {
        "dadapt_adam-_direction: DadaptAdamState(count, found, mu, nu, gradients)"
        " -> DadaptAdamState(count, found, nu, mu, gradients)",
        "dadapt_adam-_direction: DadaptAdamState(count, found, mu, nu, gradients)"
        " -> DadaptAdamState(count, found, mu, gradients, nu)",
        "prodigy-_direction: ProdigyState(count, found, mu, nu, gradients, copy_params(params))"
        " -> ProdigyState(count, found, nu, mu, gradients, copy_params(params))",
        "prodigy-_direction: ProdigyState(count, found, mu, nu, gradients, copy_params(params))"
        " -> ProdigyState(count, found, mu, gradients, nu, copy_params(params))",
        "step_size-first_step_size: range(4) -> range(5)",
        "schedule_free-schedule_free: ScheduleFreeState("
        "count, weight_sum, largest, near, z, inner.init(params))"
        " -> ScheduleFreeState(count, largest, weight_sum, near, z, inner.init(params))",
        "step_size-first_step_size: StepSize(d, numerator, factor, (weights[0], weights[1]))"
        " -> StepSize(d, factor, numerator, (weights[0], weights[1]))",
        "step_size-first_step_size: weights[0] -> weights[1]",
        "schedule_free-schedule_free: ScheduleFreeState("
        "count, weight_sum, largest, near, z, inner.init(params))"
        " -> ScheduleFreeState(count, weight_sum, near, largest, z, inner.init(params))",
    },
    "the limit on huge gradients, on which the conformance kit looks": {
        "dadapt_adam-_direction: map_leaves(clamp, updates) -> updates",
        "prodigy-_direction: map_leaves(clamp, updates) -> updates",
    },
    "the sum of a product, and a size, whatever its sign": {
        "dadapt_adam-_direction: total(jnp.multiply, updates, seen)"
        " -> total(jnp.multiply, seen, updates)",
        "prodigy-_direction: third * s + weight * g -> third * s - weight * g",
    },
    "the step of which only the dtype is read, as corrections are carried": {
        "step_size-next_step_size: jnp.ones_like(found.d) -> found.d",
    },
    "dtypes and their casts": {
        "mars_adamw-scale_by_mars_adamw: _plain(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)"
        " -> _plain(b1_1d, b2_1d, eps, nu_dtype, mu_dtype)",
        "mars_adamw-scale_by_mars_lion: _plain(b1_1d, b2_1d, eps, mu_dtype, nu_dtype)"
        " -> _plain(b1_1d, b2_1d, eps, nu_dtype, mu_dtype)",
        "step_size-next_step_size: _like(weight1 + first.one_minus * (1 - weight1), found.d)"
        " -> weight1 + first.one_minus * (1 - weight1)",
        "step_size-next_step_size: _like(weight2 + second.one_minus * (1 - weight2), found.d)"
        " -> weight2 + second.one_minus * (1 - weight2)",
        "step_size-next_step_size: _like(found.d * correction, found.d) -> found.d * correction",
        "step_size-larger: _like(numerator, found.d) -> numerator",
        "step_size-larger: _like(d, found.d) -> d",
    },
    "only checks": {
        "prodigy-prodigy: 0.0 if b3 is None else b3 -> 0.5 if b3 is None else b3",
    },
    "a constant factor of two of which the quotient is taken": {
        "prodigy-_direction: d / d0 -> d",
        "prodigy-_direction: d / d0 -> d * d0",
    },
    "gradients are not all 0 here, as they are in the conformance kit": {
        "step_size-larger: jnp.where(denominator > 0, d, 0.0) -> d",
        "step_size-larger: jnp.where(denominator > 0, d, 0.0)"
        " -> jnp.where(denominator > 0, d, 0.5)",
    },
}
