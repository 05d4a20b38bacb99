"""RMSProp, lecture 6e, centered as in arXiv:1308.0850. Momentum averages divided gradients."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "rmsprop",
    {"square": None, "mean": 0.0, "buffer": 0.0},
    learning_rate=1e-2,
    b2=0.99,
    eps=1e-8,
    momentum=None,
    centered=False,
    initial_accumulator_value=0.0,
    style=("torch", "keras"),
)
def rmsprop(g, p, s, h):
    if h.t == 1:
        s.square = h.initial_accumulator_value
    s.square = h.b2 * s.square + (1 - h.b2) * g**2
    spread = s.square
    if h.centered:
        s.mean = h.b2 * s.mean + (1 - h.b2) * g
        spread = s.square - s.mean**2
    if h.style == "torch":
        scaled = ratio(g, np.sqrt(spread) + h.eps)
    else:
        scaled = ratio(g, np.sqrt(spread + h.eps))
    if h.momentum is None:
        return scaled
    s.buffer = h.momentum * s.buffer + scaled
    return s.buffer
