"""The reader of NovoGrad."""

from tests.reference import betas, reads


@reads("novograd", "novograd")
def novograd(given):
    forms = {
        ("outside", "ema", False): ("paper", False),
        ("outside", "ema", True): ("paper", True),
        ("outside", "ema", "after_first"): ("tensorflow", True),
        ("root", "last", False): ("openseq2seq", False),
        ("root", "last", True): ("openseq2seq", True),
    }
    style, averaged = given.choose(forms, "eps_mode", "second_moment", "grad_averaging")
    return betas(given) | {"eps": given.pop("eps"), "style": style, "grad_averaging": averaged}
