"""Values of each argument under which a wrong rule shows; None where the default does."""

import numpy as np

# One column is one setting. With an eps below 1e-6 most mistakes are invisible.
HOSTILE = {
    "decay": ("decoupled", "independent", "l2", "proximal", "decoupled"),
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
    "b2_cap": (None, 0.6, 1.0, 0.9, 0.7),
    "eps1": (None, 0.0, 0.2, 0.03, 0.3),
    "eps2": (1e-3, 0.2, 2.0, 1e-3, 0.1),
    "clip_threshold": (None, 0.5, np.inf, 2.0, 0.8),
    "scale_parameter": (None, True, False, None, True),
    "min_dim_size_to_factor": (None, 1, 5, 2, 1),
}
