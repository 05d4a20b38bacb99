"""Lookahead, arXiv:1907.08610, Algorithm 1, around Adam, and Ranger in its author's version."""

from types import SimpleNamespace

import numpy as np

from tests.oracles import DESCENTS, ORACLES, at_step, settings_of
from tests.oracles.adam import MEMORY, adam
from tests.oracles.radam import radam


def enlist(name, **defaults):
    """Lists a direction on one leaf, in Lookahead, as an oracle."""
    known = {"weight_decay": 0.0, "decay_mode": "decoupled", "eps_root": 0.0} | defaults

    def listed(direction):
        def run(params, grads, **hyperparameters):
            settings = settings_of(known, hyperparameters)
            paths = {
                leaf: lookahead(direction, p, [g[leaf] for g in grads], settings)
                for leaf, p in params.items()
            }
            return [{leaf: path[t] for leaf, path in paths.items()} for t in range(len(grads))]

        ORACLES[name] = run
        return direction

    return listed


def lookahead(direction, start, grads, settings):
    """The fast parameters of one leaf after each step."""
    s, path = SimpleNamespace(**MEMORY), []
    slow = fast = np.asarray(start, np.float64)
    for t, gradient in enumerate(grads, start=1):
        h, g = at_step(t, settings), np.asarray(gradient, np.float64)
        lazy = h.style == "timm"
        if h.decay_mode == "l2":
            g = g + h.weight_decay * fast
        fast = DESCENTS[h.decay_mode](
            fast, direction(g, fast, s, h), h.learning_rate, h.weight_decay
        )
        if t % h.sync_period == 0:
            first = t == h.sync_period
            slow = fast = fast if lazy and first else slow + h.slow_step_size * (fast - slow)
        path.append(fast)
    return path


ADAM = {"learning_rate": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8}


@enlist("lookahead_adam", **ADAM, sync_period=5, slow_step_size=0.8, style=("author", "timm"))
def lookahead_adam(g, p, s, h):
    h.style = "torch"
    return adam(g, p, s, h)


RANGER = {"learning_rate": 1e-3, "b1": 0.95, "b2": 0.999, "eps": 1e-5, "threshold": 5.0}


@enlist(
    "ranger",
    **RANGER,
    sync_period=6,
    slow_step_size=0.5,
    centralize=True,
    out_axis=-1,
    style=("torch",),
)
def ranger(g, p, s, h):
    if h.centralize and g.ndim > 1:
        neurons = np.moveaxis(g, h.out_axis, 0).reshape(g.shape[h.out_axis], -1)
        centers = neurons.mean(axis=1).reshape([-1] + [1] * (g.ndim - 1))
        g = np.moveaxis(np.moveaxis(g, h.out_axis, 0) - centers, 0, h.out_axis)
    return radam(g, p, s, h)
