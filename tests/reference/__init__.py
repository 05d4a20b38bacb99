"""Recorded trajectories: the optimizer that an entry of the index describes, and its replay.

An entry has a `variant`, whose first words are the family of the rule, and `hyperparameters`.
Nothing else counts, so that a trajectory recorded later, at other settings, needs no new code.
`readers.py` has the readers of the families, `matrices.py` those of matrix optimizers.
"""

import contextlib
import importlib
import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax
from adamjax.optimizer import DECAY_MODES
from tests.hessians import FED, fed

FAMILIES = {}
PLAIN = {2: "out in -> out in", 3: "stack out in -> stack out in"}
# The weight decays that one variant alone has.
OWN_DECAY_MODES = {
    "adafactor": {("decoupled_scaled",): "scaled"},
    "focus": {("toward_parameter_ema",): "average"},
    # Keras's ratio sees the decayed parameters, and is the shorter for it.
    "lamb": {("inside_trust",): "inside", ("decoupled",): "decoupled_after"},
    "sgdp": {("decoupled_over_one_minus_momentum",): "decoupled"},
    "muown": {("previous",): "decoupled", ("rows",): "decoupled_after"},
    "novograd": {("in_momentum",): "inside"},
    "stable_adamw": {("decoupled",): "inside"},
}


def make(entry, **overrides):
    """The optimizer that an entry describes. `overrides` replace arguments of the library.

    `stages` among the arguments are transformations between the rule and the learning rate, and
    `around` stands for `adamjax.optimizer`.

    Raises:
      ValueError: for an unknown variant, and for a hyperparameter or a value of one that the
        library has no argument for.
    """
    name, arguments = resolve(entry)
    estimates = {key: arguments.pop(key) for key in FED if key in arguments}
    stages, around = arguments.pop("stages", []), arguments.pop("around", adamjax.optimizer)
    arguments |= overrides
    if not stages and around is adamjax.optimizer:
        tx = adamjax.create(name, **arguments)
        return fed(tx, **estimates) if estimates else tx
    scale_by = adamjax.get_variant(name).scale_by
    own = inspect.signature(scale_by).parameters.keys() & arguments.keys()
    rule = scale_by(**{key: arguments.pop(key) for key in own})
    return around(optax.chain(rule, *stages), **arguments)


def resolve(entry):
    """The library's name and arguments for an entry."""
    variant = entry["variant"]
    name, read = FAMILIES[family_of(variant)]
    given = Given(variant, entry["hyperparameters"])
    rate = given.pop("lr")
    arguments = {"learning_rate": on_schedule(rate), **read(given)}
    arguments |= ball(given, rate) if "ball_eps" in given else coupling(given, name)
    if given:
        raise ValueError(f"{variant}: unknown hyperparameter {', '.join(map(repr, given))}")
    return arguments.pop("name", name), arguments


def family_of(variant):
    """The longest family that the variant's name begins with."""
    words = variant.split("_")
    for n in range(len(words), 0, -1):
        if "_".join(words[:n]) in FAMILIES:
            return "_".join(words[:n])
    raise ValueError(f"variant {variant!r}: there is no family {words[0]!r}")


def reads(name, *families):
    """Lists a function as the reader of these families' hyperparameters.

    It takes them from a `Given` and returns arguments of the library's variant `name`.
    """

    def enlist(read):
        FAMILIES.update(dict.fromkeys(families, (name, read)))
        return read

    return enlist


def plain(families, names, expected=None, styles=None, *, ignored="", **own):
    """Lists the reader of hyperparameters that the library has under the same or another name.

    Args:
      families: the families. The first is the library's variant.
      names: the arguments, as `Given.take` wants them.
      expected: hyperparameters that have one value alone.
      styles: the names of hyperparameters, and which style their values stand for.
      ignored: hyperparameters that the rule does not have.
      own: arguments that are the same for each trajectory.
    """
    name, *_ = families = families.split()

    def read(given):
        for key, value in (expected or {}).items():
            given.choose({(value,): None}, key)
        for key in ignored.split():
            given.pop(key)
        if styles:
            own["style"] = given.choose(styles[1], *styles[0].split())
        return given.take(names) | own

    reads(name, *families)(read)


class Given(dict):
    """The hyperparameters that have not been used yet."""

    def __init__(self, variant, hyperparameters):
        super().__init__(hyperparameters)
        self.variant = variant

    def pop(self, name):
        if name not in self:
            raise ValueError(f"{self.variant}: hyperparameter {name!r} is missing")
        return super().pop(name)

    def take(self, names):
        """Arguments by name. `b2=rho` is the library's b2, recorded as rho."""
        pairs = [name.partition("=") for name in names.split()]
        return {ours: self.pop(theirs or ours) for ours, _, theirs in pairs}

    def choose(self, options, *names):
        """The meaning of the values of these hyperparameters together."""
        values = tuple(self.pop(name) for name in names)
        if values not in options:
            settings = ", ".join(f"{n}={v!r}" for n, v in zip(names, values, strict=True))
            raise ValueError(f"{self.variant}: there is no form with {settings}")
        return options[values]

    def epsilon(self, forms, *names):
        """The arguments of a form: style, and eps where that form has it."""
        style, place = self.choose(forms, *names)
        eps = self.pop("eps")
        root = {"eps": 0.0, "eps_root": eps}
        return {"style": style} | (root if place == "root" else {"eps": eps})


def coupling(given, name):
    """The arguments of weight decay."""
    if given.get("decay") == "corrected":
        given |= {
            "decay": "lr_squared",
            "weight_decay": given["weight_decay"] / given.pop("max_lr"),
        }
    forms = {(word,): word for word in DECAY_MODES} | OWN_DECAY_MODES.get(name, {})
    if given.get("decay") == "none":
        given |= {"decay": "decoupled", "weight_decay": 0.0}
    return {"decay_mode": given.choose(forms, "decay"), "weight_decay": given.pop("weight_decay")}


def ball(given, rate):
    """The arguments of `adamjax.hyperball`, with one sphere for each matrix of a stack."""
    for name in ("ball_eps", "per_layer"):
        given.pop(name)
    radius = given.pop("radius")
    around = partial(
        adamjax.hyperball,
        radius=None if radius == "current" else radius,
        layouts=lambda params: jax.tree.map(lambda p: PLAIN[p.ndim], params),
    )
    decay = coupling(given, None) if "decay" in given else {"weight_decay": 0.0}
    # Decay before the step only makes the angle larger.
    return {"around": around, "learning_rate": rate / (1 - rate * decay["weight_decay"])}


def on_schedule(rate):
    """A learning rate, or a schedule of those of all steps."""
    return (lambda count: jnp.asarray(rate)[count]) if isinstance(rate, list) else rate


def betas(given):
    return given.take("b1 b2")


def replay(tx, trajectory, dtype):
    """The parameters before and after each step, by leaf, when a trajectory's gradients are fed.

    Args:
      tx: the optimizer.
      trajectory: arrays `params_X` (steps + 1, …), of which row 0 counts, and `grads_X` (steps, …).
      dtype: of parameters and gradients, "float32" or "float64".
    """
    with precision(dtype):
        start = {leaf: jnp.asarray(rows[0], dtype) for leaf, rows in _leaves(trajectory, "params")}
        grads = {leaf: jnp.asarray(rows, dtype) for leaf, rows in _leaves(trajectory, "grads")}
        path = jax.jit(lambda params, grads: _walk(tx, params, grads))(start, grads)
        return {
            leaf: np.concatenate([np.asarray(start[leaf])[None], np.asarray(rows)])
            for leaf, rows in path.items()
        }


def _leaves(trajectory, kind):
    keys = [key for key in trajectory if key.startswith(f"{kind}_")]
    return [(key.removeprefix(f"{kind}_"), trajectory[key]) for key in keys]


def _walk(tx, params, grads):
    def step(carry, gradient):
        params, state = carry
        updates, state = tx.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    return jax.lax.scan(step, (params, tx.init(params)), grads)[1]


@contextlib.contextmanager
def precision(dtype):
    """JAX with float64 or without it, as this dtype needs, and afterwards as it was."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", np.dtype(dtype) == np.float64)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


for module in ("matrices", "readers"):
    importlib.import_module(f"{__name__}.{module}")
