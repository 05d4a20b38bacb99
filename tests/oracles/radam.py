"""RAdam, arXiv:1908.03265, Algorithm 2, with two places of epsilon and two starts.

Under a scheduled b2 the length is that of the present b2 held from the start: so it stays between 1
and the limit, which with the product of the decays used it would not.
"""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, SETTINGS, average


@oracle("radam", MEMORY, **SETTINGS, threshold=5.0, style=("torch", "optax", "author"))
def radam(g, p, s, h):
    c1, c2 = average(g, s, h)
    limit = 2 / (1 - h.b2) - 1
    power = h.b2**h.t
    length = limit - 2 * h.t * power / (1 - power)
    enough = length > h.threshold if h.style == "torch" else length >= h.threshold
    if not enough:
        return np.zeros_like(g) if h.style == "author" else s.m / c1
    rectification = np.sqrt(
        (length - 4) / (limit - 4) * (length - 2) / (limit - 2) * limit / length
    )
    if h.style == "optax":
        return rectification * ratio(s.m / c1, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
    return rectification * np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v + h.eps_root) + h.eps)
