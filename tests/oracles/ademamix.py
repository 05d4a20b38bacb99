"""AdEMAMix, arXiv:2409.03137, Algorithm 1, with the schedules of its authors' two files."""

import math

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, SETTINGS, average


def half_life(beta, more):
    """How many steps after the first it takes an average to forget half."""
    return math.log(0.5) / math.log(beta + more) - 1 if beta + more else -1.0


@oracle(
    "ademamix",
    MEMORY | {"w": 0.0},
    **SETTINGS,
    b3=0.9999,
    alpha=2.0,
    b3_warmup=None,
    alpha_warmup=None,
    style=("author", "optax"),
)
def ademamix(g, p, s, h):
    k, more = (h.t, 1e-8) if h.style == "author" else (h.t - 1, 0.0)
    alpha, b3 = h.alpha, h.b3
    if h.alpha_warmup is not None and k < h.alpha_warmup:
        alpha = alpha * k / h.alpha_warmup
    if h.b3_warmup is not None and k < h.b3_warmup:
        a = k / h.b3_warmup
        life = (1 - a) * half_life(h.b1, more) + a * half_life(h.b3, more)
        b3 = 0.5 ** (1 / (life + 1)) if life > -1 else 0.0
    s.w = b3 * s.w + (1 - b3) * g
    c1, c2 = average(g, s, h)
    return ratio(s.m / c1 + alpha * s.w, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
