"""The reader of AdaBelief."""

from tests.reference import betas, reads


@reads("adabelief", "adabelief", "adabeliefw")
def adabelief(given):
    forms = {
        (True, False, "outside"): "author",
        (False, False, "outside"): "paper",
        (False, True, "outside"): "amsgrad",
    }
    style = given.choose(forms, "rectify", "amsgrad", "eps_mode")
    return betas(given) | {"style": style, "eps": given.pop("eps")}
