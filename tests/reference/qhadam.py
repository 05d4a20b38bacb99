"""QHAdam and QHAdamW."""

from tests.reference import betas, reads


@reads("qhadam", "qhadam", "qhadamw")
def qhadam(given):
    given.choose({("outside",): None}, "eps_mode")
    return betas(given) | {key: given.pop(key) for key in ("eps", "nu1", "nu2")}
