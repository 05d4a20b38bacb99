"""The readers of the variants around Adam, and of its ancestors."""

import math

from tests.reference import betas, reads


@reads("sgd", "sgd")
def sgd(given):
    return {"momentum": given.pop("momentum") or None, "nesterov": given.pop("nesterov")}


@reads("adagrad", "adagrad")
def adagrad(given):
    style = given.choose({("outside",): "torch", ("root",): "keras"}, "eps_mode")
    return {
        "style": style,
        "eps": given.pop("eps"),
        "initial_accumulator_value": given.pop("init"),
    }


@reads("rmsprop", "rmsprop")
def rmsprop(given):
    return adagrad(given) | {
        "b2": given.pop("alpha"),
        "momentum": given.pop("momentum") or None,
        "centered": given.pop("centered"),
    }


@reads("adadelta", "adadelta")
def adadelta(given):
    return {"b2": given.pop("rho"), "eps": given.pop("eps")}


@reads("adam", "adam")
@reads("adamw", "adamw")
def adam(given):
    forms = {
        ("outside", True): ("torch", "eps"),
        ("root", True): ("torch", "root"),
        ("hat", True): ("keras", "eps"),
        ("outside", False): ("mlx", "eps"),
        ("root", False): ("mlx", "root"),
    }
    return betas(given) | given.epsilon(forms, "eps_mode", "bias_correction")


@reads("adamax", "adamax")
@reads("adamaxw", "adamaxw")
def adamax(given):
    styles = {("in_gradient",): "torch", ("after_max",): "keras", ("in_decayed",): "paddle"}
    style = given.choose(styles, "eps_mode")
    return betas(given) | {"style": style, "eps": given.pop("eps")}


@reads("nadam", "nadam")
@reads("nadamw", "nadamw")
def nadam(given):
    styles = {
        ("dozat", "outside"): "torch",
        ("next", "outside"): "optax",
        ("same", "outside"): "mlcommons",
    }
    style = given.choose(styles, "schedule", "eps_mode")
    psi = given.pop("momentum_decay")
    return betas(given) | {"style": style, "eps": given.pop("eps"), "momentum_decay": psi}


@reads("amsgrad", "amsgrad", "amsgradw")
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


@reads("radam", "radam", "radamw")
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


@reads("adabound", "adabound", "amsbound")
def adabound(given):
    name = given.choose({(False,): "adabound", (True,): "amsbound"}, "amsbound")
    own = {key: given.pop(key) for key in ("eps", "final_lr", "gamma")}
    return betas(given) | own | {"name": name}


@reads("adafactor", "adafactor")
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
