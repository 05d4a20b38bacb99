"""Adamax, arXiv:1412.6980, Algorithm 2, with epsilon in the three places that are in use."""

import numpy as np

from tests.oracles import oracle, ratio

MEMORY = {"m": 0.0, "largest": 0.0, "b1_product": 1.0}
SETTINGS = {
    "learning_rate": 2e-3,
    "b1": 0.9,
    "b2": 0.999,
    "eps": 1e-8,
    "style": ("torch", "keras", "paddle"),
}


@oracle("adamax", MEMORY, **SETTINGS)
@oracle("adamaxw", MEMORY, **SETTINGS | {"weight_decay": 1e-2})
def adamax(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.b1_product *= h.b1
    old, size = h.b2 * s.largest, abs(g)
    if h.style == "torch":
        s.largest = norm = np.where(old > size + h.eps, old, size + h.eps)
    elif h.style == "keras":
        s.largest = np.where(old > size, old, size)
        norm = s.largest + h.eps
    else:
        s.largest = norm = np.where(old + h.eps > size, old + h.eps, size)
    return ratio(s.m, (1 - s.b1_product) * norm)
