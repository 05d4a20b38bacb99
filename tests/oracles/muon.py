"""Muon, https://kellerjordan.github.io/posts/muon, and Algorithm 1 of arXiv:2502.16982."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


def orthogonal(u, steps, eps):
    if u.shape[0] > u.shape[1]:
        return orthogonal(u.T, steps, eps).T
    x = ratio(u, np.sqrt((u**2).sum()) + eps)
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x - 4.775 * square @ x + 2.0315 * square @ square @ x
    return x


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
    ns_steps=5,
    ns_eps=1e-7,
    scale=None,
    out_axis=-1,
    b1=0.9,
    b2=0.95,
    eps=1e-10,
    adam_scale=0.015,
    style=("author", "optax", "keras"),
    axes=(2,),
)
def muon(g, p, s, h):
    scales = {"author": "aspect", "optax": "aspect", "keras": "rms"}
    if g.ndim not in h.axes:
        c1, c2 = average(g, s, h)
        return h.adam_scale * ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)
    sides, stack = g.shape[-2:], moved(g, s, h).reshape(-1, *g.shape[-2:])
    u = np.stack([orthogonal(x, h.ns_steps, h.ns_eps) for x in stack]).reshape(g.shape)
    outputs, inputs = sides if h.out_axis == -2 else sides[::-1]
    factors = {
        "none": 1.0,
        "aspect": max(1, outputs / inputs) ** 0.5,
        "rms": 0.2 * max(sides) ** 0.5,
    }
    return u * factors[h.scale or scales[h.style]]
