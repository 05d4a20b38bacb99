"""The reader of LAMB."""

import math

from tests.reference import betas, reads


@reads("lamb", "lamb")
def lamb(given):
    given.choose({("outside", None): None}, "eps_mode", "max_grad_norm")
    cap = given.pop("norm_cap")
    style = given.choose({(True,): "paper", (False,): "torch_optimizer"}, "bias_correction")
    return betas(given) | {
        "eps": given.pop("eps"),
        "norm_cap": math.inf if cap is None else cap,
        "style": style,
    }
