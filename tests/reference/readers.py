"""The readers of the families: from recorded hyperparameters to arguments of the library."""

import math

from tests.reference import betas, plain, reads

EPS = "b1 b2 eps"
OUTSIDE, HAT = {"eps_mode": "outside"}, {"eps_mode": "hat"}

plain("adadelta", "b2=rho eps")
plain("adai", "b2 eps b0=b1")
plain("adam_atan2", "b1 b2 a b", ignored="eps eps_mode")
plain("adamg", "b1 b2 b3 eps p q")
plain("adamod", "b1 b2 b3 eps")
plain("adamp", "b1 b2 eps delta wd_ratio", OUTSIDE, out_axis=0)
plain("adopt adoptw", "b1 b2 eps clip_exponent")
plain("ano", EPS)
plain("apollo", "b1=beta eps init_lr warmup_steps=warmup", {"rebound": "constant"})
plain("came", "b1 b2 b3 eps1 eps2 clip_threshold")
plain("dadapt_adam", "b1 b2 eps d0 bias_correction")
plain("diffgrad", EPS, HAT)
plain("grokadamw", "b1 b2 b3=alpha eps lamb gamma clip_norm=clip", HAT)
plain("laprop", "b1 b2 eps amsgrad centered", OUTSIDE, style="author")
plain("lion", "b1 b2", {"cautious": None})
plain("madgrad", "momentum eps")
plain("prodigy", "b1 b2 eps d0 bias_correction d_coef")
plain("qhadam qhadamw", "b1 b2 eps nu1 nu2", OUTSIDE)
plain("simplified_ademamix", "b1 b2 alpha eps")
plain("sophia", "b1 b2 rho hessian_every hessian_share=batch_size")
plain("stable_adamw", EPS)
plain("tiger", "b1=beta")
plain(
    "ranger",
    "b1 b2 eps sync_period=k slow_step_size=alpha centralize threshold",
    HAT,
    out_axis=0,
)
ADABELIEF = {
    (True, False, "outside"): "author",
    (False, False, "outside"): "paper",
    (False, True, "outside"): "amsgrad",
}
plain("adabelief adabeliefw", EPS, styles=("rectify amsgrad eps_mode", ADABELIEF))
ADAMAX = {("in_gradient",): "torch", ("after_max",): "keras", ("in_decayed",): "paddle"}
for family in ("adamax", "adamaxw"):
    plain(family, EPS, styles=("eps_mode", ADAMAX))
ADAN = {("b2",): "author", ("one_minus_b2",): "optax"}
plain("adan", "b1 b2 b3 eps eps_root", styles=("difference_weight", ADAN))
C_ADAMW = {("hat",): "author", ("outside",): "timm"}
plain("c_adamw", EPS, {"cautious": "mean"}, ("eps_mode", C_ADAMW))
C_LION = {("count_plus_one",): "author", ("mean",): "timm"}
plain("c_lion", "b1 b2", styles=("cautious", C_LION))
GRAMS = {("hat",): "author", ("outside",): "pytorch_optimizer"}
plain("grams", EPS, styles=("eps_mode", GRAMS))
LOOKAHEAD = {("start",): "author", ("first_sync",): "timm"}
plain(
    "lookahead_adam",
    "b1 b2 eps sync_period=k slow_step_size=alpha",
    OUTSIDE,
    ("slow_init", LOOKAHEAD),
)
NADAM = {("dozat",): "torch", ("next",): "optax", ("same",): "mlcommons"}
for family in ("nadam", "nadamw"):
    plain(family, "b1 b2 eps momentum_decay", OUTSIDE, ("schedule", NADAM))
PADAM = {(True,): "author", (False,): "pytorch_optimizer"}
plain("padam", "b1 b2 eps partial", styles=("amsgrad", PADAM))
SGDP = {(True,): "author", (False,): "timm"}
plain(
    "sgdp",
    "momentum nesterov eps delta wd_ratio",
    styles=("overwrite_buffer", SGDP),
    out_axis=0,
)


@reads("acprop", "acprop")
def acprop(given):
    given.choose({("outside", False): None}, "eps_mode", "rectify")
    style = given.choose({("author",): "author", ("old_mean",): "optax"}, "style")
    arguments = given.take("b1 b2 eps")
    return arguments | {"style": style, "eps_root": arguments["eps"]}


@reads("sgd", "sgd")
def sgd(given):
    return {"momentum": given.pop("momentum") or None, "nesterov": given.pop("nesterov")}


@reads("adagrad", "adagrad")
def adagrad(given):
    style = given.choose({("outside",): "torch", ("root",): "keras"}, "eps_mode")
    start = given.pop("init")
    return {"style": style, "eps": given.pop("eps"), "initial_accumulator_value": start}


@reads("rmsprop", "rmsprop")
def rmsprop(given):
    return adagrad(given) | {
        "b2": given.pop("alpha"),
        "momentum": given.pop("momentum") or None,
        "centered": given.pop("centered"),
    }


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
    # A style fixes whether the threshold itself counts as above. The next number does the other.
    counts = arguments["style"] != "torch"
    inclusive, threshold = given.pop("inclusive"), given.pop("threshold")
    if inclusive != counts:
        threshold = math.nextafter(threshold, -math.inf if inclusive else math.inf)
    return arguments | {"threshold": threshold}


@reads("adabound", "adabound", "amsbound")
def adabound(given):
    name = given.choose({(False,): "adabound", (True,): "amsbound"}, "amsbound")
    return betas(given) | given.take("eps final_lr gamma") | {"name": name}


@reads("adafactor", "adafactor")
def adafactor(given):
    # The floors of eps1 are torch's, whose learning rate is the cap of the relative step.
    clip = given.pop("clip_threshold")
    return given.take("eps1 eps2 decay_rate b2_cap scale_parameter") | {
        "style": given.choose({("added",): "paper", ("clamp",): "torch"}, "eps1_mode"),
        "clip_threshold": math.inf if clip is None else clip,
        "momentum": given.pop("momentum") or None,
        "min_dim_size_to_factor": 1,
        "mu_dtype": float,
    }


@reads("adam_mini", "adam_mini")
def adam_mini(given):
    """The matrices of torch have the neurons first."""
    given.choose({("outside", "element"): None}, "eps_mode", "vector_block")
    axes = {("row",): 0, ("leaf",): (), ("element",): (0, 1)}
    return given.take("b1 b2 eps") | {
        "kept": given.choose(axes, "matrix_block"),
        "mask": given.choose({(False,): "W", (True,): None}, "vector_decay"),
    }


@reads("adashift", "adashift")
def adashift(given):
    # Those that say nothing of the start are of the PyTorch port.
    style = given.pop("style") if "style" in given else "port"
    return given.take("b1 b2 eps reduce window=keep_num") | {"style": style}


@reads("ademamix", "ademamix")
def ademamix(given):
    given.choose({("outside",): None}, "eps_mode")
    steps = given.pop("warmup")
    style = given.choose({(1,): "author", (0,): "optax"}, "warmup_start")
    own = {"b3_warmup": steps, "alpha_warmup": steps, "style": style}
    return given.take("b1 b2 b3 alpha eps") | own


class _ByAxes(tuple):
    """A function of the shape, equal to another one with the same values."""

    def __call__(self, shape):
        return dict(self)[len(shape)]


def mean_of_each_column(shape):
    return (1, *shape[1:])


@reads("amos", "amos")
def amos(given):
    """A matrix keeps a mean for each column, a vector one mean."""
    given.choose({(0.0,): None}, "extra_l2")
    scales = {1: given.pop("eta_vector"), 2: given.pop("eta_matrix")}
    own = {"eta_fn": _ByAxes(scales.items()), "shape_fn": mean_of_each_column}
    return given.take("c d b2=beta") | own


@reads("focus", "focus")
def focus(given):
    # The library's p - average at the first step is 0: there is no residue whose sign to take.
    given.choose({("zero",): None, ("residue",): None}, "first_step")
    return given.take("b1 b2 gamma")


@reads("grokfast_adamw", "grokfast")
def grokfast(given):
    given.choose({("outside",): None}, "eps_mode")
    window = given.pop("window")
    by_window = given.choose({("ema",): False, ("ma",): True}, "filter")
    return given.take("b1 b2 b3=alpha eps lamb") | {"window": window if by_window else None}


@reads("lamb", "lamb")
def lamb(given):
    given.choose({("outside", None): None}, "eps_mode", "max_grad_norm")
    cap = given.pop("norm_cap")
    style = given.choose({(True,): "paper", (False,): "torch_optimizer"}, "bias_correction")
    own = {"norm_cap": math.inf if cap is None else cap, "style": style}
    return given.take("b1 b2 eps") | own


@reads("mars_adamw", "mars")
def mars(given):
    given.choose({("outside",): None}, "eps_mode")
    forms = {
        ("adamw", "zero_previous"): {"name": "mars_adamw", "style": "author"},
        ("adamw", "no_difference"): {"name": "mars_adamw", "style": "timm"},
        ("lion", "zero_previous"): {"name": "mars_lion"},
    }
    own = given.choose(forms, "base", "first_step") | {"optimize_1d": True}
    arguments = given.take("b1 b2 eps gamma")
    if own["name"] == "mars_lion":  # its only average has b1
        del arguments["b2"]
    return arguments | own


@reads("novograd", "novograd")
def novograd(given):
    forms = {
        ("outside", "ema", False): ("paper", False),
        ("outside", "ema", True): ("paper", True),
        ("outside", "ema", "after_first"): ("tensorflow", True),
        ("root", "last", False): ("openseq2seq", False),
        ("root", "last", True): ("openseq2seq", True),
    }
    style, averaged = given.choose(forms, "eps_mode", "second_moment", "grad_averaging")
    return given.take("b1 b2 eps") | {"style": style, "grad_averaging": averaged}


@reads("schedule_free_adamw", "schedule_free")
def schedule_free(given):
    base = given.pop("base")
    styles = {
        ("author",): "author",
        ("paper",): "paper",
        ("uniform",): "keras",
        ("lagged",): "optax",
    }
    style = given.choose(styles, "style")
    given.choose({("at_y",): None}, "decay")
    given["decay"] = "decoupled"
    arguments = given.take("b1 b2 eps warmup_steps weight_lr_power r")
    if base == "adam":
        return arguments | {"style": style}
    if base == "sgd":
        return {k: arguments[k] for k in arguments.keys() - {"b2", "eps"}} | {
            "name": "schedule_free_sgd",
            "style": style,
        }
    if arguments.pop("warmup_steps"):
        raise ValueError("schedule_free: RAdam has no warm-up of its own")
    return arguments | {"name": f"schedule_free_{base}"}


@reads("soap", "soap")
def soap(given):
    """Those that do not say how they treat more axes are of matrices."""
    arguments = given.take("b1 b2 eps shampoo_beta precondition_frequency")
    if "merge_dims" not in given:
        return arguments
    merged = {(False,): "axes", (True,): "a b c d -> (a b) (c d)"}
    layouts = {"layouts": given.choose(merged, "merge_dims")}
    return arguments | layouts | given.take("normalize max_size=max_precond_dim")


@reads("kl_soap", "kl_soap", "kl_shampoo")
def kl_soap(given):
    given.choose({(0.1, 4000): None}, "init", "clamp")
    name = given.choose({("adam",): "kl_soap", ("none",): "kl_shampoo"}, "inner")
    arguments = given.take("b1 b2 eps shampoo_beta precondition_frequency")
    return arguments | {"name": name, "layouts": "axes"}


@reads("kl_soap", "kl_soap_h")
def kl_soap_h(given):
    given.choose({(0.1,): None}, "init")
    arguments = given.take("b1 b2 eps shampoo_beta precondition_frequency")
    return arguments | {"layouts": "axes", "style": "modded_nanogpt"}


@reads("kl_soap", "soap_nvidia", "kl_soap_nvidia", "rekls_nvidia")
def soap_nvidia(given):
    forms = {
        (False, False): {"name": "soap"},
        (True, False): {"solver": "qr"},
        (True, True): {"solver": "eigh"},
    }
    given.choose({(True,): None}, "correct_shampoo_beta")
    own = {"style": "nvidia", "precondition_frequency": 1}
    return given.take("b1 b2 eps shampoo_beta") | own | given.choose(forms, "kl", "eigh_always")


@reads("yogi", "yogi")
def yogi(given):
    style = given.choose({("hat",): "tensorflow", ("outside",): "optax"}, "eps_mode")
    start = given.pop("v0")
    given.choose({(start if style == "optax" else 0.0,): None}, "m0")
    return given.take("b1 b2 eps") | {"style": style, "initial_accumulator_value": start}
