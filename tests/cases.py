"""Settings and gradients under which a wrong rule shows, and the comparison with an oracle."""

import functools
import inspect
import itertools
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.rule import ScalarOrSchedule
from tests.adversarial_hparams import ADVERSARIAL_HPARAMS
from tests.hessians import FED, fed
from tests.oracles import ORACLES

STEPS = 12
SHAPES = {"scalar": (), "vector": (5,), "matrix": (6, 4), "tensor": (2, 3, 4)}
SCALES = (0.1, 1e-6, 1e6, 1e3)

# No numbers of the rule. `style` has other cases. Dtypes, masks and storage have other tests.
OTHER = {
    "style",
    "mask",
    "ns_dtype",
    "wire_dtype",
    "mu_dtype",
    "nu_dtype",
    "storage",
    "param_rounding",
}

# Variants whose direction alone is a step, of which the learning rate is no factor.
INCLUDE_LEARNING_RATE = {"amos", "madgrad", "muown"}
# Settings at which the learning rate that comes with a direction stays as it is given.
WITHOUT_ITS_SCHEDULE = {"adamg": {"learning_rate": 1e-2}, "apollo": {"warmup_steps": 0}}
# The weight decays that one variant alone has.
OWN_DECAY_MODES = {
    "adafactor": "scaled",
    "focus": "average",
    "lamb": "inside",
    "novograd": "inside",
    "stable_adamw": "inside",
}

# Variants whose steps lead to a point that they keep, and so make up for the rounding of p.
RETURN_TO_A_POINT = {
    "lookahead_adam",
    "madgrad",
    "ranger",
    "schedule_free_adamw",
    "schedule_free_radam",
    "schedule_free_sgd",
}

# Variants that rotate gradients into eigenvectors, of which those of equal eigenvalues are any.
ROTATE = {"kl_shampoo", "kl_soap", "soap"}

# Variants that divide by norms, or by a norm of the gradient alone.
OF_NORMS = {"lamb", "novograd"}

# Variants that project directions whose gradients are at right angles to their weights.
ACROSS = {"adamp", "sgdp"}

VARIANTS = [
    (name, style)
    for name in adamjax.list_variants()
    for style in adamjax.get_variant(name).styles or [None]
]


class Trial(NamedTuple):
    """One setting: the arguments of the library and of the oracle, and the problem."""

    label: str
    arguments: dict
    oracle_arguments: dict
    problem: Callable
    ready_made: bool = True

    def optimizer(self, variant):
        """The library's optimizer, from a record of its registry."""
        estimates = {key: value for key, value in self.oracle_arguments.items() if key in FED}
        if self.ready_made:
            tx = variant.optimizer(**self.arguments)
            return fed(tx, **estimates) if estimates else tx
        lr = self.oracle_arguments["learning_rate"]
        lr = None if variant.name in INCLUDE_LEARNING_RATE else lr
        direction = variant.scale_by(**self.arguments)
        tx = optax.chain(direction, optax.scale(-1.0 if lr is None else -lr))
        return fed(tx, **estimates) if estimates else tx


@functools.cache
def trials(name, style):
    """Each adversarial setting, all numbers on schedules, and the defaults of both functions."""
    base = {} if style is None else {"style": style}
    if "layouts" in adamjax.get_variant(name).defaults:
        base["layouts"] = {"tensor*": "other"}
    lr = parameters(name)["learning_rate"].default
    of = square_problem if name in ROTATE else problem
    if (
        name in ROTATE and style == "nvidia"
    ):  # turns a gradient to its own basis, where it is 0 but for rounding
        of = partial(square_problem, scales=(1.0,))
    usual = problem_across if name in ACROSS else partial(of, 3)
    settings = [
        *((f"adversarial_{i}", adversarial_hparams(name, i), partial(of, i)) for i in range(5)),
        ("scheduled", scheduled(name), partial(of, 1)),
        ("default", {"learning_rate": 1e-2} if style == "bigvision" else {}, usual),
    ]
    if name in OWN_DECAY_MODES and name != "adafactor":
        own = scheduled(name) | {"decay_mode": OWN_DECAY_MODES[name]}
        settings.append(("own_decay", own, partial(of, 1)))
    rate = {"learning_rate": 1e-2 if lr is None else lr, "weight_decay": 0.0}
    alone = [("direction", {}, rate | WITHOUT_ITS_SCHEDULE.get(name, {}))]
    if adamjax.get_variant(name).scale_by is None:
        alone = []
    exact, told = {}, dict(FED) if name == "sophia" else {}
    if style == "nvidia":
        exact = told = {"eps": 0.1}
    if name in OF_NORMS:
        settings.append(("norms", {"learning_rate": 1e-2, "eps": 0.0}, problem_of_norms))
    if name in ACROSS:
        settings.append(("across", {"weight_decay": 0.1}, usual))
    if name == "apollo":
        still = {key: value for key, value in scheduled(name).items() if key != "init_lr"}
        settings.append(("from_a_share", still, partial(of, 1)))
    if name == "adafactor":
        # The momentum that Big Vision rounds to bfloat16 is compared in full.
        exact["mu_dtype"] = float
        settings.append(("large", {"learning_rate": 1e-2, "decay_rate": 4.0}, large_problem))
        relative = {"learning_rate": None}
        alone.append(("relative", relative, relative))
    return (
        [
            Trial(label, base | given | exact, base | given | told, data)
            for label, given, data in settings
        ]
        + [
            Trial(label, base | given | exact, base | same | told, usual, ready_made=False)
            for label, given, same in alone
        ]
        + by_name(name, base)
    )


def by_name(name, base):
    """By patterns on names, which the oracle knows as numbers of axes."""
    if name == "adam_mini":
        base = {"eps_root": 1e-4}
    known = {
        "adam_mini": (
            ({"kept": {"mat*": 0, "*t*x": (0, 1)}}, {"kept": {2: 0}}),
            ({"kept": {"mat*": 0, "*": (0, 1)}}, {"kept": {2: 0, 3: (0, 1)}}),
        ),
    }
    return [
        Trial(
            "by_name", *(adversarial_hparams(name, 0) | base | x for x in both), partial(problem, 0)
        )
        for both in known.get(name, ())
    ]


def parameters(name):
    """The arguments of a variant that have adversarial settings, or should have."""
    signature = inspect.signature(adamjax.get_variant(name).optimizer).parameters
    return {key: p for key, p in signature.items() if key not in OTHER}


def adversarial_hparams(name, column):
    chosen = {key: ADVERSARIAL_HPARAMS[key][column] for key in parameters(name)}
    if name in OWN_DECAY_MODES and column == 4:
        chosen["decay_mode"] = OWN_DECAY_MODES[name]
    return {key: value for key, value in chosen.items() if value is not None}


def scheduled(name):
    """Every number that may follow a schedule does, each its own."""
    may = [
        key
        for key, parameter in parameters(name).items()
        if parameter.annotation in (ScalarOrSchedule, ScalarOrSchedule | None)
    ]
    starts = [ADVERSARIAL_HPARAMS[key][0] or ADVERSARIAL_HPARAMS[key][3] for key in may]
    rates = 0.02 + 0.005 * np.arange(len(may))
    moving = dict(zip(may, map(falling, starts, rates), strict=True))
    beside = {key: 2e-2 for key in ("base_lr", "max_lr") if key in parameters(name)}
    return adversarial_hparams(name, 0) | moving | beside


def falling(value, rate):
    return lambda count: value * (1 - rate * count)


@functools.cache
def problem(turn):
    """Parameters, one nearly 0, and gradients over twelve powers of ten, some of which are 0."""
    random = np.random.default_rng(turn)
    params = {leaf: 0.5 * random.normal(size=shape) for leaf, shape in SHAPES.items()}
    params["scalar"] *= 1e-4
    spread = {
        leaf: SCALES[(turn + i) % len(SCALES)] * np.exp(random.normal(size=shape))
        for i, (leaf, shape) in enumerate(SHAPES.items())
    }
    grads = [
        {leaf: spread[leaf] * random.normal(size=shape) for leaf, shape in SHAPES.items()}
        for _ in range(STEPS)
    ]
    for t, gradient in enumerate(grads):
        gradient["vector"][-1] = 0.0
        gradient["matrix"][:, 1] *= t >= STEPS // 2
        gradient["tensor"][0] *= t % 3 == 0
    return params, grads


@functools.cache
def problem_across():
    """Gradients nearly at right angles to the weights: of neurons and, in turn, of leaves alone."""
    params, grads = problem(3)
    for t, gradient in enumerate(grads):
        for leaf, p in params.items():
            axes = tuple(range(p.ndim - (p.ndim > 1 and t % 2 == 0)))
            across = np.cos(np.arange(p.size) + t).reshape(p.shape)
            along = p / np.sqrt(np.sum(p**2, axes, keepdims=True))
            across = across - along * np.sum(across * along, axes, keepdims=True)
            # Angles right enough for a neuron but not for its leaf, and for neither.
            off = (0.03, 0.0, 0.05, 0.0)[t % 4] * np.sqrt(np.sum(across**2, axes, keepdims=True))
            gradient = gradient | {leaf: 1e-2 * (across + off * along)}
        grads = [*grads[:t], gradient, *grads[t + 1 :]]
    return params, grads


@functools.cache
def problem_of_norms():
    """Parameters that are long, or 0, and a leaf without a gradient at first."""
    params, grads = problem(0)
    long, still = {**params, "vector": np.zeros(5)}, {"matrix": 100.0, "tensor": 10.0}
    params = {leaf: still.get(leaf, 1.0) * p for leaf, p in long.items()}
    return params, [{**g, "scalar": g["scalar"] * (t > 2)} for t, g in enumerate(grads)]


@functools.cache
def square_problem(turn, scales=SCALES):
    """Gradients of full rank, of three sizes."""
    random = np.random.default_rng(turn)
    shapes = {"scalar": (), "vector": (5,), "matrix": (5, 5), "tensor": (2, 4, 4)}
    trees = [{leaf: random.normal(size=s) for leaf, s in shapes.items()} for _ in range(STEPS + 1)]
    sizes = {leaf: scales[(turn + i) % len(scales)] for i, leaf in enumerate(shapes)}
    return trees[0], [{leaf: sizes[leaf] * g for leaf, g in tree.items()} for tree in trees[1:]]


@functools.cache
def large_problem():
    """Leaves around the sizes from which Adafactor factors them."""
    random = np.random.default_rng(0)
    shapes = {"t5": (128, 2, 129), "below": (127, 128), "big": (32, 2, 33), "small": (31, 40)}
    trees = [{leaf: random.normal(size=s) for leaf, s in shapes.items()} for _ in range(8)]
    return trees[0], trees[1:]


def expected(name, params, grads, **arguments):
    """The oracle's steps. For each leaf, its longest step and the rounding error of p."""
    path = [params, *ORACLES[name](params, grads, **arguments)]
    steps = [
        {leaf: after[leaf] - before[leaf] for leaf in params}
        for before, after in itertools.pairwise(path)
    ]
    longest = {leaf: max(abs(step[leaf]).max() for step in steps) for leaf in params}
    hidden = {leaf: 1e-15 * max(abs(p[leaf]).max() for p in path) for leaf in params}
    return steps, longest, hidden


def taken(tx, params, grads, dtype):
    """The steps of the library, one at a time. TypeError if its state changes its form."""
    params = {leaf: jnp.asarray(p, dtype) for leaf, p in params.items()}
    state = tx.init(params)
    form = jax.tree.map(lambda x: (x.shape, x.dtype), state)
    for gradient in grads:
        gradient = {leaf: jnp.asarray(g, dtype) for leaf, g in gradient.items()}
        updates, state = tx.update(gradient, state, params)
        if jax.tree.map(lambda x: (x.shape, x.dtype), state) != form:
            raise TypeError("the state has another form after a step than before")
        params = optax.apply_updates(params, updates)
        yield updates


def error(updates, step, longest, hidden):
    """The largest error of a step, in units of the leaf's longest step. NaN counts as inf."""
    worst = 0.0
    for leaf, true in step.items():
        apart = abs(np.asarray(updates[leaf], np.float64) - true).max()
        if not apart <= hidden[leaf]:
            worst = max(worst, np.nan_to_num(apart / longest[leaf], nan=np.inf))
    return worst


def largest_error(name, trial, dtype):
    """The largest error of the library's steps against the oracle's, see `error`."""
    params, grads = trial.problem()
    params = {leaf: np.asarray(p, dtype) for leaf, p in params.items()}
    grads = [{leaf: np.asarray(g, dtype) for leaf, g in gradient.items()} for gradient in grads]
    steps, longest, hidden = expected(name, params, grads, **trial.oracle_arguments)
    if name in RETURN_TO_A_POINT and dtype == np.float32:
        hidden = {
            leaf: 8 * max(abs(p).max(), 1) * np.finfo(dtype).eps for leaf, p in params.items()
        }
    updates = taken(trial.optimizer(adamjax.get_variant(name)), params, grads, dtype)
    return max(error(u, step, longest, hidden) for u, step in zip(updates, steps, strict=True))
