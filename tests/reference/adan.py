"""The reader of Adan."""

from tests.reference import betas, reads


@reads("adan", "adan")
def adan(given):
    style = given.choose({("b2",): "author", ("one_minus_b2",): "optax"}, "difference_weight")
    own = {key: given.pop(key) for key in ("b3", "eps", "eps_root")}
    return betas(given) | own | {"style": style}
