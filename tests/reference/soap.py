"""The reader of SOAP."""

from tests.reference import betas, reads


@reads("soap", "soap")
def soap(given):
    own = ("eps", "shampoo_beta", "precondition_frequency")
    return betas(given) | {key: given.pop(key) for key in own}
