"""Muon, https://kellerjordan.github.io/posts/muon, and Algorithm 1 of arXiv:2502.16982."""

import numpy as np

from tests.oracles import oracle, ratio
from tests.oracles.adam import MEMORY, average

JORDAN = [(3.4445, -4.775, 2.0315)]
YOU = [
    *((4.0848, -6.8946, 2.927), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037)),
    *((2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012)),
]
EXPRESS = [
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
]
# Momentum, Nesterov, triples, ε, how ε is added, factor of the norm, scale.
STYLES = {
    "author": ("ema", True, JORDAN, 1e-7, np.add, 1.0, "aspect"),
    "torch": ("ema", True, JORDAN, 1e-7, np.maximum, 1.0, "aspect"),
    "optax": ("debiased", True, JORDAN, 1e-8, np.add, 1.0, "aspect"),
    "keras": ("sum", True, JORDAN, 1e-7, np.add, 1.0, "rms"),
    "dion": ("sum", False, EXPRESS, 1e-8, np.add, 1.02, "rms_to_rms"),
    "nvidia": ("ema", False, YOU, 1e-15, np.maximum, 1.0, "spectral"),
    "timm": ("ema", False, YOU, 1e-7, np.maximum, 1.0, "rms"),
}
SETTINGS = {
    "momentum": 0.95,
    "nesterov": None,
    "coefficients": None,
    "ns_steps": None,
    "ns_eps": None,
    "scale": None,
    "layouts": None,
    "b1": 0.9,
    "b2": 0.95,
    "eps": 1e-10,
    "adam_scale": 0.015,
}
MEMORIES = MEMORY | {"product": 1.0}


def orthogonal(u, h, style):
    """The polar factor of each matrix of a stack."""
    if u.ndim > 2:
        return np.stack([orthogonal(x, h, style) for x in u])
    if u.shape[0] > u.shape[1]:
        return orthogonal(u.T, h, style).T
    _, _, triples, eps, clamp, safety, _ = STYLES[style]
    if h.coefficients is not None:
        triples = JORDAN if h.coefficients == "jordan" else h.coefficients
        eps, clamp, safety = 1e-7, np.add, 1.0
    eps = eps if h.ns_eps is None else h.ns_eps
    x = ratio(u, clamp(safety * np.sqrt((u**2).sum()), eps))
    for i in range(h.ns_steps or (5 if len(triples) == 1 else len(triples))):
        a, b, c = triples[min(i, len(triples) - 1)]
        square = x @ x.T
        x = a * x + b * square @ x + c * square @ square @ x
    return x


def layout_of(g, layouts):
    """The layout of a leaf, by its number of axes."""
    if isinstance(layouts, str):
        return layouts
    leaf, usual = {2: ("matrix", "in out -> out in")}.get(g.ndim, ("tensor*", "other"))
    return (layouts or {}).get(leaf, usual) if g.ndim > 1 else "other"


def stack_of(x, layout):
    """The matrices of a leaf, outputs first."""
    stack = x.reshape(-1, *x.shape[-2:])
    return stack if layout.endswith(layout.split(" -> ")[0]) else stack.swapaxes(1, 2)


def leaf_of(stack, layout, like):
    """The leaf of these matrices."""
    return stack_of(stack, layout).reshape(like.shape)


def moved(g, s, h, style):
    kind, nesterov, *_ = STYLES[style]
    b, nesterov = h.momentum, nesterov if h.nesterov is None else h.nesterov
    s.m = b * s.m + (g if kind == "sum" else (1 - b) * g)
    s.product *= b
    if not nesterov:
        return s.m
    if kind == "sum":
        return g + b * s.m
    if kind == "debiased":
        return b * s.m / (1 - s.product * b) + (1 - b) * g / (1 - s.product)
    return (1 - b) * g + b * s.m


def factor(stack, scale):
    outputs, inputs = stack.shape[1:]
    return {
        "none": 1.0,
        "aspect": max(1, outputs / inputs) ** 0.5,
        "rms": 0.2 * max(outputs, inputs) ** 0.5,
        "rms_to_rms": (outputs / inputs) ** 0.5,
        "spectral": max(outputs, inputs) ** 0.5,
    }[scale]


def of_other(g, s, h):
    c1, c2 = average(g, s, h)
    return h.adam_scale * ratio(s.m / c1, np.sqrt(s.v / c2) + h.eps)


@oracle("muon", MEMORIES, learning_rate=0.02, **SETTINGS, style=tuple(STYLES))
def muon(g, p, s, h):
    layout = layout_of(g, h.layouts)
    if layout == "other":
        return of_other(g, s, h)
    u = orthogonal(stack_of(moved(g, s, h, h.style), layout), h, h.style)
    return leaf_of(u * factor(u, h.scale or STYLES[h.style][-1]), layout, g)
