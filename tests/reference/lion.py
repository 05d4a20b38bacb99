"""The reader of Lion."""

from tests.reference import betas, reads


@reads("lion", "lion")
def lion(given):
    given.choose({(None,): None}, "cautious")
    return betas(given)
