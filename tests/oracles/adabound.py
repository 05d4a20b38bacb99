"""AdaBound and AMSBound, arXiv:1902.09843, Algorithms 2 and 3, with the authors' bounds."""

import numpy as np

from tests.oracles import oracle
from tests.oracles.adam import MEMORY, PLAIN, average

SETTINGS = PLAIN | {"final_lr": 0.1, "gamma": 1e-3, "base_lr": None}


def bounded(v, s, h, c1, c2):
    base_lr = h.learning_rate if h.base_lr is None else h.base_lr
    final_lr = h.final_lr * h.learning_rate / base_lr
    lower = final_lr * (1 - 1 / (h.gamma * h.t + 1))
    upper = final_lr * (1 + 1 / (h.gamma * h.t))
    with np.errstate(divide="ignore"):
        step_size = h.learning_rate * np.sqrt(c2) / c1 / (np.sqrt(v) + h.eps)
    return np.minimum(np.maximum(step_size, lower), upper) * s.m / h.learning_rate


@oracle("adabound", MEMORY, **SETTINGS)
def adabound(g, p, s, h):
    c1, c2 = average(g, s, h)
    return bounded(s.v, s, h, c1, c2)


@oracle("amsbound", MEMORY | {"most": 0.0}, **SETTINGS)
def amsbound(g, p, s, h):
    c1, c2 = average(g, s, h)
    s.most = np.fmax(s.most, s.v)
    return bounded(s.most, s, h, c1, c2)
