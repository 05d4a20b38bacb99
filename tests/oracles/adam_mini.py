"""Adam-mini, arXiv:2406.16793, Algorithm 1: a block shares an index of the kept axes.

`kept` may also be a dict from numbers of axes to the axes that are kept of such leaves.
"""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, SETTINGS


@oracle("adam_mini", MEMORY, **SETTINGS, kept=-1, mask=None)
def adam_mini(g, p, s, h):
    if h.mask and g.ndim < 2:  # the one mask of the trajectories: no decay of the vector
        h.weight_decay = 0.0
    block = g**2
    if g.ndim > 1:
        axes = h.kept.get(g.ndim, -1) if isinstance(h.kept, dict) else h.kept
        kept = {axis % g.ndim for axis in np.atleast_1d(np.asarray(axes, int))}
        for axis in set(range(g.ndim)) - kept:
            block = block.mean(axis, keepdims=True)
    s.m = h.b1 * s.m + (1 - h.b1) * g
    s.v = h.b2 * s.v + (1 - h.b2) * block
    s.b1_product *= h.b1
    s.b2_product *= h.b2
    c1, c2 = 1 - s.b1_product, 1 - s.b2_product
    return ratio(s.m / c1, np.sqrt(s.v / c2 + h.eps_root) + h.eps)
