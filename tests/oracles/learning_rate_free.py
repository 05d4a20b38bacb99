"""Prodigy, arXiv:2306.06101, and D-Adapt Adam, arXiv:2301.07733: one step size for all."""

from types import SimpleNamespace

import numpy as np

from tests.oracles import DESCENTS, ORACLES, at_step, ratio, settings_of

COMMON = {
    "learning_rate": 1.0,
    "b1": 0.9,
    "b2": 0.999,
    "eps": 1e-8,
    "d0": 1e-6,
    "bias_correction": False,
    "weight_decay": 0.0,
    "decay_mode": "decoupled",
}


def enlist(name, **defaults):
    """Lists `step(leaves, s, h)`, which sets u of each leaf and returns k, as an oracle."""
    known = COMMON | defaults

    def listed(step):
        def run(params, grads, **hyperparameters):
            return run_oracle(step, params, grads, settings_of(known, hyperparameters))

        ORACLES[name] = run
        return step

    return listed


def run_oracle(step, params, grads, settings):
    leaves = {
        leaf: SimpleNamespace(p=p, start=p, m=0 * p, v=0 * p, s=0 * p)
        for leaf, p in ((leaf, np.asarray(p, np.float64)) for leaf, p in params.items())
    }
    s = SimpleNamespace(d=settings["d0"], r=0.0, b1_product=1.0, b2_product=1.0)
    path = []
    for t, gradients in enumerate(grads, start=1):
        h = at_step(t, settings)
        for leaf, gradient in gradients.items():
            own = leaves[leaf]
            own.g = np.asarray(gradient, np.float64)
            own.g = own.g + h.weight_decay * own.p * (h.decay_mode == "l2")
        s.b1_product *= h.b1
        s.b2_product *= h.b2
        k = s.d * h.learning_rate
        if h.bias_correction:
            k *= np.sqrt(1 - s.b2_product) / (1 - s.b1_product)
        step(leaves.values(), s, h, k)
        for own in leaves.values():
            # u has the step size in it: the decay takes it for a learning rate of its own.
            own.p = DESCENTS[h.decay_mode](
                own.p, ratio(own.u, k) if k else own.u, k, h.weight_decay
            )
        path.append({leaf: own.p for leaf, own in leaves.items()})
    return path


@enlist("prodigy", b3=None, d_coef=1.0)
def prodigy(leaves, s, h, k):
    b3 = np.sqrt(h.b2) if h.b3 is None else h.b3
    s.r = b3 * s.r + s.d / h.d0 * k * sum((x.g * (x.start - x.p)).sum() for x in leaves)
    for x in leaves:
        x.m = h.b1 * x.m + (1 - h.b1) * s.d * x.g
        x.v = h.b2 * x.v + (1 - h.b2) * s.d**2 * x.g**2
        x.s = b3 * x.s + s.d / h.d0 * k * x.g
    s.d = max(s.d, h.d_coef * s.r / sum(abs(x.s).sum() for x in leaves))
    for x in leaves:
        x.u = k * ratio(x.m, np.sqrt(x.v) + s.d * h.eps)


@enlist("dadapt_adam")
def dadapt_adam(leaves, s, h, k):
    q = np.sqrt(h.b2)
    seen = sum((x.g * ratio(x.s, np.sqrt(x.v) + h.eps)).sum() for x in leaves)
    s.r = q * s.r + (1 - q) * k * seen
    for x in leaves:
        x.m = h.b1 * x.m + (1 - h.b1) * k * x.g
        x.v = h.b2 * x.v + (1 - h.b2) * x.g**2
        x.s = q * x.s + (1 - q) * k * x.g
        x.u = ratio(x.m, np.sqrt(x.v) + h.eps)
    s.d = max(s.d, s.r / ((1 - q) * sum(abs(x.s).sum() for x in leaves)))
