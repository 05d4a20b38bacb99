"""GrokAdamW, as the code of its author has it: a rule that knows the position of a leaf."""

import numpy as np

from tests.oracles import ORACLES, ratio, run_oracle
from tests.oracles.adam import MEMORY, PLAIN

SETTINGS = PLAIN | {
    "b3": 0.98,
    "lamb": 2.0,
    "gamma": 0.1,
    "clip_norm": 1.0,
    "weight_decay": 1e-2,
    "decay_mode": "decoupled",
}


def at(position):
    """The direction of the leaf at a position."""

    def direction(g, p, s, h):
        if h.clip_norm:
            g = g * min(1, h.clip_norm / (np.sqrt((g**2).sum()) + 1e-6))
        s.slow = h.b3 * s.slow + (1 - h.b3) * g
        g = g + h.lamb * s.slow
        own = h.b1 * (1 - h.gamma) ** position
        s.m = own * s.m + (1 - own) * g
        s.v = h.b2 * s.v + (1 - h.b2) * g**2
        s.b1_product *= h.b1
        s.b2_product *= h.b2
        factor = np.sqrt(1 - s.b2_product) / (1 - s.b1_product)
        return factor * ratio(s.m, np.sqrt(s.v) + h.eps)

    return direction


def grokadamw(params, grads, **hyperparameters):
    """The parameters after each step."""
    paths = {}
    for i, leaf in enumerate(sorted(params)):  # the order of a dict in JAX
        own = [{leaf: g[leaf]} for g in grads]
        memory = MEMORY | {"slow": 0.0}
        paths[leaf] = run_oracle(
            at(i), memory, SETTINGS, {leaf: params[leaf]}, own, **hyperparameters
        )
    return [{leaf: path[t][leaf] for leaf, path in paths.items()} for t in range(len(grads))]


ORACLES["grokadamw"] = grokadamw
