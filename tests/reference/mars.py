"""The reader of MARS."""

from tests.reference import betas, reads


@reads("mars_adamw", "mars")
def mars(given):
    given.choose({("outside",): None}, "eps_mode")
    forms = {
        ("adamw", "zero_previous"): ("mars_adamw", "author"),
        ("adamw", "no_difference"): ("mars_adamw", "timm"),
        ("lion", "zero_previous"): ("mars_lion", None),
    }
    name, style = given.choose(forms, "base", "first_step")
    arguments = betas(given) | {key: given.pop(key) for key in ("eps", "gamma")}
    if style is None:  # its only average has b1
        return {k: v for k, v in arguments.items() if k != "b2"} | {
            "name": name,
            "optimize_1d": True,
        }
    return arguments | {"name": name, "style": style, "optimize_1d": True}
