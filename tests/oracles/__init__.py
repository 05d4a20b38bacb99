"""Every variant in NumPy and float64, written from the papers, to test the library against.

An oracle is `oracle(params, grads, **hyperparameters) -> [params after each step]`, where `params`
is a dict of arrays, `grads` a list of such dicts, and the hyperparameters have the library's names.
A scalar hyperparameter may be a function of the number of steps done.

Behind an oracle stands a function `(g, p, s, h) -> u` on one leaf, p <- p - lr u. It overwrites its
memory `s`. `h` has the hyperparameters of the present step, and the step's number t = 1, 2, … .
"""

import importlib
import pkgutil
from functools import partial
from types import SimpleNamespace

import numpy as np

ORACLES = {}


def oracle(name, memory, **defaults):
    """Lists a function on one leaf as the oracle of a variant.

    `memory` is its initial memory. The numbers broadcast over the leaf when they are used.
    """

    def enlist(direction):
        settings = {"weight_decay": 0.0, "decay_mode": "decoupled"} | defaults
        ORACLES[name] = partial(run_oracle, direction, memory, settings)
        return direction

    return enlist


def run_oracle(direction, memory, defaults, params, grads, **hyperparameters):
    """The parameters after each step."""
    settings = settings_of(defaults, hyperparameters)
    memories = {leaf: SimpleNamespace(**memory) for leaf in params}
    params = {leaf: np.asarray(p, np.float64) for leaf, p in params.items()}
    path = []
    for t, gradients in enumerate(grads, start=1):
        for leaf, gradient in gradients.items():
            g, p, h = np.asarray(gradient, np.float64), params[leaf], at_step(t, settings)
            if h.decay_mode == "l2":
                g = g + h.weight_decay * p
            u = direction(g, p, memories[leaf], h)
            params[leaf] = DESCENTS[h.decay_mode](p, u, h.learning_rate, h.weight_decay)
        path.append(dict(params))
    return path


def settings_of(defaults, hyperparameters):
    """All hyperparameters. The default of `style` lists the styles, its default first."""
    if unknown := hyperparameters.keys() - defaults.keys():
        raise TypeError(f"this oracle has no {', '.join(sorted(unknown))}")
    settings = defaults | hyperparameters
    if styles := defaults.get("style"):
        settings["style"] = hyperparameters.get("style", styles[0])
        if settings["style"] not in styles:
            raise ValueError(settings["style"])
    return settings


def at_step(t, settings):
    """The hyperparameters of step t. `h.following()` has those of the next step."""
    schedules = {name for name, v in settings.items() if callable(v) and not name.endswith("_fn")}
    now = {name: v(t - 1) if name in schedules else v for name, v in settings.items()}
    return SimpleNamespace(t=t, following=lambda: at_step(t + 1, settings), **now)


DESCENTS = {
    "l2": lambda p, u, lr, wd: p - lr * u,
    "decoupled": lambda p, u, lr, wd: p * (1 - lr * wd) - lr * u,
    "independent": lambda p, u, lr, wd: p * (1 - wd) - lr * u,
    "proximal": lambda p, u, lr, wd: (p - lr * u) / (1 + lr * wd),
    "decoupled_after": lambda p, u, lr, wd: (p - lr * u) * (1 - lr * wd),
    "independent_after": lambda p, u, lr, wd: (p - lr * u) * (1 - wd),
    "cautious": lambda p, u, lr, wd: p * (1 - lr * wd * (u * p >= 0)) - lr * u,
    "lr_squared": lambda p, u, lr, wd: p * (1 - lr**2 * wd) - lr * u,
}


def ratio(a, b):
    """a / b, and 0 where nothing but zeros was seen, so that both are 0."""
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.zeros_like(a), where=(a != 0) | (b != 0))


for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")
