"""Adafactor, arXiv:1804.04235, Algorithms 4 and 5 with the settings of section 9.

T5X and Optax choose the axes by size. torch bounds the moments from below where others add eps1.
Big Vision (arXiv:2106.04560, section 3.4) has a cap on the decay, momentum and no scaling.
"""

import math

import numpy as np

from tests.oracles import oracle, ratio

PAPER = {"eps1": 1e-30, "cap": 1.0, "clip": 1.0, "scaled": True, "momentum": None, "from": 1}
STYLES = {
    "paper": PAPER,
    "t5": PAPER | {"from": 128},
    "torch": PAPER | {"eps1": 2.0**-23},
    "bigvision": PAPER
    | {"cap": 0.999, "clip": math.inf, "scaled": False, "momentum": 0.9, "from": 32},
}


def axes_to_factor(shape, style, smallest):
    """The axes of rows and columns: the last two, or the two longest (the later ones, in a tie)."""
    if len(shape) < 2:
        return None
    axes = range(len(shape))
    if style in ("t5", "bigvision"):
        axes = sorted(axes, key=lambda axis: (shape[axis], axis))
    rows, columns = axes[-2:]
    return (rows, columns) if min(shape[rows], shape[columns]) >= smallest else None


def second_moment(g, s, h, beta, eps1, axes):
    floor = h.style == "torch"
    square = g**2 if floor else g**2 + eps1
    if axes is None:
        s.full = beta * s.full + (1 - beta) * square
        moment = s.full
    else:
        rows, columns = axes
        s.rows = beta * s.rows + (1 - beta) * square.mean(columns, keepdims=True)
        s.columns = beta * s.columns + (1 - beta) * square.mean(rows, keepdims=True)
        mean = s.rows.mean(rows, keepdims=True)
        moment = ratio(s.rows * s.columns, np.maximum(mean, eps1) if floor else mean)
    return np.maximum(moment, eps1**2) if floor else moment


def root_mean_square(x):
    return np.sqrt(np.mean(x**2))


@oracle(
    "adafactor",
    {"rows": 0.0, "columns": 0.0, "full": 0.0, "m": 0.0},
    learning_rate=None,
    decay_rate=0.8,
    decay_offset=0,
    b2_cap=None,
    eps1=None,
    eps2=1e-3,
    clip_threshold=None,
    momentum=None,
    scale_parameter=None,
    min_dim_size_to_factor=None,
    style=("paper", "t5", "torch", "bigvision"),
)
def adafactor(g, p, s, h):
    def chosen(value, name):
        return STYLES[h.style][name] if value is None else value

    beta = min(chosen(h.b2_cap, "cap"), 1 - (h.t - h.decay_offset) ** -h.decay_rate)
    axes = axes_to_factor(g.shape, h.style, chosen(h.min_dim_size_to_factor, "from"))
    moment = second_moment(g, s, h, beta, chosen(h.eps1, "eps1"), axes)
    update = ratio(g, np.sqrt(moment))
    update = update / max(1.0, root_mean_square(update) / chosen(h.clip_threshold, "clip"))

    relative = 1 / np.sqrt(h.t)
    if h.learning_rate is None and h.style != "torch":
        h.learning_rate = factor = min(1e-2, relative)
    else:
        h.learning_rate = 1e-2 if h.learning_rate is None else h.learning_rate
        factor = min(h.learning_rate, relative) if h.style == "torch" else h.learning_rate
    scale = max(h.eps2, root_mean_square(p))
    if chosen(h.scale_parameter, "scaled"):
        update = update * scale
    if h.decay_mode == "scaled":
        h.weight_decay, h.decay_mode = h.weight_decay * scale, "decoupled"
    momentum = chosen(h.momentum, "momentum")
    if momentum is None:
        return update * factor / h.learning_rate
    if h.style == "bigvision":
        s.m = momentum * s.m + (1 - momentum) * update
        return s.m
    s.m = momentum * s.m + (1 - momentum) * update * factor
    return s.m / h.learning_rate
