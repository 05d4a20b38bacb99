"""Grams, arXiv:2412.17107, Algorithm 1."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "grams",
    MEMORY,
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-6,
    style=("author", "pytorch_optimizer"),
)
def grams(g, p, s, h):
    c1, c2 = average(g, s, h)
    if h.style == "author":
        return np.sign(g) * abs(np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v) + h.eps))
    return np.sign(g) * abs(ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps))
