"""MARS, arXiv:2411.10438, Algorithms 2 and 3 with the gradient before for that of the last data."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY

SETTINGS = {
    "learning_rate": 3e-3,
    "b1": 0.95,
    "eps": 1e-8,
    "gamma": 0.025,
    "optimize_1d": False,
    "b1_1d": 0.9,
    "b2_1d": 0.95,
}


def adam(g, s, h, b1, b2):
    s.m = b1 * s.m + (1 - b1) * g
    s.v = b2 * s.v + (1 - b2) * g**2
    s.b1_product *= b1
    s.b2_product *= b2
    return ratio(s.m / (1 - s.b1_product), np.sqrt(s.v / (1 - s.b2_product)) + h.eps)


def corrected(g, s, h, first):
    before = g if h.t == 1 and not first else s.before
    c = g + h.gamma * h.b1 / (1 - h.b1) * (g - before)
    s.before = g
    return c / max(1, np.sqrt((c**2).sum()))


@oracle("mars_adamw", MEMORY | {"before": 0.0}, **SETTINGS, b2=0.99, style=("author", "timm"))
def mars_adamw(g, p, s, h):
    if g.ndim != 2 and not h.optimize_1d:
        return adam(g, s, h, h.b1_1d, h.b2_1d)
    return adam(corrected(g, s, h, h.style == "author"), s, h, h.b1, h.b2)


@oracle("mars_lion", MEMORY | {"before": 0.0}, **SETTINGS)
def mars_lion(g, p, s, h):
    if g.ndim != 2 and not h.optimize_1d:
        return adam(g, s, h, h.b1_1d, h.b2_1d)
    s.m = h.b1 * s.m + (1 - h.b1) * corrected(g, s, h, True)
    return np.sign(s.m)
