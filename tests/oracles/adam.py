"""Adam, arXiv:1412.6980: Algorithm 1, the reordered form at the end of section 2, and the raw one.

AdamW, arXiv:1711.05101, is the same direction with weight decay on.
"""

import numpy as np

from tests.oracles import oracle, ratio

MEMORY = {"m": 0.0, "v": 0.0, "b1_product": 1.0, "b2_product": 1.0}
PLAIN = {"learning_rate": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
SETTINGS = PLAIN | {"eps_root": 0.0}


def average(g, s, h):
    """Both moments and their bias corrections, 1 minus the product of the decay rates."""
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    return 1 - s.b1_product, 1 - s.b2_product


STYLES = ("torch", "keras", "mlx")


@oracle("adam", MEMORY, **SETTINGS, style=STYLES)
@oracle("adamw", MEMORY, **SETTINGS, style=STYLES, weight_decay=1e-2)
def adam(g, p, s, h):
    c1, c2 = average(g, s, h)
    if h.style == "torch":
        return ratio(s.m / c1, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
    if h.style == "keras":
        return np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
    return ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
