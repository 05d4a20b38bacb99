"""CAME, arXiv:2307.02047, Algorithm 2."""

import numpy as np

from tests.oracles import oracle, ratio


def averaged(x, memory, name, beta):
    """The moving average of x, of a matrix as its authors keep it: by rows and by columns."""
    if x.ndim < 2:
        average = beta * getattr(memory, name, 0.0) + (1 - beta) * x
        setattr(memory, name, average)
        return average
    rows, columns = getattr(memory, name, (0.0, 0.0))
    rows = beta * rows + (1 - beta) * x.mean(-1, keepdims=True)
    columns = beta * columns + (1 - beta) * x.mean(-2, keepdims=True)
    setattr(memory, name, (rows, columns))
    return ratio(rows * columns, rows.mean(-2, keepdims=True))


@oracle(
    "came",
    {"m": 0.0},
    learning_rate=2e-4,
    b1=0.9,
    b2=0.999,
    b3=0.9999,
    eps1=1e-30,
    eps2=1e-16,
    clip_threshold=1.0,
)
def came(g, p, s, h):
    r = ratio(g, np.sqrt(averaged(g**2 + h.eps1, s, "squares", h.b2)))
    r = r / max(1.0, np.sqrt(np.mean(r**2)) / h.clip_threshold)
    s.m = h.b1 * s.m + (1 - h.b1) * r
    if g.ndim < 2:
        return s.m
    return ratio(s.m, np.sqrt(averaged((r - s.m) ** 2 + h.eps2, s, "distances", h.b3)))
