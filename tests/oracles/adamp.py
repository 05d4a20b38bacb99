"""AdamP and SGDP, arXiv:2006.08217, Algorithms 1 and 2, with the lengths of the authors' code."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, PLAIN, average

PROJECTION = {"delta": 0.1, "wd_ratio": 0.1, "out_axis": -1}


def project(g, p, u, h):
    """The direction across the weights, and the share of the decay: by neurons, then as a whole."""
    if p.ndim < 2:
        return u, 1.0
    rows = lambda x: np.moveaxis(x, h.out_axis, 0).reshape(p.shape[h.out_axis], -1)  # noqa: E731
    for view in (rows, lambda x: x.reshape(1, -1)):
        gradients, weights = view(g), view(p)
        lengths = [np.maximum(np.sqrt((x**2).sum(1)), h.eps) for x in (gradients, weights)]
        with np.errstate(invalid="ignore"):
            cosines = abs((gradients * weights).sum(1)) / (lengths[0] * lengths[1])
        if np.all(cosines < h.delta / np.sqrt(weights.shape[1])):
            norms = np.sqrt((weights**2).sum(1, keepdims=True)) + h.eps
            along = weights / norms * (view(u) * weights / norms).sum(1, keepdims=True)
            if view is not rows:
                return u - along.reshape(u.shape), h.wd_ratio
            moved = np.moveaxis(u, h.out_axis, 0)
            return np.moveaxis(moved - along.reshape(moved.shape), 0, h.out_axis), h.wd_ratio
    return u, 1.0


@oracle("adamp", MEMORY, **PLAIN, **PROJECTION)
def adamp(g, p, s, h):
    c1, c2 = average(g, s, h)
    u = ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)
    u, share = project(g, p, u, h)
    h.weight_decay *= share
    return u


@oracle(
    "sgdp",
    {"b": 0.0},
    learning_rate=1e-2,
    momentum=0.9,
    nesterov=False,
    eps=1e-8,
    style=("author", "timm"),
    **PROJECTION,
)
def sgdp(g, p, s, h):
    asked = h.weight_decay
    h.weight_decay = asked / (1 - h.momentum)
    if h.decay_mode == "l2":
        g = g + (h.weight_decay - asked) * p
    s.b = h.momentum * s.b + g
    u, share = project(g, p, g + h.momentum * s.b if h.nesterov else s.b, h)
    if h.style == "author" and not h.nesterov:
        s.b = u
    h.weight_decay *= share
    return u
