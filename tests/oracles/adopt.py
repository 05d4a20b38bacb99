"""ADOPT, arXiv:2411.02853, Algorithm 2 with clipping, and the authors' code at t = 1."""

import numpy as np

from tests.oracles import oracle


@oracle(
    "adopt",
    {"m": 0.0, "v": 0.0},
    learning_rate=1e-3,
    b1=0.9,
    b2=0.9999,
    eps=1e-6,
    clip_exponent=0.25,
)
def adopt(g, p, s, h):
    if h.t == 1:
        s.v = g**2
        if h.decay_mode != "l2":
            h.weight_decay = 0.0
        return np.zeros_like(g)
    size = np.maximum(np.sqrt(s.v), h.eps)
    n = np.divide(g, size, out=np.zeros_like(g), where=size > 0)
    if h.clip_exponent is not None:
        longest = (h.t - 1) ** h.clip_exponent
        n = np.minimum(np.maximum(n, -longest), longest)
    s.m = h.b1 * s.m + (1 - h.b1) * n
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    return s.m
