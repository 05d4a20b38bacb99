"""AdamP and SGDP, whose authors have the neurons on the first axis."""

from tests.reference import betas, reads


@reads("adamp", "adamp")
def adamp(given):
    given.choose({("outside",): None}, "eps_mode")
    own = {key: given.pop(key) for key in ("eps", "delta", "wd_ratio")}
    return betas(given) | own | {"out_axis": 0}


@reads("sgdp", "sgdp")
def sgdp(given):
    own = {key: given.pop(key) for key in ("momentum", "nesterov", "eps", "delta", "wd_ratio")}
    style = given.choose({(True,): "author", (False,): "timm"}, "overwrite_buffer")
    return own | {"style": style, "out_axis": 0}
