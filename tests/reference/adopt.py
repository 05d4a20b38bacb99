"""The reader of ADOPT."""

from tests.reference import betas, reads


@reads("adopt", "adopt", "adoptw")
def adopt(given):
    return betas(given) | {"eps": given.pop("eps"), "clip_exponent": given.pop("clip_exponent")}
