"""AdaShift."""

from tests.reference import betas, reads


@reads("adashift", "adashift")
def adashift(given):
    # Those that say nothing of the start are of the PyTorch port.
    style = given.pop("style") if "style" in given else "port"
    own = {"eps": given.pop("eps"), "reduce": given.pop("reduce")}
    return betas(given) | own | {"window": given.pop("keep_num"), "style": style}
