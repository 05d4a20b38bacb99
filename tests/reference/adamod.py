"""AdaMod."""

from tests.reference import betas, reads


@reads("adamod", "adamod")
def adamod(given):
    return betas(given) | {key: given.pop(key) for key in ("b3", "eps")}
