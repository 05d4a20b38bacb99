"""Values of each argument: under which a wrong rule shows, and which every format holds exactly."""

import jax.numpy as jnp
import numpy as np

# One column is one setting; None is the default. With an eps below 1e-6 most mistakes do not show.
ADVERSARIAL_HPARAMS = {
    "decay_mode": ("decoupled", "independent", "l2", "proximal", "decoupled"),
    "weight_decay": (0.1, 0.01, 0.1, 1.0, 0.3),
    "learning_rate": (1e-2, 1e-2, 1e-2, 0.5, 2e-2),
    "b1": (0.9, 0.5, 0.0, 0.95, 0.8),
    "b2": (0.99, 0.75, 0.9, 0.6, 0.95),
    "eps": (1e-3, 0.0, 1e-2, 1e-3, 0.1),
    "eps_root": (0.0, 0.0, 1e-4, 1e-2, 0.1),
    "momentum": (0.9, 0.5, None, 0.99, None),
    "nesterov": (False, True, False, True, False),
    "centered": (False, True, False, True, True),
    "initial_accumulator_value": (0.1, 0.0, 0.0, 1.0, 0.5),
    "momentum_decay": (0.1, 0.004, 1.0, 0.5, 2.0),
    "threshold": (5.0, 4.0, 6.0, 4.5, 5.0),
    "final_lr": (0.1, 1e-3, 1.0, 0.02, 0.1),
    "gamma": (1e-3, 0.1, 1.0, 0.3, 0.1),
    "base_lr": (None, 2e-2, None, 0.25, None),
    "decay_rate": (0.8, 0.5, 1.0, 0.7, 0.9),
    "decay_offset": (0, 0.5, 0.0, 0.25, 0.9),
    "b2_cap": (None, 0.6, 1.0, 0.9, 0.7),
    "eps1": (None, 0.0, 0.2, 0.03, 0.3),
    "eps2": (1e-3, 0.2, 2.0, 1e-3, 0.1),
    "clip_threshold": (None, 0.5, np.inf, 2.0, 0.8),
    "scale_parameter": (None, True, False, None, True),
    "min_dim_size_to_factor": (None, 1, 5, 2, 1),
    "partial": (0.125, 0.5, 0.25, 0.0, 0.4),
    "b3": (0.99, 0.5, 0.25, 0.9, 0.75),
    "nu1": (0.7, 0.0, 1.0, 0.5, 1.25),
    "nu2": (1.0, 0.875, 0.5, 0.0, 0.7),
    "amsgrad": (False, True, True, False, True),
    "a": (1.27, 1.0, 0.5, 2.0, 1.0),
    "b": (1.0, 0.5, 2.0, 0.0, 0.3),
    "clip_exponent": (0.25, None, 0.5, 0.1, 0.0),
    "alpha": (5.0, 1.0, 0.0, 2.0, 0.5),
    "b3_warmup": (8, None, 5, 20, 1),
    "alpha_warmup": (8, 6, None, 3, 20),
    "rho": (0.04, 0.5, 1.0, 2.0, 0.1),
    "lamb": (2.0, 0.5, 5.0, 1.0, 0.25),
    "window": (None, 3, None, 1, 5),
    "sync_period": (5, 2, 3, 1, 4),
    "clip_norm": (1.0, 0.0, 0.1, 10.0, jnp.zeros([])),
    "d0": (1e-3, 0.1, 1.0, 0.05, 0.01),
    "d_coef": (3e3, 2.0, 0.5, 10.0, 1.0),
    "bias_correction": (False, True, True, False, True),
    "shampoo_beta": (None, 0.9, 0.5, 0.99, 0.8),
    "precondition_frequency": (2, 1, 3, 5, 2),
    "max_size": (None, 5, None, 4, None),
    "normalize": (False, True, False, False, True),
    "solver": ("qr", "eigh", "qr", "qr", "eigh"),
    "ns_steps": (5, 3, 1, 2, 4),
    "ns_eps": (None, 1e-3, 0.0, 0.1, 1e-2),
    "coefficients": (
        "jordan",
        ((2.0, -1.5, 0.5),),
        "jordan",
        ((3.0, -3.0, 1.0), (2.0, -1.5, 0.5)),
        "jordan",
    ),
    "layouts": (
        {"tensor*": "other"},
        {"matrix": "out in -> out in", "tensor*": "other"},
        {"tensor*": "stack out in -> stack out in"},
        {"matrix": "other", "tensor*": "stack in out -> stack out in"},
        {"tensor*": "other"},
    ),
    "scale": (None, "rms", "spectral", "aspect", "rms_to_rms"),
    "adam_scale": (0.015, 1.0, 0.5, 2.0, 0.1),
    "slow_step_size": (0.8, 0.5, 0.25, 1.5, 0.0),
    "centralize": (True, True, False, True, False),
    "out_axis": (-1, -2, -1, -1, -2),
    "warmup_steps": (4, None, 8, 5, 20),
    "weight_lr_power": (1.0, 0.5, 0.0, None, 3.0),
    "r": (0.0, 1.0, 0.5, 0.0, 2.0),
    "optimize_1d": (False, True, True, False, True),
    "b1_1d": (0.8, 0.3, 0.95, 0.0, 0.7),
    "b2_1d": (0.9, 0.99, 0.5, 0.8, 0.6),
    "c": (0.25, 1.0, 0.0, 4.0, 0.5),
    "d": (0.25, 0.5, 2.0, 0.0, 8.0),
    "p": (0.2, 1.0, 0.5, 2.0, 0.0),
    "q": (0.24, 0.0, 0.5, 1.0, 0.1),
    "init_lr": (1e-5, None, 1e-2, None, 2e-2),
    "eta_fn": (lambda shape: 0.5, None, lambda shape: 2.0 + len(shape), None, lambda shape: 0.1),
    "shape_fn": (lambda s: s[:-1] + (1,) * bool(s), None, None, lambda s: (1,) * len(s), None),
    "grad_averaging": (False, True, True, False, True),
    "norm_cap": (None, 1.0, np.inf, 0.5, 2.0),
    "kept": (0, (0, 1), (), (0, -1), -2),
    "b0": (0.1, 0.5, 4.0, 0.05, 1.0),
    "reduce": ("max", "none", "max", "none", "max"),
    "delta": (0.1, 1e9, 1.0, 0.0, 0.5),
    "wd_ratio": (0.1, 0.5, 0.0, 1.0, 0.25),
    "max_lr": (None, 2e-2, None, 0.25, 1.0),
}

# Of each row the first number that counts, rounded to what every format of floating-point number
# holds exactly; and some whose differences and ratios are exact as well.
VALUES = {
    name: float(jnp.bfloat16(next(filter(np.isfinite, numbers))))
    for name, row in ADVERSARIAL_HPARAMS.items()
    if (numbers := [x for x in row if type(x) is float and x])
} | {"learning_rate": 0.5, "weight_decay": 0.25, "momentum": 0.75, "init_lr": 0.125}
# Arguments that decide on something other than a size: no number with a sign.
NOT_SIGNED = {
    *("amsgrad", "bias_correction", "centered", "centralize", "decay_mode", "eta_fn"),
    "grad_averaging",
    *("coefficients", "kept", "mask", "min_dim_size_to_factor", "mu_dtype", "nesterov", "nu_dtype"),
    *("optimize_1d", "out_axis", "param_rounding", "reduce", "scale", "scale_parameter"),
    *("layouts", "normalize", "ns_dtype", "solver", "shape_fn", "storage", "style", "wire_dtype"),
}
# Arguments that are no scalar of the rule: they decide what is computed, not with which numbers.
STRUCTURE = NOT_SIGNED | {
    *("alpha_warmup", "b3_warmup", "base_lr", "clip_norm", "d0", "delta", "max_lr", "max_size"),
    *("initial_accumulator_value", "norm_cap", "ns_eps", "ns_steps", "precondition_frequency"),
    *("r", "sync_period", "warmup_steps", "wd_ratio", "weight_lr_power", "window"),
}
