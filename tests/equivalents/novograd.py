"""Of NovoGrad."""

EQUIVALENT = {
    "keeps the sum finite, on which the conformance kit looks with the largest gradients": {
        "novograd-scale_by_novograd: jnp.minimum(jnp.sum(g * g, keepdims=True), most)"
        " -> jnp.sum(g * g, keepdims=True)",
    },
}
