"""SOAP, arXiv:2409.11321, Algorithm 3, as in its authors' code: no first step, then QR."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average


@oracle(
    "soap",
    MEMORY | {"sides": None},
    learning_rate=3e-3,
    b1=0.95,
    b2=0.95,
    eps=1e-8,
    shampoo_beta=None,
    precondition_frequency=10,
    max_size=10_000,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
)
def soap(g, p, s, h):
    if g.ndim > 2:
        s.sides = s.sides or [type(s)(**MEMORY, sides=None) for _ in g]
        return np.stack([soap(*each, h) for each in zip(g, p, s.sides, strict=True)])
    if h.t == 1:
        s.sides = [
            Side(g, axis, h) for axis in (0, 1) if g.ndim == 2 and g.shape[axis] <= h.max_size
        ]
        h.weight_decay = 0.0
        return np.zeros_like(g)
    c1, c2 = average(turned(g, s.sides), s, h)
    u = np.sqrt(c2) / c1 * ratio(s.m, np.sqrt(s.v) + h.eps)
    u = turned(u, s.sides, back=True)
    m = turned(s.m, s.sides, back=True)
    for side in s.sides:
        side.add(g, h)
        if (h.t - 1) % h.precondition_frequency == 0:
            s.v = np.take(s.v, side.refine(), axis=side.axis)
    s.m = turned(m, s.sides)
    return u


def turned(x, sides, back=False):
    for side in sides:
        q = side.vectors if back else side.vectors.T
        x = np.moveaxis(np.tensordot(q, x, axes=(1, side.axis)), 0, side.axis)
    return x


class Side:
    """The covariance along one axis, and its eigenvectors."""

    def __init__(self, g, axis, h):
        self.axis, self.covariance = axis, 0.0
        self.add(g, h)
        self.vectors = np.linalg.eigh(self.covariance)[1][:, ::-1]

    def add(self, g, h):
        beta = h.b2 if h.shampoo_beta is None else h.shampoo_beta
        square = g @ g.T if self.axis == 0 else g.T @ g
        self.covariance = beta * self.covariance + (1 - beta) * square

    def refine(self):
        """One power iteration; returns the order in which it took the vectors."""
        order = np.argsort(-np.diag(self.vectors.T @ self.covariance @ self.vectors))
        self.vectors = np.linalg.qr(self.covariance @ self.vectors[:, order])[0]
        return order
