"""StableAdamW, arXiv:2304.13013, Algorithm 2: AdamW with the update clipping of Adafactor."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "stable_adamw",
    MEMORY,
    learning_rate=1e-3,
    b1=0.9,
    b2=0.99,
    eps=1e-6,
    weight_decay=1e-2,
    decay_mode="inside",
)
def stable_adamw(g, p, s, h):
    c1, c2 = average(g, s, h)
    size = np.sqrt(s.v / c2)
    u = ratio(s.m / c1, size + h.eps)
    if h.decay_mode == "inside":
        u, h.weight_decay, h.decay_mode = u + h.weight_decay * p, 0.0, "decoupled"
    surprise = np.sqrt(np.mean(ratio(g, np.maximum(size, h.eps)) ** 2))
    return u / max(1.0, surprise)
