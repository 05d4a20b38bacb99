"""AdamG, arXiv:2405.04376, Algorithm 2 with the numerator s(x) = p x^q."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "adamg",
    {"m": 0.0, "v": 0.0, "r": 0.0, "b1_product": 1.0, "b2_product": 1.0},
    learning_rate=1.0,
    b1=0.95,
    b2=0.999,
    b3=0.95,
    eps=1e-8,
    p=0.2,
    q=0.24,
)
def adamg(g, p, s, h):
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    s.r = h.b3 * s.r + (1 - h.b3) * h.p * s.v**h.q
    s.m = h.b1 * s.m + (1 - h.b1) * s.r * g
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    h.learning_rate = min(h.learning_rate, 1 / np.sqrt(h.t))
    return ratio(s.m / (1 - s.b1_product), np.sqrt(s.v / (1 - s.b2_product)) + h.eps)
