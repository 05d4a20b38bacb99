"""Ano, arXiv:2508.18258, Algorithm 1."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "ano",
    {"m": 0.0, "v": 0.0, "b2_product": 1.0},
    learning_rate=1e-4,
    b1=0.92,
    b2=0.99,
    eps=1e-8,
)
def ano(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.v = h.b2 * s.v + (1 - h.b2) * np.where(g**2 > s.v, 1, np.where(g**2 < s.v, -1, 0)) * g**2
    s.b2_product *= h.b2
    return ratio(abs(g) * np.sign(s.m), np.sqrt(s.v / (1 - s.b2_product) + h.eps))
