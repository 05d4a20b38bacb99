"""AdaShift, arXiv:1810.00143, Algorithm 3, with no step as long as there is nothing to divide by.

The PyTorch port (MichaelKonobeev/adashift) starts the running mean of the window at 0 when the
window is full. The gradients in the window at that time are missing from the mean.
"""

import numpy as np

from tests.oracles import oracle


@oracle(
    "adashift",
    {"seen": (), "v": 0.0, "missing": 0.0},
    learning_rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-10,
    window=10,
    reduce="max",
    style=("paper", "port"),
)
def adashift(g, p, s, h):
    s.seen = (*s.seen, g)
    last = s.seen[-h.window :]
    shares = [h.b1**i for i in range(h.window)]
    pairs = zip(shares, reversed(last), strict=False)
    m = sum(share / sum(shares) * gradient for share, gradient in pairs)
    full = h.t - h.window
    if full <= 0:
        s.missing = m
        return np.zeros_like(g)
    s.missing = h.b1 * s.missing
    square = s.seen[-h.window - 1] ** 2
    s.v = h.b2 * s.v + (1 - h.b2) * (square.max() if h.reduce == "max" else square)
    if h.style == "port":
        m = m - s.missing
    denominator = np.sqrt(s.v / (1 - h.b2**full)) + h.eps + 0 * g
    return np.divide(m, denominator, out=np.zeros_like(g), where=denominator > 0)
