"""diffGrad."""

from tests.reference import betas, reads


@reads("diffgrad", "diffgrad")
def diffgrad(given):
    given.choose({("hat",): None}, "eps_mode")
    return betas(given) | {"eps": given.pop("eps")}
