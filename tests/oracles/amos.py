"""Amos, arXiv:2210.11693, Algorithm 1, with the decay factors of the authors' code."""

import numpy as np

from tests.oracles import oracle


def default_scale(shape):
    """One over the root of how many elements a neuron, on the last axis, has in the others."""
    inputs = 1.0
    for size in shape[:-1]:
        inputs *= size
    return inputs**-0.5


@oracle(
    "amos",
    {"v": 0.0, "b": 0.0, "product": 1.0},
    learning_rate=1e-2,
    b2=0.999,
    eps=2.0**-125,
    c=0.25,
    d=0.25,
    eta_fn=None,
    shape_fn=None,
)
def amos(g, p, s, h):
    xi, eta = h.learning_rate, (h.eta_fn or default_scale)(g.shape)
    square = g**2
    if h.shape_fn is not None:
        for axis, size in enumerate(h.shape_fn(g.shape)):
            if size != g.shape[axis]:
                square = np.mean(square, axis, keepdims=True)
    s.product *= h.b2
    s.v = h.b2 * s.v + (1 - h.b2) * square
    floor = np.maximum(s.v, h.eps)
    w = np.divide(1 - s.product, floor, out=np.zeros_like(floor), where=floor > 0)
    gamma = xi**2 * w * square / np.sqrt(1 + h.c * np.sqrt(xi) * s.b)
    slower = 1 / (1 + h.d * np.sqrt(xi * eta) * s.b)
    after = p + slower * (-gamma / 2 * p - xi * eta * np.sqrt(w) * g)
    s.b = s.b + gamma * (1 + s.b)
    return (p - after) / xi
