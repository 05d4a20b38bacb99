"""QHAdam, arXiv:1810.06801, section 4: equations 13 and 14."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, PLAIN, average


@oracle("qhadam", MEMORY, **PLAIN, nu1=1.0, nu2=1.0)
def qhadam(g, p, s, h):
    c1, c2 = average(g, s, h)
    upper = (1 - h.nu1) * g + h.nu1 * s.m / c1
    return ratio(upper, np.sqrt((1 - h.nu2) * g**2 + h.nu2 * s.v / c2) + h.eps)
