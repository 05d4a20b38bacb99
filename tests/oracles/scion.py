"""Scion, arXiv:2502.07529, Algorithm 2 (constrained with weight decay 1), and its norms."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.muon import SETTINGS, factor, layout_of, leaf_of, orthogonal, stack_of

ITERATION = {key: SETTINGS[key] for key in ("coefficients", "ns_steps", "ns_eps", "layouts")}


def rms(x, axis):
    return np.sqrt((x**2).mean(axis, keepdims=True))


@oracle(
    "scion",
    {"m": 0.0},
    learning_rate=2.0**-12,
    momentum=0.9,
    norm="spectral",
    radius=50.0,
    other_norm="sign",
    other_radius=4.0,
    **ITERATION,
    weight_decay=1.0,
)
def scion(g, p, s, h):
    s.m = h.momentum * s.m + (1 - h.momentum) * g
    layout = layout_of(g, h.layouts)
    if layout == "other":
        if h.other_norm == "sign":
            return h.other_radius * np.sign(s.m)
        return h.other_radius * ratio(s.m, (rms(s.m, 0) if s.m.ndim else abs(s.m)) + 1e-8)
    m = stack_of(s.m, layout)
    inputs = m.shape[2]
    if h.norm == "sign":
        y = np.sign(m) / inputs
    elif h.norm == "columns":
        y = ratio(m, inputs * rms(m, 1) + 1e-8)
    elif h.norm == "rows":
        y = ratio(m, inputs * rms(m, 2) + 1e-8)
    else:
        y = orthogonal(m, h, "author")
        y = y * factor(y, {"spectral": "rms_to_rms", "spectral_max": "aspect"}[h.norm])
    return h.radius * leaf_of(y, layout, g)
