"""AMSGrad, arXiv:1904.09237, Algorithm 2, and the three corrections of its bias that are in use."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, SETTINGS, average


@oracle("amsgrad", MEMORY | {"most": 0.0}, **SETTINGS, style=("torch", "keras", "paper", "optax"))
def amsgrad(g, p, s, h):
    c1, c2 = average(g, s, h)
    s.most = np.fmax(s.most, s.v / c2 if h.style == "optax" else s.v)
    if h.style == "paper":
        return ratio(s.m, np.sqrt(s.most + h.eps_root) + h.eps)
    if h.style == "torch":
        return ratio(s.m / c1, np.sqrt(s.most / c2 + h.eps_root) + h.eps)
    if h.style == "keras":
        return np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.most + h.eps_root) + h.eps)
    return ratio(s.m / c1, np.sqrt(s.most + h.eps_root) + h.eps)
