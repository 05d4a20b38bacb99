"""AdamG."""

from tests.reference import betas, reads


@reads("adamg", "adamg")
def adamg(given):
    return betas(given) | {key: given.pop(key) for key in ("b3", "eps", "p", "q")}
