"""LaProp, arXiv:2002.04839, Algorithm 1, with the options and the decay of its authors' code."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "laprop",
    {
        "m": 0.0,
        "v": 0.0,
        "mean": 0.0,
        "most": 0.0,
        "b1_product": 1.0,
        "b2_product": 1.0,
        "rate": 0.0,
    },
    learning_rate=4e-4,
    b1=0.9,
    b2=0.999,
    eps=1e-15,
    amsgrad=False,
    centered=False,
    style=("author", "paper"),
    decay_mode="independent_after",
)
def laprop(g, p, s, h):
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    s.mean = h.b2 * s.mean + (1 - h.b2) * g
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    c1, c2 = 1 - s.b1_product, 1 - s.b2_product
    early = h.centered and h.t <= 10
    spread = np.fmax(s.v - s.mean**2, 0) if h.centered and not early else s.v
    if h.amsgrad and not early:
        spread = s.most = np.fmax(s.most, spread)
    n = ratio(g, np.sqrt(spread / c2) + h.eps)
    if h.style == "paper":
        s.m = h.b1 * s.m + (1 - h.b1) * n
        return s.m / c1
    s.m = h.b1 * s.m + (1 - h.b1) * h.learning_rate * n
    s.rate = h.b1 * s.rate + (1 - h.b1) * h.learning_rate
    return ratio(s.m, s.rate)  # which is multiplied by the present learning rate
