"""The reader of Yogi."""

from tests.reference import betas, reads


@reads("yogi", "yogi")
def yogi(given):
    style = given.choose({("hat",): "tensorflow", ("outside",): "optax"}, "eps_mode")
    v0 = given.pop("v0")
    given.choose({(v0 if style == "optax" else 0.0,): None}, "m0")
    return betas(given) | {
        "style": style,
        "eps": given.pop("eps"),
        "initial_accumulator_value": v0,
    }
