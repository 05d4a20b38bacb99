"""Apollo."""

from tests.reference import reads


@reads("apollo", "apollo")
def apollo(given):
    given.choose({("constant",): None}, "rebound")
    own = {key: given.pop(key) for key in ("eps", "init_lr")}
    return own | {"warmup_steps": given.pop("warmup"), "b1": given.pop("beta")}
