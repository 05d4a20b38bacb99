"""Adan, arXiv:2208.06677, Algorithm 1 with the bias corrections of its authors' code."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "adan",
    {"m": 0.0, "n": 0.0, "k": 0.0, "before": None, "products": (1.0, 1.0, 1.0)},
    learning_rate=1e-3,
    b1=0.98,
    b2=0.92,
    b3=0.99,
    eps=1e-8,
    eps_root=0.0,
    style=("author", "optax"),
    decay_mode="proximal",
)
def adan(g, p, s, h):
    share = h.b2 if h.style == "author" else 1 - h.b2
    d = np.zeros_like(g) if s.before is None else g - s.before
    s.before = g
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.n = h.b2 * s.n + (1 - h.b2) * d
    s.k = h.b3 * s.k + (1 - h.b3) * (g + share * d) ** 2
    s.products = tuple(p * b for p, b in zip(s.products, (h.b1, h.b2, h.b3), strict=True))
    c1, c2, c3 = (1 - p for p in s.products)
    return ratio(s.m / c1 + share * s.n / c2, np.sqrt(s.k / c3 + h.eps_root) + h.eps)
