"""AdaBelief, arXiv:2010.07468, Algorithm 2, and the rectified form that its authors run."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "adabelief",
    {"m": 0.0, "s": 0.0, "most": 0.0, "b1_product": 1.0, "b2_product": 1.0},
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-16,
    eps_root=None,
    style=("author", "paper", "amsgrad"),
)
def adabelief(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.s = h.b2 * s.s + (1 - h.b2) * (g - s.m) ** 2
    s.s += h.eps if h.eps_root is None else h.eps_root
    s.most = np.fmax(s.most, s.s)
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    c1, c2 = 1 - s.b1_product, 1 - s.b2_product
    if h.style == "paper":
        return ratio(s.m / c1, np.sqrt(s.s / c2) + h.eps)
    if h.style == "amsgrad":
        return ratio(s.m / c1, np.sqrt(s.most / c2) + h.eps)
    limit = 2 / (1 - h.b2) - 1
    power = h.b2**h.t
    length = limit - 2 * h.t * power / (1 - power)
    if length < 5:
        return s.m / c1
    rectification = np.sqrt(
        (length - 4) / (limit - 4) * (length - 2) / (limit - 2) * limit / length
    )
    return rectification * np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.s) + h.eps)
