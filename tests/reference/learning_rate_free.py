"""The readers of Prodigy and D-Adapt Adam."""

from tests.reference import betas, reads


@reads("dadapt_adam", "dadapt_adam")
def dadapt_adam(given):
    return betas(given) | {key: given.pop(key) for key in ("eps", "d0", "bias_correction")}


@reads("prodigy", "prodigy")
def prodigy(given):
    return dadapt_adam(given) | {"d_coef": given.pop("d_coef")}
