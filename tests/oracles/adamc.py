"""AdamC, arXiv:2506.02285, Algorithm 1: λ γ²/γ_max, which the schedules of AdamW make of λ γ/γ_max.

The authors have it for normalised layers alone, which a mask selects.
"""

from tests.oracles import oracle
from tests.oracles.adam import MEMORY, SETTINGS, STYLES, adam


@oracle("adamc", MEMORY, **SETTINGS, style=STYLES, weight_decay=1e-2, max_lr=None)
def adamc(g, p, s, h):
    asked = h.weight_decay
    if h.max_lr is not None:
        h.weight_decay = asked * h.learning_rate / h.max_lr
    if h.decay_mode == "l2":
        g = g + (h.weight_decay - asked) * p
    return adam(g, p, s, h)
