"""FOCUS."""

from tests.reference import betas, reads


@reads("focus", "focus")
def focus(given):
    # The library's p - average at the first step is 0: there is no residue whose sign to take.
    given.choose({("zero",): None, ("residue",): None}, "first_step")
    return betas(given) | {"gamma": given.pop("gamma")}
