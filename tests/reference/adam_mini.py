"""The reader of Adam-mini, whose matrices in torch have the neurons first."""

from tests.reference import betas, reads


@reads("adam_mini", "adam_mini")
def adam_mini(given):
    given.choose({("outside", "element"): None}, "eps_mode", "vector_block")
    axes = {("row",): 0, ("leaf",): (), ("element",): (0, 1)}
    return betas(given) | {
        "eps": given.pop("eps"),
        "kept": given.choose(axes, "matrix_block"),
        "mask": given.choose({(False,): "W", (True,): None}, "vector_decay"),
    }
