"""The reader of simplified AdEMAMix."""

from tests.reference import betas, reads


@reads("simplified_ademamix", "simplified_ademamix")
def simplified_ademamix(given):
    return betas(given) | {"alpha": given.pop("alpha"), "eps": given.pop("eps")}
