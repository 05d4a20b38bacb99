"""SOAP, arXiv:2409.11321, Algorithm 3, as in its authors' code: no first step, then QR.

And as NVIDIA has it: a gradient enters the bases before its step.
"""

from types import SimpleNamespace

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average
from tests.oracles.muon import layout_of

MEMORY = MEMORY | {"sides": None, "parts": None}
SETTINGS = {
    "shampoo_beta": None,
    "precondition_frequency": 10,
    "max_size": 10_000,
    "layouts": None,
    "weight_decay": 1e-2,
    "decay_mode": "decoupled_after",
    "style": ("author", "nvidia"),
}


def by_tensor(direction):
    """The direction of a leaf from that of a tensor, of which some axes turn."""

    def on_leaf(g, p, s, h):
        layout = "other" if g.ndim < 2 else layout_of(g, h.layouts)
        h.is_tensor = layout != "other"
        if layout.startswith("stack"):
            s.parts = s.parts or [SimpleNamespace(**{**MEMORY, "m": 0 * x}) for x in g]
            columns = zip(g, s.parts, strict=True)
            return np.stack([direction(x, part, h, (0, 1)) for x, part in columns])
        merged = (g.shape[0] * g.shape[1], -1) if layout.endswith("(a b) (c d)") else g.shape
        x = g.reshape(merged)
        s.m = s.m + np.zeros(x.shape)
        axes = () if layout == "other" else [i for i in range(x.ndim) if x.shape[i] <= h.max_size]
        return direction(x, s, h, axes).reshape(g.shape)

    return on_leaf


@oracle("soap", MEMORY, learning_rate=3e-3, b1=0.95, b2=0.95, eps=1e-8, normalize=False, **SETTINGS)
@by_tensor
def soap(g, s, h, axes):
    if h.style == "nvidia":
        m = turned(s.m, s.sides or [], back=True)
        s.sides = s.sides or [Side(g, axis) for axis in axes]
        for side in s.sides:
            side.add(square(g, side.axis), h)
            side.solve_nvidia(h)
        s.m = turned(m, s.sides)
        c1, c2 = average(turned(g, s.sides), s, h)
        u = turned(ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps), s.sides, back=True)
        return normalized(u) if h.normalize else u
    if h.t == 1:
        s.sides, h.weight_decay = [Side(g, axis) for axis in axes], 0.0
        for side in s.sides:
            side.add(square(g, side.axis), h)
            side.diagonalize()
        return np.zeros_like(g)
    c1, c2 = average(turned(g, s.sides), s, h)
    u = ratio(s.m, np.sqrt(s.v) + h.eps)
    u = turned(normalized(u) if h.normalize else u, s.sides, back=True)
    m = turned(s.m, s.sides, back=True)
    for side in s.sides:
        side.add(square(g, side.axis), h)
        if (h.t - 1) % h.precondition_frequency == 0:
            s.v = np.take(s.v, side.refine(), axis=side.axis)
    s.m = turned(m, s.sides)
    return np.sqrt(c2) / c1 * u


def normalized(u):
    return ratio(u, np.sqrt(np.mean(u**2)))


def turned(x, sides, back=False):
    for side in sides:
        x = along(x, side.vectors if back else side.vectors.T, side.axis)
    return x


def along(x, matrix, axis):
    """The matrix times each line of x along an axis."""
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)


def square(g, axis):
    rows = np.moveaxis(g, axis, 0).reshape(g.shape[axis], -1)
    return rows @ rows.T


class Side:
    """The covariance along one axis, its eigenvectors, and for KL its eigenvalues."""

    def __init__(self, g, axis):
        self.axis, self.covariance, self.vectors = axis, 0.0, np.eye(g.shape[axis])
        self.values = np.zeros(g.shape[axis])

    def add(self, square, h):
        beta = h.b2 if h.shampoo_beta is None else h.shampoo_beta
        if h.style == "nvidia":
            beta = 1 - (1 - beta) / (1 - beta**h.t)
        weight = 1 if h.style == "modded_nanogpt" and h.t == 1 else 1 - beta
        self.covariance = beta * self.covariance + weight * square

    def diagonalize(self):
        values, vectors = np.linalg.eigh(self.covariance)
        self.values, self.vectors = values[::-1], vectors[:, ::-1]

    def rayleigh(self):
        return np.diag(self.vectors.T @ self.covariance @ self.vectors)

    def refine(self):
        """One power iteration. Returns the order in which it took the vectors."""
        order = np.argsort(-self.rayleigh())
        self.vectors = np.linalg.qr(self.covariance @ self.vectors[:, order])[0]
        return order

    def solve_nvidia(self, h):
        if (h.t - 1) % h.precondition_frequency:
            return
        if h.t == 1 or getattr(h, "solver", "qr") == "eigh":
            self.diagonalize()
        else:
            self.vectors = np.linalg.qr(self.covariance @ self.vectors)[0]
            order = np.argsort(-self.rayleigh())
            self.values, self.vectors = self.rayleigh()[order], self.vectors[:, order]
