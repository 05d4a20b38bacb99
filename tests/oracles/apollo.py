"""Apollo, arXiv:2009.13586, Algorithm 1, with the numbers of the authors' code of 2020."""

import numpy as np

from tests.oracles import oracle


@oracle(
    "apollo",
    {"m": 0.0, "b": 0.0, "d": 0.0, "product": 1.0},
    learning_rate=1e-2,
    b1=0.9,
    eps=1e-4,
    warmup_steps=500,
    init_lr=None,
)
def apollo(g, p, s, h):
    s.product *= h.b1
    alpha = (1 - h.b1) / (1 - s.product)
    y = g - s.m
    s.m = s.m + alpha * y
    norm = np.sum(np.abs(s.d) ** 4.0) ** 0.25 + h.eps / 0.01
    if norm > 0:  # without an epsilon there is nothing to learn from at the first step
        d = s.d / norm
        s.b = s.b + d**2 * (-alpha * np.sum(y / norm * d) - np.sum(s.b * d**2))
    s.d = s.m / np.maximum(np.abs(s.b), 0.01)
    if h.t <= h.warmup_steps:
        start = h.learning_rate / 1000 if h.init_lr is None else h.init_lr
        h.learning_rate = start + (h.learning_rate - start) * (h.t - 1) / h.warmup_steps
    return s.d
