"""`optax.contrib` with low-precision optimizer state, see `adamjax.optax`."""

# Written by scripts/stubs.py.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import optax
from jax.typing import ArrayLike, DTypeLike

from adamjax.trees import Mask

from optax.contrib import COCOBState as COCOBState
from optax.contrib import DAdaptAdamWState as DAdaptAdamWState
from optax.contrib import DifferentiallyPrivateAggregateState as DifferentiallyPrivateAggregateState
from optax.contrib import DoGState as DoGState
from optax.contrib import DoWGState as DoWGState
from optax.contrib import GaLoreDimensionNumbers as GaLoreDimensionNumbers
from optax.contrib import GaLoreState as GaLoreState
from optax.contrib import HutchinsonState as HutchinsonState
from optax.contrib import MadgradState as MadgradState
from optax.contrib import MechanicState as MechanicState
from optax.contrib import MomoAdamState as MomoAdamState
from optax.contrib import MomoState as MomoState
from optax.contrib import MuonDimensionNumbers as MuonDimensionNumbers
from optax.contrib import MuonState as MuonState
from optax.contrib import NormalizeState as NormalizeState
from optax.contrib import ProdigyState as ProdigyState
from optax.contrib import ReduceLROnPlateauState as ReduceLROnPlateauState
from optax.contrib import SAMState as SAMState
from optax.contrib import ScaleByAdemamixState as ScaleByAdemamixState
from optax.contrib import ScaleBySimplifiedAdEMAMixState as ScaleBySimplifiedAdEMAMixState
from optax.contrib import ScheduleFreeState as ScheduleFreeState
from optax.contrib import SophiaState as SophiaState
from optax.contrib import SplitRealAndImaginaryState as SplitRealAndImaginaryState
from optax.contrib import cocob as cocob
from optax.contrib import dadapt_adamw as dadapt_adamw
from optax.contrib import differentially_private_aggregate as differentially_private_aggregate
from optax.contrib import dog as dog
from optax.contrib import dowg as dowg
from optax.contrib import dpsgd as dpsgd
from optax.contrib import galore as galore
from optax.contrib import hutchinson_estimator_diag_hessian as hutchinson_estimator_diag_hessian
from optax.contrib import mechanize as mechanize
from optax.contrib import momo as momo
from optax.contrib import momo_adam as momo_adam
from optax.contrib import normalize as normalize
from optax.contrib import reduce_on_plateau as reduce_on_plateau
from optax.contrib import sam as sam
from optax.contrib import scale_by_cocob as scale_by_cocob
from optax.contrib import scale_by_galore as scale_by_galore
from optax.contrib import scale_by_madgrad as scale_by_madgrad
from optax.contrib import scale_by_muon as scale_by_muon
from optax.contrib import schedule_free as schedule_free
from optax.contrib import schedule_free_eval_params as schedule_free_eval_params
from optax.contrib import split_real_and_imaginary as split_real_and_imaginary

def acprop(
    learning_rate: optax.ScalarOrSchedule,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-16,
    eps_root: Any = 1e-16,
    weight_decay: Any = 0.0,
    mask: Any = None,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.acprop` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def scale_by_acprop(
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-16,
    eps_root: Any = 1e-16,
    *,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.scale_by_acprop` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
    """
    ...

def ademamix(
    learning_rate: optax.ScalarOrSchedule,
    b1: Any = 0.9,
    b2: Any = 0.999,
    b3: optax.ScalarOrSchedule = 0.9999,
    alpha: optax.ScalarOrSchedule = 5.0,
    eps: Any = 1e-08,
    eps_root: Any = 0.0,
    mu_dtype: DTypeLike | None = None,
    weight_decay: Any = 0.0,
    mask: Any = None,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.ademamix` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def scale_by_ademamix(
    b1: Any = 0.9,
    b2: Any = 0.999,
    b3: optax.ScalarOrSchedule = 0.9999,
    alpha: optax.ScalarOrSchedule = 6.0,
    eps: Any = 1e-08,
    eps_root: Any = 0.0,
    mu_dtype: DTypeLike | None = None,
    *,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.scale_by_ademamix` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
    """
    ...

def adopt(
    learning_rate: optax.ScalarOrSchedule,
    b1: Any = 0.9,
    b2: Any = 0.9999,
    eps: Any = 1e-06,
    mu_dtype: DTypeLike | None = None,
    *,
    nesterov: bool = False,
    use_clipping: bool = True,
    clip_value_fn: Any = ...,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.adopt` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def scale_by_adopt(
    b1: Any = 0.9,
    b2: Any = 0.9999,
    eps: Any = 1e-06,
    mu_dtype: DTypeLike | None = None,
    *,
    nesterov: bool = False,
    use_clipping: bool = True,
    clip_value_fn: Any = ...,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.scale_by_adopt` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
    """
    ...

def madgrad(
    learning_rate: optax.ScalarOrSchedule,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    eps: float = 1e-06,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.madgrad` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def muon(
    learning_rate: optax.ScalarOrSchedule,
    ns_coeffs: Any = (3.4445, -4.775, 2.0315),
    ns_steps: Any = 5,
    beta: Any = 0.95,
    eps: Any = 1e-08,
    weight_decay: Any = 0.0,
    weight_decay_mask: Any = None,
    mu_dtype: DTypeLike | None = None,
    *,
    nesterov: bool = True,
    adaptive: bool = False,
    preconditioning: Literal['frobenius', 'spectral', 'aol', 'schatten'] = 'frobenius',
    adam_b1: Any = 0.9,
    adam_b2: Any = 0.999,
    adam_eps_root: Any = 0.0,
    adam_weight_decay: Any = 0.0,
    adam_learning_rate: optax.ScalarOrSchedule | None = None,
    muon_weight_dimension_numbers: Any = None,
    consistent_rms: Any = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.muon` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def prodigy(
    learning_rate: optax.ScalarOrSchedule = 1.0,
    betas: Any = (0.9, 0.999),
    beta3: Any = None,
    eps: Any = 1e-08,
    estim_lr0: Any = 1e-06,
    estim_lr_coef: Any = 1.0,
    weight_decay: Any = 0.0,
    safeguard_warmup: bool = False,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.prodigy` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def schedule_free_adamw(
    learning_rate: Any = 0.0025,
    warmup_steps: Any = None,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-08,
    weight_decay: Any = 0.0,
    weight_lr_power: Any = 2.0,
    state_dtype: DTypeLike | None = None,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.schedule_free_adamw` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def schedule_free_sgd(
    learning_rate: Any = 1.0,
    warmup_steps: Any = None,
    b1: Any = 0.9,
    weight_decay: Any = None,
    weight_lr_power: Any = 2.0,
    state_dtype: DTypeLike | None = None,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.schedule_free_sgd` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def simplified_ademamix(
    learning_rate: optax.ScalarOrSchedule,
    b1: Any = 0.99,
    b2: Any = 0.95,
    alpha: optax.ScalarOrSchedule = 0.0,
    eps: Any = 1e-08,
    eps_root: Any = 0.0,
    weight_decay: Any = 0.0,
    mask: Any = None,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.simplified_ademamix` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...

def scale_by_simplified_ademamix(
    b1: Any = 0.99,
    b2: Any = 0.95,
    alpha: optax.ScalarOrSchedule = 0.0,
    eps: Any = 1e-08,
    eps_root: Any = 0.0,
    *,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.scale_by_simplified_ademamix` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
    """
    ...

def sophia(
    learning_rate: optax.ScalarOrSchedule,
    b1: Any = 0.965,
    b2: Any = 0.99,
    eps: Any = 1e-08,
    weight_decay: Any = 0.0001,
    weight_decay_mask: Any = None,
    gamma: Any = 0.01,
    clip_threshold: Any = 1.0,
    update_interval: Any = 10,
    hessian_diagonal_fn: Any = ...,
    mu_dtype: DTypeLike | None = None,
    verbose: bool = False,
    print_win_rate_every_n_steps: Any = 0,
    *,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create `optax.contrib.sophia` with float32 arithmetic and low-precision state.

    Arguments, defaults and steps are Optax's. Additional arguments:

    Args:
      storage: format of the moments between steps, see `adamjax.store`.
      param_rounding: rounding of low-precision parameters, see `adamjax.round_params`.
    """
    ...
