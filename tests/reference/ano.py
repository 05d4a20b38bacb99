"""Ano."""

from tests.reference import betas, reads


@reads("ano", "ano")
def ano(given):
    return betas(given) | {"eps": given.pop("eps")}
