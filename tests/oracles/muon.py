"""Muon, https://kellerjordan.github.io/posts/muon, and Algorithm 1 of arXiv:2502.16982."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


def orthogonal(u, h):
    if u.shape[0] > u.shape[1]:
        return orthogonal(u.T, h).T
    triples = [(3.4445, -4.775, 2.0315)] if h.coefficients == "jordan" else h.coefficients
    x = ratio(u, np.sqrt((u**2).sum()) + (1e-7 if h.ns_eps is None else h.ns_eps))
    for i in range(h.ns_steps or (5 if len(triples) == 1 else len(triples))):
        a, b, c = triples[min(i, len(triples) - 1)]
        square = x @ x.T
        x = a * x + b * square @ x + c * square @ square @ x
    return x


def layout_of(g, layouts):
    """The layout of a leaf, by its number of axes."""
    if isinstance(layouts, str):
        return layouts
    leaf, usual = {2: ("matrix", "in out -> out in")}.get(g.ndim, ("tensor*", "other"))
    return (layouts or {}).get(leaf, usual) if g.ndim > 1 else "other"


def moved(g, s, h):
    b = h.momentum
    s.m = b * s.m + (g if h.style == "keras" else (1 - b) * g)
    s.product *= b
    if not h.nesterov:
        return s.m
    if h.style == "keras":
        return g + b * s.m
    if h.style == "optax":
        return b * s.m / (1 - s.product * b) + (1 - b) * g / (1 - s.product)
    return (1 - b) * g + b * s.m


@oracle(
    "muon",
    MEMORY | {"product": 1.0},
    learning_rate=0.02,
    momentum=0.95,
    nesterov=True,
    coefficients="jordan",
    ns_steps=None,
    ns_eps=None,
    scale=None,
    layouts=None,
    b1=0.9,
    b2=0.95,
    eps=1e-10,
    adam_scale=0.015,
    style=("author", "optax", "keras"),
)
def muon(g, p, s, h):
    scales = {"author": "aspect", "optax": "aspect", "keras": "rms"}
    layout = layout_of(g, h.layouts)
    if layout == "other":
        c1, c2 = average(g, s, h)
        return h.adam_scale * ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)
    sides, stack = g.shape[-2:], moved(g, s, h).reshape(-1, *g.shape[-2:])
    u = np.stack([orthogonal(x, h) for x in stack]).reshape(g.shape)
    outputs, inputs = sides if layout.endswith(layout.split(" -> ")[0]) else sides[::-1]
    factors = {
        "none": 1.0,
        "aspect": max(1, outputs / inputs) ** 0.5,
        "rms": 0.2 * max(sides) ** 0.5,
        "rms_to_rms": (outputs / inputs) ** 0.5,
        "spectral": max(sides) ** 0.5,
    }
    return u * factors[h.scale or scales[h.style]]
