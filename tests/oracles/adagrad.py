"""Adagrad, JMLR 12 (2011): diagonal, epsilon outside the root (torch) or inside it (Keras)."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "adagrad",
    {"total": None},
    learning_rate=1e-2,
    eps=1e-10,
    initial_accumulator_value=0.0,
    style=("torch", "keras"),
)
def adagrad(g, p, s, h):
    if h.t == 1:
        s.total = h.initial_accumulator_value
    s.total = s.total + g**2
    if h.style == "torch":
        return ratio(g, np.sqrt(s.total) + h.eps)
    return ratio(g, np.sqrt(s.total + h.eps))
