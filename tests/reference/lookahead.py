"""The readers of Lookahead and of Ranger."""

from tests.reference import betas, reads


@reads("lookahead_adam", "lookahead_adam")
def lookahead_adam(given):
    given.choose({("outside",): None}, "eps_mode")
    style = given.choose({("start",): "author", ("first_sync",): "timm"}, "slow_init")
    own = {"sync_period": given.pop("k"), "slow_step_size": given.pop("alpha")}
    return betas(given) | own | {"eps": given.pop("eps"), "style": style}


@reads("ranger", "ranger")
def ranger(given):
    given.choose({("hat",): None}, "eps_mode")
    own = {"sync_period": given.pop("k"), "slow_step_size": given.pop("alpha"), "out_axis": 0}
    own |= {key: given.pop(key) for key in ("eps", "centralize", "threshold")}
    return betas(given) | own
