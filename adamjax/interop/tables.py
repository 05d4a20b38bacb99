"""Tables of the optimizers of torch, Keras and Optax, with the variants that equal them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class ForeignOptimizer(NamedTuple):
    """An optimizer of torch or Keras, and the variant here that equals it."""

    variant: str
    defaults: Mapping[str, Any]  # all its own arguments
    fixed: Mapping[str, Any] = {}  # arguments here that select its rule


ForeignTable = Mapping[str, ForeignOptimizer]


def _foreign(variant: str, fixed: Mapping[str, Any] = {}, **defaults: Any) -> ForeignOptimizer:
    return ForeignOptimizer(variant, defaults, fixed)


_L2 = {"decay_mode": "l2"}
_HAT = {"style": "keras"}
_TORCH = {"style": "torch"}
_NO_DECAY = {"weight_decay": 0.0}
_BETAS = {"betas": (0.9, 0.999), "eps": 1e-8}
_EITHER_DECAY = {**_NO_DECAY, "decoupled_weight_decay": False}
_KERAS_ADAM = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_KERAS_MUON = {"learning_rate": 1e-3, "weight_decay": 4e-3, "momentum": 0.95, "nesterov": True}
_KERAS_MUON |= {"ns_steps": 5, "muon_a": 3.4445, "muon_b": -4.775, "muon_c": 2.0315}
_KERAS_MUON |= {"rms_rate": 0.2, "exclude_layers": (), "exclude_embeddings": True}
_KERAS_MUON |= {"adam_beta_1": 0.9, "adam_beta_2": 0.999, "epsilon": 1e-7}
_KERAS_MUON |= {"adam_weight_decay": 4e-3, "adam_lr_ratio": 1.0}
_FACTORED = {"epsilon_1": 1e-30, "epsilon_2": 1e-3, "clip_threshold": 1.0}
_NEWTON_SCHULZ = {"ns_coefficients": (3.4445, -4.775, 2.0315), "eps": 1e-7, "ns_steps": 5}
_NEWTON_SCHULZ |= {"adjust_lr_fn": None}
TORCH = {
    "Adam": _foreign("adam", lr=1e-3, **_BETAS, amsgrad=False, **_EITHER_DECAY),
    # Its groups say that it is Adam with decoupled decay.
    "AdamW": _foreign(
        "adamw", lr=1e-3, **_BETAS, amsgrad=False, weight_decay=1e-2, decoupled_weight_decay=True
    ),
    "NAdam": _foreign("nadam", lr=2e-3, **_BETAS, momentum_decay=4e-3, **_EITHER_DECAY),
    "RAdam": _foreign("radam", lr=1e-3, **_BETAS, **_EITHER_DECAY),
    "Adamax": _foreign("adamax", _L2, lr=2e-3, **_BETAS, **_NO_DECAY),
    "SGD": _foreign("sgd", _L2, lr=1e-3, momentum=0.0, dampening=0.0, nesterov=False, **_NO_DECAY),
    "RMSprop": _foreign(
        "rmsprop", _L2, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0, centered=False, **_NO_DECAY
    ),
    "Adagrad": _foreign(
        "adagrad", _L2, lr=1e-2, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, **_NO_DECAY
    ),
    "Adadelta": _foreign("adadelta", _L2, lr=1.0, rho=0.9, eps=1e-6, **_NO_DECAY),
    "Adafactor": _foreign(
        "adafactor", _TORCH, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, **_NO_DECAY
    ),
    "Muon": _foreign(
        "muon", _TORCH, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, **_NEWTON_SCHULZ
    ),
}
KERAS = {
    "SGD": _foreign("sgd", learning_rate=1e-2, momentum=0.0, nesterov=False),
    "RMSprop": _foreign(
        "rmsprop", _HAT, learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False
    ),
    "Adam": _foreign("adam", _HAT, **_KERAS_ADAM, amsgrad=False),
    "AdamW": _foreign("adamw", _HAT, **_KERAS_ADAM, weight_decay=4e-3, amsgrad=False),
    "Adamax": _foreign("adamax", _HAT, **_KERAS_ADAM),
    "Nadam": _foreign("nadam", _HAT, **_KERAS_ADAM),
    "Adagrad": _foreign(
        "adagrad", _HAT, learning_rate=1e-3, initial_accumulator_value=0.1, epsilon=1e-7
    ),
    "Adadelta": _foreign("adadelta", learning_rate=1e-3, rho=0.95, epsilon=1e-7),
    "Adafactor": _foreign(
        "adafactor", learning_rate=1e-3, beta_2_decay=-0.8, **_FACTORED, relative_step=True
    ),
    "Lion": _foreign("lion", learning_rate=1e-3, beta_1=0.9, beta_2=0.99),
    "Muon": _foreign("muon", _HAT, **_KERAS_MUON),
}
# Arguments of every optimizer of the framework.
TORCH_COMMON = {"maximize": False}
KERAS_COMMON = {"weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None}
# Arguments that choose an implementation, or are only a name.
TORCH_IGNORED = {"foreach", "fused", "capturable", "differentiable"}
KERAS_IGNORED = {"name", "relative_step", "use_ema", "ema_momentum", "ema_overwrite_frequency"}
TORCH_REFUSED = {
    "ASGD": "use adamjax.sgd with adamjax.swa",
    "LBFGS": "use optax.lbfgs",
    "Rprop": "use optax.rprop",
    "SparseAdam": "use adamjax.adam in adamjax.lazy_rows",
}
KERAS_REFUSED = {
    "Ftrl": "neither adamjax nor Optax has it",
    "Lamb": "use adamjax.lamb(style=...), see `python -m adamjax show lamb`",
    "LossScaleOptimizer": "scale the loss and the gradients in the training step, and convert the "
    "optimizer inside, see adamjax.interop.keras.unwrap_loss_scale",
    "MultiOptimizer": "use optax.partition",
    "ScheduleFreeAdamW": "use adamjax.schedule_free_adamw",
}
# Arguments of Keras that are refused unless they are as by default.
KERAS_UNDONE = {
    "loss_scale_factor": "divide the gradients by it in the training step",
    "gradient_accumulation_steps": "wrap the optimizer in optax.MultiSteps",
}
# Keras and Optax keep learning rate times gradient in some momenta.
SCHEDULED_MOMENTUM = (
    "learning_rate is a schedule, and its momentum holds steps of former learning rates; take "
    "adamjax.{}, whose momentum does not, or no momentum"
)

# torch's names of the moments: those of Adam and its relatives, then those of other variants.
TORCH_ADAM_SLOTS = {"mu": "exp_avg", "nu": "exp_avg_sq", "nu_max": "max_exp_avg_sq"}
TORCH_SLOTS = {
    "adamax": {"mu": "exp_avg", "nu": "exp_inf"},
    "muon": {"mu": "momentum_buffer"},
    "sgd": {"mu": "momentum_buffer"},
    "rmsprop": {"nu": "square_avg", "mean": "grad_avg", "mu": "momentum_buffer"},
    "adagrad": {"nu": "sum"},
    "adadelta": {"nu": "square_avg", "delta": "acc_delta"},
}


class OptaxOptimizer(NamedTuple):
    """An optimizer of `optax` or `optax.contrib`, and how the variant of this name equals it."""

    name: str
    moments: Mapping[str, tuple[str, ...]] = {}  # the fields of Optax's states that may hold each
    fixed: Mapping[str, Any] = {}  # arguments here that select Optax's rule, with style="optax"
    required: Sequence[str] = ()  # arguments that must have their defaults
    roles: Mapping[str, str] = {}  # of the moments of Optax's own optimizer, for `adamjax.store`
    refused: str = ""  # why no variant equals it


def _in(state: str, **fields: str) -> dict[str, tuple[str, ...]]:
    return {here: (f"{state}.{there}",) for here, there in fields.items()}


_ADAM = _in("ScaleByAdamState", mu="mu", nu="nu")
_RMSPROP = _in("ScaleByRStdDevState", mean="mu") | _in("TraceState", mu="trace")
_RMSPROP["nu"] = ("ScaleByRmsState.nu", "ScaleByRStdDevState.nu")
_ADAN = _in("ScaleByAdanState", mu="m", change="v", nu="n", last="g")
_AMSGRAD = _in("ScaleByAmsgradState", mu="mu", nu="nu", nu_max="nu_max")
_DECOUPLED = {"decay_mode": "decoupled"}
_OPTAX_ROWS = (
    OptaxOptimizer("acprop", {}, _DECOUPLED),
    OptaxOptimizer("adabelief", _in("ScaleByBeliefState", mu="mu", nu="nu"), {}, ["nesterov"]),
    OptaxOptimizer("adadelta", _in("ScaleByAdaDeltaState", nu="e_g", delta="e_x"), _L2),
    OptaxOptimizer("adafactor", fixed={"decay_mode": "independent"}),
    OptaxOptimizer("adagrad", _in("ScaleByRssState", nu="sum_of_squares")),
    # Adam with Nesterov momentum is NAdam, and NAdam without it is Adam.
    OptaxOptimizer("adam", _ADAM),
    OptaxOptimizer("adamax", _ADAM),
    OptaxOptimizer("adamaxw", _ADAM),
    OptaxOptimizer("adamw", _ADAM),
    OptaxOptimizer("adan", _ADAN, _DECOUPLED),
    OptaxOptimizer("ademamix", _in("ScaleByAdemamixState", mu="m1", mu_slow="m2", nu="nu")),
    OptaxOptimizer(
        "adopt", required=["nesterov", "clip_value_fn"], roles={"mu": "signed", "nu": "square"}
    ),
    OptaxOptimizer("amsgrad", _AMSGRAD, {}, ["bias_correction_mu", "bias_correction_nu"]),
    OptaxOptimizer("lamb", _ADAM),
    OptaxOptimizer("lion", _in("ScaleByLionState", mu="mu")),
    OptaxOptimizer("madgrad", fixed=_L2),
    OptaxOptimizer("muon", refused="its matrices and its Adam have other arguments"),
    OptaxOptimizer("nadam", _ADAM),
    OptaxOptimizer("nadamw", _ADAM),
    OptaxOptimizer("novograd", _in("ScaleByNovogradState", mu="mu", nu="nu")),
    OptaxOptimizer(
        "prodigy",
        required=["safeguard_warmup"],
        roles={"exp_avg": "mean", "exp_avg_sq": "square"},
    ),
    OptaxOptimizer("radam", _ADAM, {}, ["nesterov"]),
    OptaxOptimizer("rmsprop", _RMSPROP, _DECOUPLED, ["nesterov", "bias_correction"]),
    OptaxOptimizer("schedule_free_adamw", required=["state_dtype"]),
    OptaxOptimizer("schedule_free_sgd", required=["state_dtype"]),
    OptaxOptimizer("sgd", _in("TraceState", mu="trace")),
    OptaxOptimizer("simplified_ademamix", _in("ScaleBySimplifiedAdEMAMixState", mu="m", nu="n")),
    OptaxOptimizer("sophia", refused="it estimates the Hessian itself, from `obj_fn`"),
    OptaxOptimizer("yogi", _ADAM),
)
OPTAX = {row.name: row for row in _OPTAX_ROWS}
