"""Grokfast, arXiv:2405.20233, Algorithms 1 (EMA) and 2 (MA) in front of AdamW."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, PLAIN, average


@oracle(
    "grokfast_adamw",
    MEMORY | {"past": None},
    **PLAIN,
    b3=0.98,
    lamb=2.0,
    window=None,
    weight_decay=1e-2,
)
def grokfast_adamw(g, p, s, h):
    if h.window is None:
        s.past = g if s.past is None else h.b3 * s.past + (1 - h.b3) * g
        slow = s.past
    else:
        s.past = [*(s.past or []), g][-h.window :]
        slow = sum(s.past) / h.window if len(s.past) == h.window else 0.0
    c1, c2 = average(g + h.lamb * slow, s, h)
    return ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)
