"""Schedule-Free, arXiv:2405.15682, equations 3 to 5, with the three points x, y and z in full."""

from types import SimpleNamespace

import numpy as np

from tests.oracles import DESCENTS, ORACLES, at_step, ratio, settings_of

COMMON = {"weight_lr_power": 2.0, "r": 0.0, "weight_decay": 0.0, "decay_mode": "decoupled"}


def schedule_free(direction, params, grads, **settings):
    """`direction(g, s, h, lr)` is u and the learning rates of z and of the weights."""
    starts = {leaf: np.asarray(p, np.float64) for leaf, p in params.items()}
    points = {
        leaf: SimpleNamespace(x=p, y=p, z=p, v=0.0, b2_product=1.0, total=0.0, most=0.0)
        for leaf, p in starts.items()
    }
    path = []
    for t, gradients in enumerate(grads, start=1):
        h = at_step(t, settings)
        for leaf, gradient in gradients.items():
            s, g = points[leaf], np.asarray(gradient, np.float64)
            advance(direction, s, g, h)
        path.append({leaf: s.y for leaf, s in points.items()})
    return path


def advance(direction, s, g, h):
    keras = getattr(h, "style", None) == "keras"
    if h.decay_mode == "l2":
        g = g + h.weight_decay * s.y
    elif keras:  # y alone decays, and x follows from y
        s.y = DESCENTS[h.decay_mode](s.y, 0.0, h.learning_rate, h.weight_decay)
        s.x = (s.y - (1 - s.b1) * s.z) / s.b1 if h.t > 1 and s.b1 else s.y
    u, lr, lr_of_weights = direction(g, s, h)
    if keras:
        s.most, power, r = 1.0, 0.0, 0.0
        step = -lr * u
    else:
        s.most, power, r = max(s.most, lr_of_weights), h.weight_lr_power, h.r
        step = DESCENTS[h.decay_mode](s.y, u, lr, h.weight_decay) - s.y
    weight = h.t**r * s.most**power
    s.total += weight
    c = weight / s.total if s.total else 0.0
    s.z = s.z + step
    s.x = (1 - c) * s.x + c * s.z
    s.y = h.b1 * s.x + (1 - h.b1) * s.z
    s.b1 = h.b1


def second_moment(g, s, h):
    s.v = h.b2 * s.v + (1 - h.b2) * g**2
    s.b2_product *= h.b2
    return 1 - s.b2_product


def warmed_up(h, lag=0):
    return h.learning_rate * (min(1, (h.t - lag) / h.warmup_steps) if h.warmup_steps else 1)


def enlist(name, **defaults):
    """Lists a direction as an oracle."""

    def listed(direction):
        known = COMMON | defaults

        def run(params, grads, **hyperparameters):
            settings = settings_of(known, hyperparameters)
            return schedule_free(direction, params, grads, **settings)

        ORACLES[name] = run
        return direction

    return listed


ADAM = {"learning_rate": 2.5e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8}


@enlist("schedule_free_adamw", **ADAM, warmup_steps=0, style=("author", "paper", "keras", "optax"))
def adamw(g, s, h):
    c2, lr = second_moment(g, s, h), warmed_up(h)
    if h.style == "paper":
        lr *= np.sqrt(1 - h.b2**h.t)
        return ratio(g, np.sqrt(s.v) + h.eps), lr, lr
    if h.style == "optax":
        return ratio(g, np.sqrt(s.v / c2) + h.eps), warmed_up(h, lag=1), lr
    return ratio(g, np.sqrt(s.v / c2) + h.eps), lr, lr


@enlist("schedule_free_sgd", learning_rate=1.0, b1=0.9, warmup_steps=0, style=("author", "optax"))
def sgd(g, s, h):
    return g, warmed_up(h, lag=int(h.style == "optax")), warmed_up(h)


@enlist("schedule_free_radam", **ADAM)
def radam(g, s, h):
    c2 = second_moment(g, s, h)
    limit, power = 2 / (1 - h.b2) - 1, h.b2**h.t
    length = limit - 2 * h.t * power / (1 - power)
    lr = 0.0
    if length > 4:
        above = (length - 4) / (limit - 4) * (length - 2) / (limit - 2) * limit / length
        lr = h.learning_rate * np.sqrt(above)
    return ratio(g, np.sqrt(s.v / c2) + h.eps), lr, lr
