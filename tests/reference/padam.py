"""Padam."""

from tests.reference import betas, reads


@reads("padam", "padam")
def padam(given):
    style = given.choose({(True,): "author", (False,): "pytorch_optimizer"}, "amsgrad")
    own = {key: given.pop(key) for key in ("eps", "partial")}
    return betas(given) | own | {"style": style}
