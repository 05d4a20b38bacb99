"""diffGrad, arXiv:1909.11015, equations 9 to 12, with the epsilon of the authors' code."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, SETTINGS, average


@oracle("diffgrad", MEMORY | {"before": 0.0}, **SETTINGS)
def diffgrad(g, p, s, h):
    c1, c2 = average(g, s, h)
    friction = 1 / (1 + np.exp(-abs(s.before - g)))
    s.before = g
    return friction * np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
