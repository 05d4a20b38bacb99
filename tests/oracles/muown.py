"""Muown, arXiv:2605.10797, with weights as lengths and directions of rows."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.muon import (
    MEMORIES,
    SETTINGS,
    factor,
    layout_of,
    leaf_of,
    moved,
    of_other,
    orthogonal,
    stack_of,
)

ROWS = {"n": None, "start": None, "mean": 0.0, "square": 0.0}


def lengths(stack):
    return np.sqrt((stack**2).sum(2, keepdims=True))


@oracle(
    "muown",
    MEMORIES | ROWS,
    learning_rate=3e-4,
    **SETTINGS | {"eps": 1e-8, "adam_scale": 1.0},
    norm_fn=None,
    style=("author", "nvidia"),
)
def muown(g, p, s, h):
    layout, lr = layout_of(g, h.layouts), h.learning_rate
    if layout == "other":
        return of_other(g, s, h)
    style = "keras" if h.style == "author" else "nvidia"
    w, g_w = stack_of(p, layout), stack_of(g, layout)
    r = lengths(w)
    if s.n is None:
        s.n = s.start = r
    if h.norm_fn is not None:
        s.n = h.norm_fn(s.start, h.t - 1)
    d = ratio(w, r)
    slope = (g_w * d).sum(2, keepdims=True)
    u = orthogonal(moved(ratio(r, s.n) * (g_w - d * slope), s, h, style), h, style)
    v = s.n * d - lr * factor(u, h.scale or "rms") * u
    s.n = lengths(v)
    s.mean = h.b1 * s.mean + (1 - h.b1) * slope
    s.square = h.b2 * s.square + (1 - h.b2) * slope**2
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    root = np.sqrt(s.square / (1 - s.b2_product)) + h.eps
    r = r - lr * ratio(s.mean / (1 - s.b1_product), root)
    return ratio(p - leaf_of(r * ratio(v, s.n), layout, g), lr)
