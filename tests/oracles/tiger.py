"""Tiger, kexue.fm/archives/9512: the sign of momentum."""

import numpy as np

from tests.oracles import oracle


@oracle("tiger", {"m": 0.0}, learning_rate=1e-3, b1=0.965)
def tiger(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    return np.sign(s.m)
