"""Adadelta, arXiv:1212.5701, Algorithm 1."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle("adadelta", {"square": 0.0, "steps": 0.0}, learning_rate=1.0, b2=0.9, eps=1e-6)
def adadelta(g, p, s, h):
    s.square = h.b2 * s.square + (1 - h.b2) * g**2
    step = ratio(np.sqrt(s.steps + h.eps) * g, np.sqrt(s.square + h.eps))
    s.steps = h.b2 * s.steps + (1 - h.b2) * step**2
    return step
