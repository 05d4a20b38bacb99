"""Lion, arXiv:2302.06675, Program 1."""

import numpy as np

from tests.oracles import oracle


@oracle("lion", {"m": 0.0}, learning_rate=1e-4, b1=0.9, b2=0.99)
def lion(g, p, s, h):
    u = np.sign(h.b1 * s.m + (1 - h.b1) * g)
    s.m = h.b2 * s.m + (1 - h.b2) * g
    return u
