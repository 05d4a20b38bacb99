"""The readers of what takes its signs from the gradient: C-AdamW, C-Lion and Grams."""

from tests.reference import betas, reads


@reads("c_adamw", "c_adamw")
def c_adamw(given):
    styles = {("hat", "mean"): "author", ("outside", "mean"): "timm"}
    style = given.choose(styles, "eps_mode", "cautious")
    return betas(given) | {"style": style, "eps": given.pop("eps")}


@reads("c_lion", "c_lion")
def c_lion(given):
    style = given.choose({("count_plus_one",): "author", ("mean",): "timm"}, "cautious")
    return betas(given) | {"style": style}


@reads("grams", "grams")
def grams(given):
    style = given.choose({("hat",): "author", ("outside",): "pytorch_optimizer"}, "eps_mode")
    return betas(given) | {"style": style, "eps": given.pop("eps")}
