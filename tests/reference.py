"""Recorded trajectories: the optimizer that an entry of the index describes, and its replay.

An entry has a `variant`, whose first word is the family of the rule, and `hyperparameters`. Nothing
else counts, so that a trajectory recorded later, at other settings, needs no new code.
"""

import contextlib
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamjax


def make(entry, **overrides):
    """The optimizer that an entry describes; `overrides` replace arguments of the library.

    Raises:
      ValueError: for an unknown variant, and for a hyperparameter or a value of one that the
        library has no argument for.
    """
    name, arguments = resolve(entry)
    return adamjax.create(name, **arguments | overrides)


def resolve(entry):
    """The library's name and arguments for an entry."""
    variant = entry["variant"]
    family = variant.split("_")[0]
    if family not in FAMILIES:
        raise ValueError(f"variant {variant!r}: there is no family {family!r}")
    name, read = FAMILIES[family]
    given = Given(variant, entry["hyperparameters"])
    arguments = {"learning_rate": given.pop("lr"), **read(given), **coupling(given, name)}
    if given:
        raise ValueError(f"{variant}: unknown hyperparameter {', '.join(map(repr, given))}")
    return arguments.pop("name", name), arguments


class Given(dict):
    """The hyperparameters that have not been used yet."""

    def __init__(self, variant, hyperparameters):
        super().__init__(hyperparameters)
        self.variant = variant

    def pop(self, name):
        if name not in self:
            raise ValueError(f"{self.variant}: hyperparameter {name!r} is missing")
        return super().pop(name)

    def choose(self, options, *names):
        """What the values of these hyperparameters together stand for."""
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
    forms = {(word,): word for word in ("decoupled", "independent", "l2", "proximal")}
    if name == "adafactor":
        forms["decoupled_scaled",] = "scaled"
    if given.get("decay") == "none":
        given |= {"decay": "decoupled", "weight_decay": 0.0}
    return {"decay": given.choose(forms, "decay"), "weight_decay": given.pop("weight_decay")}


def betas(given):
    return {"b1": given.pop("b1"), "b2": given.pop("b2")}


def sgd(given):
    return {"momentum": given.pop("momentum") or None, "nesterov": given.pop("nesterov")}


def adagrad(given):
    style = given.choose({("outside",): "torch", ("root",): "keras"}, "eps_mode")
    return {
        "style": style,
        "eps": given.pop("eps"),
        "initial_accumulator_value": given.pop("init"),
    }


def rmsprop(given):
    return adagrad(given) | {
        "b2": given.pop("alpha"),
        "momentum": given.pop("momentum") or None,
        "centered": given.pop("centered"),
    }


def adadelta(given):
    return {"b2": given.pop("rho"), "eps": given.pop("eps")}


def adam(given):
    forms = {
        ("outside", True): ("torch", "eps"),
        ("root", True): ("torch", "root"),
        ("hat", True): ("keras", "eps"),
        ("outside", False): ("mlx", "eps"),
        ("root", False): ("mlx", "root"),
    }
    return betas(given) | given.epsilon(forms, "eps_mode", "bias_correction")


def adamax(given):
    styles = {("in_gradient",): "torch", ("after_max",): "keras", ("in_decayed",): "paddle"}
    style = given.choose(styles, "eps_mode")
    return betas(given) | {"style": style, "eps": given.pop("eps")}


def nadam(given):
    styles = {
        ("dozat", "outside"): "torch",
        ("next", "outside"): "optax",
        ("same", "outside"): "mlcommons",
    }
    style = given.choose(styles, "schedule", "eps_mode")
    psi = given.pop("momentum_decay")
    return betas(given) | {"style": style, "eps": given.pop("eps"), "momentum_decay": psi}


def amsgrad(given):
    forms = {
        ("max_raw", "outside"): ("torch", "eps"),
        ("max_raw", "root"): ("torch", "root"),
        ("max_raw", "hat"): ("keras", "eps"),
        ("max_debiased", "outside"): ("optax", "eps"),
        ("max_debiased", "root"): ("optax", "root"),
        ("paper", "outside"): ("paper", "eps"),
        ("paper", "root"): ("paper", "root"),
    }
    return betas(given) | given.epsilon(forms, "style", "eps_mode")


def radam(given):
    forms = {
        ("hat", "momentum"): ("torch", "eps"),
        ("outside", "momentum"): ("optax", "eps"),
        ("root", "momentum"): ("optax", "root"),
        ("hat", "none"): ("author", "eps"),
    }
    arguments = betas(given) | given.epsilon(forms, "eps_mode", "below")
    # Whether a style counts the threshold itself as above is fixed; the next number does the other.
    counts = arguments["style"] != "torch"
    inclusive, threshold = given.pop("inclusive"), given.pop("threshold")
    if inclusive != counts:
        threshold = math.nextafter(threshold, -math.inf if inclusive else math.inf)
    return arguments | {"threshold": threshold}


def adabound(given):
    name = given.choose({(False,): "adabound", (True,): "amsbound"}, "amsbound")
    own = {key: given.pop(key) for key in ("eps", "final_lr", "gamma")}
    return betas(given) | own | {"name": name}


def adafactor(given):
    # The floors of eps1 are torch's, whose learning rate is the cap of the relative step.
    own = ("eps1", "eps2", "decay_rate", "b2_cap", "scale_parameter")
    clip = given.pop("clip_threshold")
    return {key: given.pop(key) for key in own} | {
        "style": given.choose({("added",): "paper", ("clamp",): "torch"}, "eps1_mode"),
        "clip_threshold": math.inf if clip is None else clip,
        "momentum": given.pop("momentum") or None,
        "min_dim_size_to_factor": 1,
        "mu_dtype": float,
    }


FAMILIES = {
    "sgd": ("sgd", sgd),
    "adagrad": ("adagrad", adagrad),
    "rmsprop": ("rmsprop", rmsprop),
    "adadelta": ("adadelta", adadelta),
    "adam": ("adam", adam),
    "adamw": ("adamw", adam),
    "adamax": ("adamax", adamax),
    "adamaxw": ("adamaxw", adamax),
    "nadam": ("nadam", nadam),
    "nadamw": ("nadamw", nadam),
    "amsgrad": ("amsgrad", amsgrad),
    "amsgradw": ("amsgrad", amsgrad),
    "radam": ("radam", radam),
    "radamw": ("radam", radam),
    "adabound": ("adabound", adabound),
    "amsbound": ("adabound", adabound),
    "adafactor": ("adafactor", adafactor),
}


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
