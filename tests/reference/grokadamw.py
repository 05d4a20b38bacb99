"""The reader of GrokAdamW."""

from tests.reference import betas, reads


@reads("grokadamw", "grokadamw")
def grokadamw(given):
    given.choose({("hat",): None}, "eps_mode")
    own = {key: given.pop(key) for key in ("eps", "lamb", "gamma")}
    return betas(given) | own | {"b3": given.pop("alpha"), "clip_norm": given.pop("clip")}
