"""Gradient descent with momentum: Polyak 1964, Nesterov 1983, in the form that torch writes."""

from tests.oracles import oracle


@oracle("sgd", {"buffer": 0.0}, learning_rate=1e-2, momentum=None, nesterov=False)
def sgd(g, p, s, h):
    if h.momentum is None:
        return g
    s.buffer = h.momentum * s.buffer + g
    return g + h.momentum * s.buffer if h.nesterov else s.buffer
