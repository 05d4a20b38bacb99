"""ACProp, arXiv:2110.05454, Algorithm 2, with the epsilons of the authors' code, and Optax's form.

Without an epsilon, an element whose gradients have never left their mean stays where it is.
"""

import numpy as np

from tests.oracles import oracle


@oracle(
    "acprop",
    {"m": 0.0, "v": 0.0, "b2_product": 1.0},
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-16,
    eps_root=1e-16,
    style=("author", "optax"),
)
def acprop(g, p, s, h):
    if h.t == 1:
        u = g if h.style == "author" else g / (1 + h.eps)
    else:
        denominator = np.sqrt(s.v / (1 - s.b2_product)) + h.eps
        u = np.divide(g, denominator, out=np.zeros_like(g), where=denominator > 0)
    before = s.m
    s.m = h.b1 * s.m + (1 - h.b1) * g
    centre = s.m if h.style == "author" else before
    # With b1 = 0 the mean is the gradient, but for its last digit.
    distance = np.zeros_like(g) if h.style == "author" and h.b1 == 0 else g - centre
    s.v = h.b2 * s.v + (1 - h.b2) * distance**2 + h.eps_root
    s.b2_product *= h.b2
    return u
