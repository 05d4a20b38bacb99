"""The reader of StableAdamW."""

from tests.reference import betas, reads


@reads("stable_adamw", "stable_adamw")
def stable_adamw(given):
    return betas(given) | {"eps": given.pop("eps")}
