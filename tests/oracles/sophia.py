"""Sophia-G, arXiv:2305.14342, Algorithm 3.

The estimates stand for those of `tests/hessians.py`: a share of g², every so many steps.
"""

import numpy as np

from tests.oracles import oracle


@oracle(
    "sophia",
    {"m": 0.0, "h": 0.0, "b1_product": 1.0},
    learning_rate=1e-4,
    b1=0.965,
    b2=0.99,
    eps=1e-15,
    rho=0.04,
    style=("author", "optax"),
    weight_decay=0.1,
    hessian_every=None,
    hessian_share=1.0,
)
def sophia(g, p, s, h):
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.b1_product *= h.b1
    m, before = s.m / (1 - s.b1_product) if h.style == "optax" else s.m, s.h
    if h.hessian_every is not None and (h.t - 1) % h.hessian_every == 0:
        seen = g - h.weight_decay * p if h.decay_mode == "l2" else g
        s.h = h.b2 * s.h + (1 - h.b2) * h.hessian_share * seen**2
    curvature = np.maximum(h.rho * (before if h.style == "optax" else s.h), h.eps)
    # With an epsilon of 0 and no curvature the quotient is infinite and clipped. 0 / 0 is 0.
    clipped = np.abs(m) >= curvature
    return np.where(clipped, np.sign(m), m / np.where(clipped, 1, curvature))
