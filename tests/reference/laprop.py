"""The reader of LaProp."""

from tests.reference import betas, reads


@reads("laprop", "laprop")
def laprop(given):
    given.choose({("outside",): None}, "eps_mode")
    own = {key: given.pop(key) for key in ("eps", "amsgrad", "centered")}
    return betas(given) | own | {"style": "author"}
