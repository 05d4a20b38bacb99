"""Of AdaBelief."""

EQUIVALENT = {
    "this rule has no eps_root: it is the constant 0": {
        "adabelief-hat: jnp.sqrt(nu + step.eps_root) -> jnp.sqrt(nu) + step.eps_root",
        "adabelief-hat: nu + step.eps_root -> nu",
        "adabelief-hat: nu + step.eps_root -> nu - step.eps_root",
        "adabelief-outside: jnp.sqrt(debias(nu, step.b2) + step.eps_root)"
        " -> jnp.sqrt(debias(nu, step.b2)) + step.eps_root",
        "adabelief-outside: debias(nu, step.b2) + step.eps_root -> debias(nu, step.b2)",
        "adabelief-outside: debias(nu, step.b2) + step.eps_root"
        " -> debias(nu, step.b2) - step.eps_root",
    },
}
