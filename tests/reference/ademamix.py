"""The reader of AdEMAMix."""

from tests.reference import betas, reads


@reads("ademamix", "ademamix")
def ademamix(given):
    given.choose({("outside",): None}, "eps_mode")
    steps = given.pop("warmup")
    return betas(given) | {
        "b3": given.pop("b3"),
        "alpha": given.pop("alpha"),
        "eps": given.pop("eps"),
        "b3_warmup": steps,
        "alpha_warmup": steps,
        "style": given.choose({(1,): "author", (0,): "optax"}, "warmup_start"),
    }
