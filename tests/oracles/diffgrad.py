"""diffGrad, arXiv:1909.11015, equations 9 to 12, with the epsilon of the authors' code."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "diffgrad",
    MEMORY | {"before": 0.0},
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    eps_root=0.0,
)
def diffgrad(g, p, s, h):
    c1, c2 = average(g, s, h)
    friction = 1 / (1 + np.exp(-abs(s.before - g)))
    s.before = g
    return friction * np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
