"""C-AdamW and C-Lion, arXiv:2411.16085, Algorithms 2 and 3 as their authors' code has them."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


def moved(u, g, h, count):
    """The elements of a direction that follow the gradient, and so much longer."""
    agrees = np.where(g > 0, u > 0, (g < 0) & (u < 0))
    if count:
        return u * agrees * u.size / (agrees.sum() + 1)
    return u * agrees / max(agrees.mean(), 1e-3)


@oracle("c_adamw", MEMORY, learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-6, style=("author", "timm"))
def c_adamw(g, p, s, h):
    c1, c2 = average(g, s, h)
    if h.style == "author":
        return moved(np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v) + h.eps), g, h, count=False)
    return moved(ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps), g, h, count=False)


@oracle("c_lion", {"m": 0.0}, learning_rate=1e-4, b1=0.9, b2=0.99, style=("author", "timm"))
def c_lion(g, p, s, h):
    u = np.sign(h.b1 * s.m + (1 - h.b1) * g)
    s.m = h.b2 * s.m + (1 - h.b2) * g
    return moved(u, g, h, count=h.style == "author")
