"""ACProp."""

from tests.reference import betas, reads


@reads("acprop", "acprop")
def acprop(given):
    style = given.choose(
        {
            ("author", "outside", False): "author",
            ("old_mean", "outside", False): "optax",
        },
        "style",
        "eps_mode",
        "rectify",
    )
    eps = given.pop("eps")
    return betas(given) | {"style": style, "eps": eps, "eps_root": eps}
