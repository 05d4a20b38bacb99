"""LAMB, arXiv:1904.00962, Algorithm 2, and the form of torch-optimizer."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "lamb",
    MEMORY,
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-6,
    eps_root=0.0,
    norm_cap=None,
    style=("paper", "torch_optimizer"),
    weight_decay=1e-2,
    decay_mode="inside",
)
def lamb(g, p, s, h):
    c1, c2 = average(g, s, h)
    cap = np.inf
    if h.style == "torch_optimizer":
        c1, c2, cap = 1.0, 1.0, 10.0
    u = ratio(s.m / c1, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
    if h.decay_mode == "inside":
        u, h.weight_decay, h.decay_mode = u + h.weight_decay * p, 0.0, "decoupled"
    length = min(np.sqrt(np.sum(p**2)), cap if h.norm_cap is None else h.norm_cap)
    own = np.sqrt(np.sum(u**2))
    return u if 0 in (length, own) else u * (length / own)
