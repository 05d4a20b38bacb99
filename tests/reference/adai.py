"""Adai."""

from tests.reference import reads


@reads("adai", "adai")
def adai(given):
    own = {key: given.pop(key) for key in ("b2", "eps")}
    return own | {"b0": given.pop("b1")}
