"""AdaMod, arXiv:1910.12249, Algorithm 1 with the epsilon of the authors' code.

Without an epsilon the step size of an element that has seen zeros alone is no number. It is 0 here.
"""

import numpy as np

from tests.oracles import oracle
from tests.oracles.adam import MEMORY, SETTINGS, average


@oracle("adamod", MEMORY | {"bound": 0.0}, **SETTINGS, b3=0.999)
def adamod(g, p, s, h):
    c1, c2 = average(g, s, h)
    denominator = np.sqrt(s.v + h.eps_root) + h.eps
    rate = h.learning_rate * np.sqrt(c2) / c1
    size = np.divide(rate, denominator, out=np.zeros_like(g), where=denominator > 0)
    s.bound = h.b3 * s.bound + (1 - h.b3) * size
    return np.minimum(size, s.bound) * s.m / h.learning_rate
