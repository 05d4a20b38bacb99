"""NovoGrad, arXiv:1905.11286, Algorithm 1, and two implementations that differ from it."""

import numpy as np

from tests.oracles import oracle, ratio


@oracle(
    "novograd",
    {"m": 0.0, "v": 0.0},
    learning_rate=1e-3,
    b1=0.95,
    b2=0.98,
    eps=1e-8,
    eps_root=0.0,
    grad_averaging=False,
    style=("paper", "tensorflow", "openseq2seq"),
    decay_mode="inside",
)
def novograd(g, p, s, h):
    square = np.sum(g**2)
    if h.style == "openseq2seq":
        n = ratio(g, np.sqrt(square + h.eps))
    else:
        s.v = square if h.t == 1 else h.b2 * s.v + (1 - h.b2) * square
        n = ratio(g, np.sqrt(s.v + h.eps_root) + h.eps)
    if h.decay_mode == "inside":
        n, h.weight_decay, h.decay_mode = n + h.weight_decay * p, 0.0, "decoupled"
    if h.grad_averaging and not (h.style == "tensorflow" and h.t == 1):
        n = (1 - h.b1) * n
    s.m = h.b1 * s.m + n
    return s.m
