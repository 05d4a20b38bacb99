"""Yogi, NeurIPS 2018, Algorithm 2, with the bias corrections and start values in use."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "yogi",
    {"m": None, "v": None, "b1_product": 1.0, "b2_product": 1.0},
    learning_rate=1e-2,
    b1=0.9,
    b2=0.999,
    eps=1e-3,
    eps_root=0.0,
    initial_accumulator_value=1e-6,
    style=("tensorflow", "optax"),
)
def yogi(g, p, s, h):
    if s.v is None:
        s.v = h.initial_accumulator_value
        s.m = s.v if h.style == "optax" else 0.0
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.v = s.v - (1 - h.b2) * np.sign(s.v - g**2) * g**2
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    c1, c2 = 1 - s.b1_product, 1 - s.b2_product
    if h.style == "tensorflow":
        return np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
    return ratio(s.m / c1, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
