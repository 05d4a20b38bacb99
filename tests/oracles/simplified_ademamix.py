"""Simplified AdEMAMix, arXiv:2502.02431."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "simplified_ademamix",
    {"m": 0.0, "v": 0.0, "b2_product": 1.0},
    learning_rate=1e-4,
    b1=0.99,
    b2=0.95,
    alpha=0.0,
    eps=1e-8,
    eps_root=0.0,
)
def simplified_ademamix(g, p, s, h):
    s.m = h.b1 * s.m + g
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    s.b2_product *= h.b2
    root = np.sqrt(s.v / (1 - s.b2_product) + h.eps_root)
    return ratio(s.m + h.alpha * g, root + h.eps)
