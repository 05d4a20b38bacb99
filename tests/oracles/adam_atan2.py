"""Adam-atan2, arXiv:2407.05872, appendix: Adam's moments, and an angle in place of the quotient."""

import numpy as np

from tests.oracles import oracle
from tests.oracles.adam import MEMORY, average


@oracle("adam_atan2", MEMORY, learning_rate=1e-3, b1=0.9, b2=0.999, a=1.27, b=1.0)
def adam_atan2(g, p, s, h):
    c1, c2 = average(g, s, h)
    return h.a * np.arctan2(s.m / c1, h.b * np.sqrt(s.v / c2))
