"""The readers of matrix optimizers: layouts, Newton-Schulz iterations, shape factors."""

import math

import jax
import jax.numpy as jnp
import optax

from adamjax.matrices.polar import resolve
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.variants.normuon import row_moment
from tests.reference import PLAIN, reads

STYLES = {("ema",): "author", ("ema_debiased",): "optax", ("sum",): "keras"}
SCALES = {
    ("rows_over_columns",): "aspect",
    ("columns_over_rows",): "aspect",
    ("match_rms",): "rms",
    ("rms_to_rms",): "rms_to_rms",
    ("spectral",): "spectral",
    ("none",): "none",
}


class ByShape:
    """A function of the shape for each leaf. Equal settings make equal functions."""

    def __init__(self, function):
        self.function = function

    def __call__(self, params):
        return jax.tree.map(lambda p: self.function(p.shape), params)

    def stage(self):
        """The transformation that multiplies updates by the values."""
        return optax.stateless(
            lambda updates, _: jax.tree.map(lambda u, k: k * u, updates, self(updates))
        )


def layouts(given):
    """The layouts of an entry, which is without one for matrices and stacks of them."""
    kind = given.pop("layout") if "layout" in given else None
    if kind == "heads":
        return f"(heads={given.pop('num_heads')} dim) in -> heads dim in"
    if kind == "rows":
        return f"out={'+'.join(map(str, given.pop('split_sizes')))} in -> out in"
    if kind == "interleaved":
        return f"(out gate={given.pop('stride')}) in -> gate out in"
    if kind == "axes":
        axes = map(tuple, (given.pop("reduction"), given.pop("output")))
        return optax.contrib.MuonDimensionNumbers(*axes)
    if kind is None:
        return ByShape(lambda shape: PLAIN[len(shape)])
    return {"flatten": "out in h w -> out (in h w)", "batched": "out in h w -> h w out in"}[kind]


def iteration(given):
    """The coefficients of Newton-Schulz with their normalization, and the layouts."""
    for name in ("coefficients", "ns_steps", "ns_extend"):  # ns_coefficients has them all
        given.pop(name)
    settings = {name: given.pop("ns_" + name) for name in ("eps", "eps_mode", "safety")}
    record = resolve(given.pop("ns_coefficients"))._replace(**settings)
    return {"coefficients": record, "layouts": layouts(given)}


def factors(given):
    """The shape factor, and factors that only one implementation has."""
    extra = given.pop("extra_scale")
    stages = [] if extra == 1 else [optax.scale(extra)]
    if "normalize_space" in given and given.pop("normalize_space"):
        stages.append(ByShape(lambda shape: 1 / math.sqrt(math.prod(shape[2:]))).stage())
    if "scale_shape" in given and given.choose({("leaf",): True}, "scale_shape"):
        given.choose({("rows_over_columns",): None}, "scale")
        stages.append(ByShape(lambda shape: max(1, shape[-2] / shape[-1]) ** 0.5).stage())
        given["scale"] = "none"
    return {"scale": given.choose(SCALES, "scale"), "stages": stages}


@reads("muon", "muon")
def muon(given):
    if "ns_coefficients" not in given:  # one matrix, and the defaults of a style
        outputs_last = given["scale"] == "columns_over_rows"
        own = {"layouts": "in out -> out in" if outputs_last else "out in -> out in"}
        own |= {"scale": given.choose(SCALES, "scale"), "ns_eps": 1e-7}
    else:
        own = given.take("nesterov") | iteration(given) | factors(given)
    return given.take("momentum") | {"style": given.choose(STYLES, "style")} | own


@reads("normuon", "normuon")
def normuon(given):
    own = given.take("momentum nesterov muon_b2=b2 muon_eps=moment_eps")
    given.choose({(False,): None}, "scale_first")
    styles = {
        ("ema", "columns", "add", "add"): "author",
        ("sum", "columns", "add", "clamp"): "dion",
        ("ema", "longer", "clamp", "clamp"): "nvidia",  # moments along the longer axis
    }
    style = given.choose(styles, "style", "mean_axis", "moment_eps_mode", "restore")
    own |= {"style": style} | iteration(given)
    if "scale_shape" not in given:
        return own | factors(given)
    # The authors' code flattens a convolution for the iteration alone.
    given.choose({("leaf", 1.0): None}, "scale_shape", "extra_scale")
    moment = row_moment(style, own.pop("muon_b2"), own.pop("muon_eps"))
    moment = moment(given.choose(SCALES, "scale"))
    stages = [partition_matrices(moment, optax.identity(), "i j out in -> i j out in")]
    return own | {"name": "muon", "scale": "none", "stages": stages}


@reads("normuon", "normuonh")
def normuonh(given):
    """On a sphere no scale of a matrix has an effect."""
    form = ("ema", "longer", "clamp", None, True, True)
    names = "style mean_axis moment_eps_mode restore scale_first hyperball"
    given.choose({form: None}, *names.split())
    given.pop("scale")
    own = given.take("momentum nesterov muon_b2=b2 muon_eps=moment_eps") | iteration(given)
    return own | {"style": "nvidia", "scale": "none"}


@reads("adamuon", "adamuon")
def adamuon(given):
    own = given.take("momentum nesterov muon_eps=eps") | iteration(given)
    own["muon_b2"] = given.pop("b2") if "b2" in given else None
    given.choose({("ema",): None}, "style")
    styles = {
        (True, False, "norm"): "author",
        (False, False, "norm"): "timm",
        (False, True, "scale"): "timm",
        (False, False, "scale"): "nvidia",
    }
    by_norm = given["final"] == "norm"
    own["style"] = given.choose(styles, "sign_first", "debias", "final")
    return own if by_norm else own | factors(given)


@reads("scion", "scion")
def scion(given):
    """Its momentum is the weight of the gradient."""
    given |= {"decay": "decoupled", "weight_decay": float(given.pop("constrained"))}
    own = {"momentum": 1 - given.pop("momentum"), "radius": given.pop("radius")}
    ball = given.pop("ball")
    if ball == "rms":
        return own | {"other_norm": ball, "other_radius": own["radius"]}
    if ball == "spectral":
        norms = {(True, False): "spectral", (True, True): "spectral_max"}
        own["norm"] = given.choose(norms, "normalized", "at_least_one")
        return own | iteration(given)
    if ball == "spectral_conv":
        stage = ByShape(lambda shape: 1 / shape[-1]).stage()  # of square kernels
        own |= {"layouts": "out in h w -> out (in h w)", "stages": [stage]}
        return iteration(given) | own
    given.choose({(True,): None}, "normalized")
    transposed = given.pop("transpose") if "transpose" in given else False
    layout = "in out -> out in" if transposed else "out in -> out in"
    return own | {"norm": ball, "layouts": layout}


@reads("muown", "muown")
def muown(given):
    own = given.take("momentum nesterov b1 b2 eps") | iteration(given)
    own["style"] = given.choose({("sum",): "author", ("ema",): "nvidia"}, "style")
    forms = {("match_rms", 1.0): "rms", ("spectral", 1.0): "spectral", ("spectral", 0.2): "rms"}
    own["scale"] = given.choose(forms, "scale", "extra_scale")
    if "row_norm_schedule" in given:
        total, target, power = given.pop("row_norm_schedule")

        def norm_fn(start, count):
            share = jnp.maximum(count - 1, 0) / (total - 1)
            return start + share**power * (target - start)

        own["norm_fn"] = norm_fn
    return own


@reads("muon", "muonh")
def muonh(given):
    own = given.take("momentum nesterov") | iteration(given) | {"scale": "none"}
    return own | {"style": given.choose(STYLES, "style")}


@reads("adam", "adamw_cautious", "adamh")
def adam(given):
    return given.take("b1 b2 eps")


@reads("adamc", "adamc")
def adamc(given):
    given.choose({("corrected",): None}, "decay")
    given["decay"] = "decoupled"
    return given.take("b1 b2 eps max_lr")


@reads("lion", "lion_cautious", "lion_corrected")
def lion(given):
    return given.take("b1 b2")


@reads("sgd", "sgdw")
def sgdw(given):
    return given.take("momentum nesterov")
