"""NAdam, Dozat 2016, with his momentum schedule, and two forms with a constant momentum.

Under a scheduled b1 (or psi) the momentum of step k is that of the schedule at step k.
"""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import average

MEMORY = {"m": 0.0, "v": 0.0, "b1_product": 1.0, "b2_product": 1.0, "momentum_product": 1.0}
SETTINGS = {
    "learning_rate": 2e-3,
    "b1": 0.9,
    "b2": 0.999,
    "eps": 1e-8,
    "eps_root": 0.0,
    "momentum_decay": 0.004,
    "style": ("torch", "keras", "optax", "mlcommons"),
}


def warmed_up(h):
    psi = 1.0 if h.style == "keras" else h.momentum_decay
    return h.b1 * (1 - 0.5 * 0.96 ** (h.t * psi))


@oracle("nadam", MEMORY, **SETTINGS)
@oracle("nadamw", MEMORY, **SETTINGS | {"weight_decay": 1e-2})
def nadam(g, p, s, h):
    c1, c2 = average(g, s, h)
    if h.style in ("torch", "keras"):
        now, after = warmed_up(h), warmed_up(h.following())
        s.momentum_product *= now
        ahead = after * s.m / (1 - s.momentum_product * after)
        ahead = ahead + (1 - now) * g / (1 - s.momentum_product)
    elif h.style == "optax":
        after = h.following().b1
        ahead = after * s.m / (1 - s.b1_product * after) + (1 - h.b1) * g / c1
    else:
        ahead = (h.b1 * s.m + (1 - h.b1) * g) / c1
    return ratio(ahead, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
