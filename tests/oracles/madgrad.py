"""MADGRAD, arXiv:2101.11075, Algorithm 1, with the epsilons of the authors' code."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "madgrad",
    {"start": None, "total": 0.0, "squares": 0.0},
    learning_rate=1e-2,
    momentum=0.9,
    eps=1e-6,
)
def madgrad(g, p, s, h):
    s.start = p if s.start is None else s.start
    weight = (h.learning_rate + h.eps) * np.sqrt(h.t)
    s.total = s.total + weight * g
    s.squares = s.squares + weight * g**2
    z = s.start - ratio(s.total, np.cbrt(s.squares) + h.eps)
    after = h.momentum * p + (1 - h.momentum) * z
    return (p - after) / h.learning_rate
