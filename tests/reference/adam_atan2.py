"""The reader of Adam-atan2, whose entries list an epsilon that the rule has not."""

from tests.reference import betas, reads


@reads("adam_atan2", "adam_atan2")
def adam_atan2(given):
    given.pop("eps"), given.pop("eps_mode")
    return betas(given) | {"a": given.pop("a"), "b": given.pop("b")}
