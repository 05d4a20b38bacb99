"""The reader of CAME."""

from tests.reference import betas, reads


@reads("came", "came")
def came(given):
    own = ("b3", "eps1", "eps2", "clip_threshold")
    return betas(given) | {key: given.pop(key) for key in own}
