"""Padam, arXiv:1806.06763, Algorithm 1, with the correction of the authors' code."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "padam",
    MEMORY | {"most": 0.0},
    learning_rate=0.1,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    partial=0.25,
    style=("author", "pytorch_optimizer"),
)
def padam(g, p, s, h):
    c1, c2 = average(g, s, h)
    s.most = np.fmax(s.most, s.v)
    w = s.most if h.style == "author" else s.v
    return np.sqrt(c2) / c1 * ratio(s.m, np.power(np.sqrt(w) + h.eps, 2 * h.partial))
