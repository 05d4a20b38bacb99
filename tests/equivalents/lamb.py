"""Of LAMB."""

EQUIVALENT = {
    "LAMB has the coefficient 1 and no ε in its ratio": {
        "trust_ratio-trust_ratio: coefficient * jnp.minimum(size, norm_cap)"
        " -> jnp.minimum(size, norm_cap)",
        "trust_ratio-trust_ratio: own + eps -> own",
        "trust_ratio-trust_ratio: own + eps -> own - eps",
    },
}
