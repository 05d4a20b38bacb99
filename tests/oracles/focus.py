"""FOCUS, arXiv:2501.12243, Algorithm 1, with the weight decay of the authors' code as "average".

The average of the parameters is a mean with weights that sum to 1. Written as a distance from p it
is exactly p as long as p has not moved, where a quotient may leave a residue that has a sign.
"""

import numpy as np

from tests.oracles import oracle


@oracle(
    "focus",
    {"m": 0.0, "total": 0.0, "average": 0.0},
    learning_rate=1e-2,
    b1=0.9,
    b2=0.999,
    gamma=0.1,
    decay_mode="average",
)
def focus(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    kept = h.b2 * s.total
    s.total = kept + (1 - h.b2)
    s.average = p - kept / s.total * (p - s.average)
    if h.decay_mode == "average":
        average, h.decay_mode = h.weight_decay * s.average, "decoupled"
        h.weight_decay = 0.0
    else:
        average = 0.0
    return np.sign(s.m) + h.gamma * np.sign(p - s.average) + average
