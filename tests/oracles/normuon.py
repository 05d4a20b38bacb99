"""NorMuon, arXiv:2510.05491, and AdaMuon, arXiv:2507.11005."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.muon import (
    MEMORIES,
    SETTINGS,
    STYLES,
    factor,
    layout_of,
    leaf_of,
    moved,
    of_other,
    orthogonal,
    stack_of,
)


def norms(stack):
    return np.sqrt((stack**2).sum((1, 2), keepdims=True))


@oracle(
    "normuon",
    MEMORIES | {"second": 0.0},
    learning_rate=0.02,
    **SETTINGS,
    muon_b2=0.95,
    muon_eps=None,
    style=("author", "dion", "nvidia"),
)
def normuon(g, p, s, h):
    layout = layout_of(g, h.layouts)
    if layout == "other":
        return of_other(g, s, h)
    o = orthogonal(stack_of(moved(g, s, h, h.style), layout), h, h.style)
    lines = h.style == "nvidia" and o.shape[2] > o.shape[1]  # moments along the longer axis
    square = (o**2).mean(1 if lines else 2, keepdims=True)
    s.second = h.muon_b2 * s.second + (1 - h.muon_b2) * square
    eps = (1e-10 if h.style == "author" else 1e-8) if h.muon_eps is None else h.muon_eps
    if h.style == "nvidia":
        n = ratio(o, np.sqrt(np.maximum(s.second, eps)))
    else:
        n = ratio(o, np.sqrt(s.second) + eps)
    n = n * ratio(norms(o), (np.add if h.style == "author" else np.maximum)(norms(n), eps))
    return leaf_of(factor(n, h.scale or STYLES[h.style][-1]) * n, layout, g)


@oracle(
    "adamuon",
    MEMORIES | {"second": 0.0, "muon_product": 1.0},
    learning_rate=0.02,
    **SETTINGS,
    muon_b2=None,
    muon_eps=1e-8,
    style=("author", "timm", "nvidia"),
)
def adamuon(g, p, s, h):
    layout = layout_of(g, h.layouts)
    if layout == "other":
        return of_other(g, s, h)
    u = stack_of(moved(g, s, h, h.style), layout)
    o = orthogonal(np.sign(u) if h.style == "author" else u, h, h.style)
    b2 = h.momentum if h.muon_b2 is None else h.muon_b2
    s.second = b2 * s.second + (1 - b2) * o**2
    s.muon_product *= b2
    if h.scale is None and h.style != "nvidia":
        n = ratio(o, np.sqrt(s.second) + h.muon_eps)
        length = 0.2 * np.sqrt(n[0].size)
        return leaf_of(ratio(length * n, norms(n) + h.muon_eps), layout, g)
    corrected = 1 - s.muon_product if h.style == "timm" else 1.0
    n = ratio(o, np.sqrt(s.second / corrected) + h.muon_eps)
    return leaf_of(factor(n, h.scale or "spectral") * n, layout, g)
