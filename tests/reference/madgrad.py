"""MADGRAD."""

from tests.reference import reads


@reads("madgrad", "madgrad")
def madgrad(given):
    return {key: given.pop(key) for key in ("momentum", "eps")}
