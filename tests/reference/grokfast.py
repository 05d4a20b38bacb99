"""The reader of Grokfast."""

from tests.reference import betas, reads


@reads("grokfast_adamw", "grokfast")
def grokfast(given):
    given.choose({("outside",): None}, "eps_mode")
    window = given.pop("window")
    by_window = given.choose({("ema",): False, ("ma",): True}, "filter")
    own = {"eps": given.pop("eps"), "b3": given.pop("alpha"), "lamb": given.pop("lamb")}
    return betas(given) | own | {"window": window if by_window else None}
