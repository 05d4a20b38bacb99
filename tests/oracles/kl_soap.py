"""KL-SOAP and KL-Shampoo, arXiv:2509.03378, as in their authors' code, and NVIDIA's KL-SOAP."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import average
from tests.oracles.soap import MEMORY, SETTINGS, Side, by_tensor, square, turned

LIN = {"learning_rate": 1e-3, "b1": 0.9, "b2": 0.98, "eps": 1e-8}


def roots(g, sides, values):
    """The product of the roots of the eigenvalues along some axes."""
    product = np.ones_like(g)
    for side in sides:
        shape = [-1 if i == side.axis else 1 for i in range(g.ndim)]
        product = product * np.sqrt(values[side.axis]).reshape(shape)
    return product


def mean_square(g, side, sides, values):
    """The covariance along an axis of a gradient that is whitened along the others."""
    others = [other for other in sides if other is not side]
    half = turned(g, others) / roots(g, others, values)
    return square(half, side.axis) * g.shape[side.axis] / g.size


def learn(g, sides, h):
    """The covariances and eigenvalues with one more gradient; of three axes in its own order."""
    beta = h.b2 if h.shampoo_beta is None else h.shampoo_beta
    old = {side.axis: side.values for side in sides}
    squares = {side.axis: mean_square(g, side, sides, old) for side in sides}
    known = dict(old)
    for side in sides[::-1]:
        if len(sides) == 3 and side is sides[0]:
            known = {sides[1].axis: sides[1].values, sides[2].axis: old[sides[2].axis]}
            squares[side.axis] = mean_square(g, side, sides, known)
        others = [other for other in sides if other is not side]
        white = (turned(g, sides) / roots(g, others, known)) ** 2
        mean = white.mean(tuple(i for i in range(g.ndim) if i != side.axis))
        few = 4000 if h.style == "modded_nanogpt" else 10
        least = max(few, min(g.shape[side.axis], 4000)) ** -2
        side.values = np.maximum(beta * side.values + (1 - beta) * mean, least)
        if len(sides) == 3:
            known[side.axis] = side.values
    for side in sides:
        side.add(squares[side.axis], h)


def start(g, s, h, axes):
    s.sides, h.weight_decay = [Side(g, axis) for axis in axes], 0.0
    for side in s.sides:
        side.add(square(g, side.axis) * g.shape[side.axis] / g.size, h)
        side.diagonalize()
        side.values = np.full(g.shape[side.axis], 0.1)
    return np.zeros_like(g)


def end(g, s, h):
    m = turned(s.m, s.sides, back=True)
    learn(g, s.sides, h)
    if (h.t - 1) % h.precondition_frequency == 0:
        for side in s.sides:
            if h.solver == "eigh":
                values = side.values
                side.diagonalize()
                side.values = values
            else:
                side.vectors = np.linalg.qr(side.covariance @ side.vectors)[0]
    s.m = turned(m, s.sides)


STYLES = ("author", "nvidia", "modded_nanogpt")


@oracle("kl_soap", MEMORY, **LIN, solver="qr", **{**SETTINGS, "style": STYLES})
@by_tensor
def kl_soap(g, s, h, axes):
    if h.style == "nvidia":
        m = turned(s.m, s.sides or [], back=True)
        s.sides = s.sides or [Side(g, axis) for axis in axes]
        floored = {side.axis: np.maximum(side.values, max(h.eps, 2.0**-30)) for side in s.sides}
        squares = [mean_square(g, side, s.sides, floored) for side in s.sides]
        for side, new in zip(s.sides, squares, strict=True):
            side.add(new, h)
            side.solve_nvidia(h)
        s.m = turned(m, s.sides)
        c1, c2 = average(turned(g, s.sides), s, h)
        return turned(ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps), s.sides, back=True)
    if h.t == 1:
        return start(g, s, h, axes)
    average(turned(g, s.sides), s, h)
    u = turned(ratio(s.m, np.sqrt(s.v) + h.eps), s.sides, back=True)
    end(g, s, h)
    return u


@oracle("kl_shampoo", MEMORY, **LIN, **{**SETTINGS, "style": ("author",)})
@by_tensor
def kl_shampoo(g, s, h, axes):
    h.solver = "qr"
    if h.t == 1:
        return start(g, s, h, axes)
    c1, c2 = average(turned(g, s.sides), s, h)
    if not h.is_tensor:
        return ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)
    values = {side.axis: side.values for side in s.sides}
    u = turned(ratio(s.m, roots(g, s.sides, values) + h.eps), s.sides, back=True)
    end(g, s, h)
    return u
