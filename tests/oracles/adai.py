"""Adai, arXiv:2006.15815, Algorithm 2: a rule of the whole tree, so with a walk of its own."""

import numpy as np

from tests.oracles import DESCENTS, ORACLES, at_step, settings_of

SETTINGS = {
    "learning_rate": 1.0,
    "b0": 0.1,
    "b2": 0.99,
    "eps": 1e-3,
    "weight_decay": 0.0,
    "decay_mode": "decoupled",
}


def adai(params, grads, **hyperparameters):
    """The parameters after each step."""
    settings = settings_of(SETTINGS, hyperparameters)
    params = {leaf: np.asarray(p, np.float64) for leaf, p in params.items()}
    zeros = {leaf: np.zeros_like(p) for leaf, p in params.items()}
    m, v, log_product = dict(zeros), zeros, dict(zeros)
    path = []
    for t, gradients in enumerate(grads, start=1):
        h = at_step(t, settings)
        g = {leaf: np.asarray(x, np.float64) for leaf, x in gradients.items()}
        if h.decay_mode == "l2":
            g = {leaf: x + h.weight_decay * params[leaf] for leaf, x in g.items()}
        v = {leaf: h.b2 * v[leaf] + (1 - h.b2) * g[leaf] ** 2 for leaf in g}
        # The correction of the bias of v cancels.
        mean = np.concatenate([x.ravel() for x in v.values()]).mean()
        after = {}
        for leaf, x in g.items():
            # 1 - beta may be 1e-20: then beta, and the product of all so far, are known by logs.
            rest = np.clip(h.b0 * v[leaf] / mean, h.eps, 1)
            with np.errstate(divide="ignore"):
                log_product[leaf] = log_product[leaf] + np.log1p(-rest)
            m[leaf] = (1 - rest) * m[leaf] + rest * x
            weight = -np.expm1(log_product[leaf])
            u = np.divide(m[leaf], weight, out=np.zeros_like(weight), where=weight > 0)
            after[leaf] = DESCENTS[h.decay_mode](params[leaf], u, h.learning_rate, h.weight_decay)
        params = after
        path.append(dict(params))
    return path


ORACLES["adai"] = adai
