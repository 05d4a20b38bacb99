"""The Adam family for JAX, as Optax gradient transformations."""

# Written by scripts/stubs.py.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import optax
from jax.typing import ArrayLike, DTypeLike

from adamjax.trees import Mask

ScalarOrSchedule = ArrayLike | Callable[[Any], Any]

from adamjax.interop.arguments import from_keras_args as from_keras_args
from adamjax.interop.arguments import from_torch_args as from_torch_args
from adamjax.interop.checkpoints import state_template as state_template
from adamjax.interop.convert import convert_optimizer as convert_optimizer
from adamjax.interop.optax_arguments import from_optax_args as from_optax_args
from adamjax.matrices.resolve import matrix_layouts as matrix_layouts
from adamjax.matrices.resolve import stacked_layouts as stacked_layouts
from adamjax.modifiers.adagc import adagc as adagc
from adamjax.modifiers.cautious import cautious as cautious
from adamjax.modifiers.clip_by_previous_norm import clip_by_previous_norm as clip_by_previous_norm
from adamjax.modifiers.clip_by_rms import clip_by_rms as clip_by_rms
from adamjax.modifiers.eigenbasis import eigenbasis as eigenbasis
from adamjax.modifiers.gradient_centralization import gradient_centralization as gradient_centralization
from adamjax.modifiers.grams import align_sign_with_gradient as align_sign_with_gradient
from adamjax.modifiers.grokfast import grokfast as grokfast
from adamjax.modifiers.grokfast import grokfast_window as grokfast_window
from adamjax.modifiers.mars import mars as mars
from adamjax.modifiers.orthogonalize import orthogonalize as orthogonalize
from adamjax.modifiers.partition_matrices import partition_matrices as partition_matrices
from adamjax.modifiers.projection import projection as projection
from adamjax.modifiers.trust_ratio import trust_ratio as trust_ratio
from adamjax.optimizer import optimizer as optimizer
from adamjax.registry import create as create
from adamjax.registry import get_variant as get_variant
from adamjax.registry import list_variants as list_variants
from adamjax.rule import Slot as Slot
from adamjax.rule import lift as lift
from adamjax.schedules import cool_down as cool_down
from adamjax.schedules import cosine_cycle_schedule as cosine_cycle_schedule
from adamjax.schedules import inverse_epoch_schedule as inverse_epoch_schedule
from adamjax.schedules import power_cool as power_cool
from adamjax.schedules import wsd as wsd
from adamjax.sharding import sharded as sharded
from adamjax.sharding import state_shardings as state_shardings
from adamjax.stages.release import Scan as Scan
from adamjax.stages.release import release as release
from adamjax.storage.rounding import from_master_params as from_master_params
from adamjax.storage.rounding import master_params as master_params
from adamjax.storage.rounding import narrow_updates as narrow_updates
from adamjax.storage.rounding import round_params as round_params
from adamjax.storage.store import convert_state as convert_state
from adamjax.storage.store import store as store
from adamjax.tracking import Recorder as Recorder
from adamjax.tracking import metrics as metrics
from adamjax.tracking import track as track
from adamjax.tuning.find_learning_rate import find_learning_rate as find_learning_rate
from adamjax.tuning.mup import mup as mup
from adamjax.tuning.mup import mup_init as mup_init
from adamjax.tuning.sweep import sweep as sweep
from adamjax.wrappers.accumulate import accumulate as accumulate
from adamjax.wrappers.averaging import ema_params as ema_params
from adamjax.wrappers.averaging import swa as swa
from adamjax.wrappers.evaluation import eval_params as eval_params
from adamjax.wrappers.groups import groups as groups
from adamjax.wrappers.guard import check_guard as check_guard
from adamjax.wrappers.guard import guard as guard
from adamjax.wrappers.hyperball import hyperball as hyperball
from adamjax.wrappers.lazy_rows import lazy_rows as lazy_rows
from adamjax.wrappers.lookahead import lookahead as lookahead
from adamjax.wrappers.overwrite import overwrite as overwrite
from adamjax.wrappers.per_layer import per_layer as per_layer
from adamjax.wrappers.reset import reset as reset
from adamjax.wrappers.sam import sam as sam
from adamjax.wrappers.schedule_free import schedule_free as schedule_free
from adamjax.variants.acprop import scale_by_acprop as scale_by_acprop
from adamjax.variants.adabelief import scale_by_adabelief as scale_by_adabelief
from adamjax.variants.adabound import scale_by_adabound as scale_by_adabound
from adamjax.variants.adabound import scale_by_amsbound as scale_by_amsbound
from adamjax.variants.adadelta import scale_by_adadelta as scale_by_adadelta
from adamjax.variants.adafactor import scale_by_adafactor as scale_by_adafactor
from adamjax.variants.adagrad import scale_by_adagrad as scale_by_adagrad
from adamjax.variants.adai import scale_by_adai as scale_by_adai
from adamjax.variants.adam import scale_by_adam as scale_by_adam
from adamjax.variants.adam_atan2 import scale_by_adam_atan2 as scale_by_adam_atan2
from adamjax.variants.adam_mini import scale_by_adam_mini as scale_by_adam_mini
from adamjax.variants.adamax import scale_by_adamax as scale_by_adamax
from adamjax.variants.adamg import scale_by_adamg as scale_by_adamg
from adamjax.variants.adamod import scale_by_adamod as scale_by_adamod
from adamjax.variants.adamp import scale_by_adamp as scale_by_adamp
from adamjax.variants.adamuon import scale_by_adamuon as scale_by_adamuon
from adamjax.variants.adan import scale_by_adan as scale_by_adan
from adamjax.variants.adashift import scale_by_adashift as scale_by_adashift
from adamjax.variants.ademamix import scale_by_ademamix as scale_by_ademamix
from adamjax.variants.adopt import scale_by_adopt as scale_by_adopt
from adamjax.variants.amos import scale_by_amos as scale_by_amos
from adamjax.variants.amsgrad import scale_by_amsgrad as scale_by_amsgrad
from adamjax.variants.ano import scale_by_ano as scale_by_ano
from adamjax.variants.apollo import scale_by_apollo as scale_by_apollo
from adamjax.variants.c_adamw import scale_by_c_adamw as scale_by_c_adamw
from adamjax.variants.c_lion import scale_by_c_lion as scale_by_c_lion
from adamjax.variants.came import scale_by_came as scale_by_came
from adamjax.variants.diffgrad import scale_by_diffgrad as scale_by_diffgrad
from adamjax.variants.focus import scale_by_focus as scale_by_focus
from adamjax.variants.grams import scale_by_grams as scale_by_grams
from adamjax.variants.grokadamw import scale_by_grokadamw as scale_by_grokadamw
from adamjax.variants.grokfast_adamw import scale_by_grokfast_adamw as scale_by_grokfast_adamw
from adamjax.variants.kl_shampoo import scale_by_kl_shampoo as scale_by_kl_shampoo
from adamjax.variants.kl_soap import scale_by_kl_soap as scale_by_kl_soap
from adamjax.variants.lamb import scale_by_lamb as scale_by_lamb
from adamjax.variants.laprop import scale_by_laprop as scale_by_laprop
from adamjax.variants.lion import scale_by_lion as scale_by_lion
from adamjax.variants.madgrad import scale_by_madgrad as scale_by_madgrad
from adamjax.variants.mars_adamw import scale_by_mars_adamw as scale_by_mars_adamw
from adamjax.variants.mars_adamw import scale_by_mars_lion as scale_by_mars_lion
from adamjax.variants.muon import scale_by_muon as scale_by_muon
from adamjax.variants.muown import scale_by_muown as scale_by_muown
from adamjax.variants.nadam import scale_by_nadam as scale_by_nadam
from adamjax.variants.normuon import scale_by_normuon as scale_by_normuon
from adamjax.variants.novograd import scale_by_novograd as scale_by_novograd
from adamjax.variants.padam import scale_by_padam as scale_by_padam
from adamjax.variants.qhadam import scale_by_qhadam as scale_by_qhadam
from adamjax.variants.radam import scale_by_radam as scale_by_radam
from adamjax.variants.rmsprop import scale_by_rmsprop as scale_by_rmsprop
from adamjax.variants.scion import scale_by_scion as scale_by_scion
from adamjax.variants.sgd import scale_by_sgd as scale_by_sgd
from adamjax.variants.sgdp import scale_by_sgdp as scale_by_sgdp
from adamjax.variants.simplified_ademamix import scale_by_simplified_ademamix as scale_by_simplified_ademamix
from adamjax.variants.soap import scale_by_soap as scale_by_soap
from adamjax.variants.sophia import scale_by_sophia as scale_by_sophia
from adamjax.variants.stable_adamw import scale_by_stable_adamw as scale_by_stable_adamw
from adamjax.variants.tiger import scale_by_tiger as scale_by_tiger
from adamjax.variants.yogi import scale_by_yogi as scale_by_yogi

__version__: str

def acprop(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    eps_root: ScalarOrSchedule = 1e-16,
    style: Literal['author', 'optax'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the acprop optimizer: divides the gradient by the spread of earlier gradients.

        u = g / (√v̂ + ε)                     v̂ before this step, u = g at t = 1
        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) (g - m)² + ε_root

    The rectification of RAdam, a default of the authors' code that is not in the paper, is not
    included. The authors use one number for eps and eps_root.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of v, the average of (g - m)², 0 <= b2 < 1.
      eps: ε, added to √v̂.
      eps_root: ε_root, added to v at every step. With eps = eps_root = 0, an element moves only
        after one of its gradients has differed from m.
      style: whose implementation to follow, one of
          'author': the authors: the distance from the mean that includes g, first step g
          'optax': Optax: the distance from the mean before g, first step g / (1 + ε)
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v̂ is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.acprop(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zhuang et al., 2021. Momentum Centering and Asynchronous Update for Adaptive Gradient Methods.
    https://arxiv.org/abs/2110.05454
    """
    ...

def adabelief(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    eps_root: ScalarOrSchedule | None = None,
    style: Literal['author', 'paper', 'amsgrad', 'optax'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adabelief optimizer: averages (g - m)² in place of g².

        m = b₁ m + (1 - b₁) g
        s = b₂ s + (1 - b₂) (g - m)² + ε
        u = m̂ / (√ŝ + ε)        rectified as in RAdam in the authors' code

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of s, the average of (g - m)², 0 <= b2 < 1.
      eps: ε, added to s at every step and to √ŝ.
      eps_root: added to s in place of ε, as in Optax. None is ε.
      style: whose implementation to follow, one of
          'author': the authors' default: ε̂ (in √s + ε), rectified as in RAdam where r >= 5, m̂ below
          'paper': the paper, Optax, timm: u = m̂ / (√ŝ + ε)
          'amsgrad': the authors' amsgrad=True: as the paper, with the running maximum of s
          'optax': Optax: style='paper'
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which s and its maximum are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adabelief(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zhuang et al., 2020. AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed
    Gradients. https://arxiv.org/abs/2010.07468
    """
    ...

def adabound(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    gamma: ScalarOrSchedule = 0.001,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    final_lr: ScalarOrSchedule = 0.1,
    base_lr: float | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adabound optimizer: clips the step size of each element to bounds that converge to that of SGD.

        k = √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
        f = final_lr / base_lr
        u = clip(k, f (1 - 1/(γ t + 1)), f (1 + 1/(γ t))) m

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      gamma: γ > 0, the convergence rate of the bounds per step.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      final_lr: learning rate of SGD at the end of training, if lr is `base_lr`.
      base_lr: learning rate that `final_lr` is relative to. Required if `learning_rate`, the
        default, is a schedule or injected (`optax.inject_hyperparams`).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adabound(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Luo et al., 2019. Adaptive Gradient Methods with Dynamic Bound of Learning Rate.
    https://arxiv.org/abs/1902.09843
    """
    ...

def amsbound(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    gamma: ScalarOrSchedule = 0.001,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    final_lr: ScalarOrSchedule = 0.1,
    base_lr: float | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amsbound optimizer: AdaBound with the running maximum of v.

        w = max(w, v)
        u as in AdaBound, with w in place of v

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to the root of the maximum of v.
      gamma: γ > 0, the convergence rate of the bounds per step.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.
      final_lr: learning rate of SGD at the end of training, if lr is `base_lr`.
      base_lr: learning rate that `final_lr` is relative to. Required if `learning_rate`, the
        default, is a schedule or injected (`optax.inject_hyperparams`).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.amsbound(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Luo et al., 2019. Adaptive Gradient Methods with Dynamic Bound of Learning Rate.
    https://arxiv.org/abs/1902.09843
    """
    ...

def adadelta(
    learning_rate: ScalarOrSchedule = 1.0,
    b2: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-06,
    *,
    nu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adadelta optimizer: multiplies by the size of recent updates, no momentum, no bias correction.

        v = b₂ v + (1 - b₂) g²
        u = √(x + ε) / √(v + ε) · g
        x = b₂ x + (1 - b₂) u²

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b2: decay rate of both averages, 0 <= b2 < 1 (ρ in the paper).
      eps: ε, added under both roots. It determines the size of the first updates.
      nu_dtype: dtype in which v and x are stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adadelta(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zeiler, 2012. ADADELTA: An Adaptive Learning Rate Method. https://arxiv.org/abs/1212.5701
    """
    ...

def adafactor(
    learning_rate: ScalarOrSchedule | None = None,
    *,
    decay_rate: ScalarOrSchedule = 0.8,
    decay_offset: ScalarOrSchedule = 0,
    b2_cap: ScalarOrSchedule | None = None,
    eps1: ScalarOrSchedule | None = None,
    eps2: ScalarOrSchedule = 0.001,
    clip_threshold: ScalarOrSchedule | None = None,
    momentum: ScalarOrSchedule | None = None,
    scale_parameter: bool | None = None,
    min_dim_size_to_factor: int | None = None,
    style: Literal['paper', 't5', 'torch', 'bigvision', 'optax'] = 'paper',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared', 'scaled'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adafactor optimizer: row and column means of g², no momentum, steps relative to RMS(p).

        b = 1 - t^-0.8
        R, C = averages with b of the row and column means of g² + ε₁
        V = R Cᵀ / mean(R)
        u = g / √V
        u = u / max(1, RMS(u) / d)
        p <- p - max(ε₂, RMS(p)) · min(10⁻², 1/√t) · u

    `style` sets the arguments that are None. T5X and Optax do not multiply weight decay by the
    learning rate, which is the decay mode "independent".

    Args:
      learning_rate: lr, the relative step min(10⁻², 1/√t) if None. With style "torch", lr is the
        cap in place of 10⁻², and the factor of weight decay. Style "bigvision" requires a number.
      decay_rate: exponent of the decay rate of V, b = 1 - t^-decay_rate.
      decay_offset: number of steps to subtract from t in b.
      b2_cap: upper bound of b, 1 or set by `style` if None.
      eps1: ε₁, added to g², or a lower bound with style "torch". 1e-30 or set by `style` if None.
      eps2: ε₂, lower bound of RMS(p).
      clip_threshold: d, upper bound of RMS(u), `math.inf` for no clipping. 1 or set by `style` if
        None.
      momentum: decay rate of the average of the updates, 0 <= momentum < 1, without bias
        correction. No average is stored, or as set by `style`, if None.
      scale_parameter: whether to multiply by max(ε₂, RMS(p)). True or set by `style` if None.
      min_dim_size_to_factor: minimum size of both axes of a factored leaf, set by `style` if None.
      style: whose implementation to follow, one of
          'paper': the paper, Hugging Face, Tensor2Tensor: factor the last two axes of every matrix
          't5': T5X, Optax: factor the two largest axes if both have at least 128 elements
          'torch': torch: ε₁ is a lower bound of V instead of an addend, relative step min(lr, 1/√t)
          'bigvision': Big Vision: factor the two largest axes from size 32, b at most 0.999, no clipping, no scaling by the parameter, momentum 0.9 in bfloat16
          'optax': Optax: style='t5'
      mu_dtype: dtype in which the momentum is stored, float32 or set by `style` if None.
      nu_dtype: dtype in which V is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
          'scaled': p <- p - lr (u + λ max(ε₂, RMS(p)) p), as in Hugging Face
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adafactor(learning_rate=None)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Shazeer and Stern, 2018. Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    https://arxiv.org/abs/1804.04235
    """
    ...

def adagrad(
    learning_rate: ScalarOrSchedule = 0.01,
    eps: ScalarOrSchedule = 1e-10,
    *,
    initial_accumulator_value: float = 0.0,
    style: Literal['torch', 'keras', 'optax'] = 'torch',
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adagrad optimizer: sum instead of average of squared gradients, no momentum.

        s = s + g²
        u = g / (√s + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      eps: ε, added outside or under the root, see `style`.
      initial_accumulator_value: s before the first step, not negative.
      style: whose implementation to follow, one of
          'torch': torch, TensorFlow 1: u = g / (√s + ε), in torch with ε = 1e-10 and s = 0 at t = 0
          'keras': Keras, Optax: u = g / √(s + ε), with ε = 1e-7 and s = 0.1 at t = 0
          'optax': Optax: style='keras'
      nu_dtype: dtype in which s is stored, float32 if None. A sum in bfloat16 soon stops growing.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adagrad(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Duchi, Hazan and Singer, 2011. Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization. https://jmlr.org/papers/v12/duchi11a.html
    """
    ...

def adai(
    learning_rate: ScalarOrSchedule = 1.0,
    b0: ScalarOrSchedule = 0.1,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 0.001,
    *,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adai optimizer: adapts the momentum of each element, one step size for all.

        v = b₂ v + (1 - b₂) g²
        k = clip(b₀ v / mean(v), ε, 1)          the mean over all leaves
        m = m + k (g - m),  w = w + k (1 - w)
        u = m / w

    With `weight_decay` it is AdaiW.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b0: b₀, weight of the gradient in m for an element with the mean v.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, the smallest weight of the gradient in m.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adai(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Xie et al., 2020. Adaptive Inertia: Disentangling the Effects of Adaptive Learning Rate and
    Momentum. https://arxiv.org/abs/2006.15815
    """
    ...

def adam(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['torch', 'keras', 'mlx', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam optimizer: averages of g and g², with bias correction.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = m / (1 - b₁ᵗ) / (√(v / (1 - b₂ᵗ)) + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ or √v, see `style`. The default of Keras is 1e-7.
      eps_root: added under the root. Use a small value to differentiate through the update.
      style: whose implementation to follow, one of
          'torch': torch, Optax: u = m̂ / (√v̂ + ε)
          'keras': Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√v + ε), ε̂ in the paper
          'mlx': MLX by default: u = m / (√v + ε), no bias correction
          'optax': Optax: style='torch'
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None. With b2 = 0.999, bfloat16 freezes v.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adam(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Kingma and Ba, 2014. Adam: A Method for Stochastic Optimization. https://arxiv.org/abs/1412.6980
    """
    ...

def adam_atan2(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    a: ScalarOrSchedule = 1.27,
    b: ScalarOrSchedule = 1.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam_atan2 optimizer: atan2(m̂, √v̂) in place of the quotient, no ε.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = a · atan2(m̂, b √v̂)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      a: scale of the update. With 4/π, about 1.27, u = 1 where m̂ = √v̂.
      b: scale of √v̂. The update saturates where m̂ / √v̂ is much larger.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adam_atan2(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Everett et al., 2024. Scaling Exponents Across Parameterizations and Optimizers.
    https://arxiv.org/abs/2407.05872
    """
    ...

def adam_mini(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    kept: int | Sequence[int] | Mapping[str, int | Sequence[int]] = -1,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam_mini optimizer: one second moment for each neuron or other block of elements.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) mean(g²)            the mean over a block
        u = m̂ / (√v̂ + ε)

    The authors keep the tokens of embeddings and the heads of queries and keys, in Flax
    `kept={"*embedding": 0, "*query/kernel": 1, "*key/kernel": 1}`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      kept: axes of matrices and tensors that v keeps. The last axis is the neurons of a Flax
        kernel, and () is one v for the leaf. Or a dict from patterns on the leaf's name to axes, of
        which the first match applies, and the last axis where none matches.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range, or in `init` for an axis that a leaf does not have.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adam_mini(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zhang et al., 2024. Adam-mini: Use Fewer Learning Rates To Gain More.
    https://arxiv.org/abs/2406.16793
    """
    ...

def adamax(
    learning_rate: ScalarOrSchedule = 0.002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    style: Literal['torch', 'keras', 'paddle', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamax optimizer: divides by a decayed maximum of |g|.

        m = b₁ m + (1 - b₁) g
        v = max(b₂ v, |g| + ε)
        u = m / (1 - b₁ᵗ) / v

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the maximum v, 0 <= b2 < 1.
      eps: ε, added inside or outside the maximum, see `style`.
      style: whose implementation to follow, one of
          'torch': torch, Optax: v = max(b₂ v, |g| + ε), u = m̂ / v
          'keras': Keras: v = max(b₂ v, |g|), u = m̂ / (v + ε)
          'paddle': PaddlePaddle: v = max(b₂ v + ε, |g|), u = m̂ / v
          'optax': Optax: style='torch'
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamax(learning_rate=0.002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Kingma and Ba, 2014. Adam: A Method for Stochastic Optimization. https://arxiv.org/abs/1412.6980
    """
    ...

def adamaxw(
    learning_rate: ScalarOrSchedule = 0.002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    style: Literal['torch', 'keras', 'paddle', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamaxw optimizer: Adamax with decoupled weight decay.

        v = max(b₂ v, |g| + ε)
        u = m̂ / v + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the maximum v, 0 <= b2 < 1.
      eps: ε, added inside or outside the maximum, see `style`.
      style: whose implementation to follow, one of
          'torch': torch, Optax: v = max(b₂ v, |g| + ε), u = m̂ / v
          'keras': Keras: v = max(b₂ v, |g|), u = m̂ / (v + ε)
          'paddle': PaddlePaddle: v = max(b₂ v + ε, |g|), u = m̂ / v
          'optax': Optax: style='torch'
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamaxw(learning_rate=0.002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Kingma and Ba, 2014. Adam: A Method for Stochastic Optimization. https://arxiv.org/abs/1412.6980
    """
    ...

def adamc(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['torch', 'keras', 'mlx'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    max_lr: float | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamc optimizer: AdamW with weight decay proportional to the square of the learning rate.

        u = m̂ / (√v̂ + ε) + (lr / max(lr)) λ p

    The paper uses this weight decay for layers that a normalization follows, and that of AdamW for
    the others. Use `optax.partition` for both.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ or √v, see `style`. The default of Keras is 1e-7.
      eps_root: added under the root. Use a small value to differentiate through the update.
      style: whose implementation to follow, one of
          'torch': torch, Optax: u = m̂ / (√v̂ + ε)
          'keras': Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√v + ε), ε̂ in the paper
          'mlx': MLX by default: u = m / (√v + ε), no bias correction
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None. With b2 = 0.999, bfloat16 freezes v.
      max_lr: max(lr), the peak of the schedule. Required if the learning rate is a schedule or
        injected (`optax.inject_hyperparams`). None for a constant learning rate, as in AdamW.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamc(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio, 2025. Why Gradients Rapidly Increase Near the End of Training.
    https://arxiv.org/abs/2506.02285
    """
    ...

def adamg(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    b3: ScalarOrSchedule = 0.95,
    p: ScalarOrSchedule = 0.2,
    q: ScalarOrSchedule = 0.24,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamg optimizer: multiplies the gradient by a step size computed from v, for a learning rate of 1.

        v = b₂ v + (1 - b₂) g²
        r = b₃ r + (1 - b₃) p v^q
        m = b₁ m + (1 - b₁) r g
        u = m̂ / (√v̂ + ε)                  with the learning rate min(lr, 1/√t)

    Weight decay is multiplied by min(lr, 1/√t).

    Args:
      learning_rate: lr, the upper bound of the learning rate 1/√t.
      b1: decay rate of m, the average of r g, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂.
      b3: decay rate of r, the average of p v^q, 0 <= b3 < 1.
      p: factor of v^q.
      q: exponent of v.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and r are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamg(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Pang et al., 2024. Towards Stability of Parameter-free Optimization.
    https://arxiv.org/abs/2405.04376
    """
    ...

def adamod(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    b3: ScalarOrSchedule = 0.999,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamod optimizer: limits each step size to its own average.

        h = lr √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
        H = b₃ H + (1 - b₃) h
        p <- p - min(h, H) m

    Args:
      learning_rate: lr, inside the average, so that H lags behind a schedule.
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      b3: decay rate of H, the average of the step sizes, 0 <= b3 < 1.
      eps_root: added under the root.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and H are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamod(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Ding et al., 2019. An Adaptive and Momental Bound Method for Stochastic Learning.
    https://arxiv.org/abs/1910.12249
    """
    ...

def adamp(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: float = 1e-08,
    *,
    delta: float = 0.1,
    out_axis: int = -1,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    wd_ratio: float = 0.1,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamp optimizer: projects updates of scale-invariant weights to be orthogonal to them.

        u = m̂ / (√v̂ + ε)
        u = u - (u·e) e,  λ = r λ     where |cos(g, p)| < δ/√n, n elements, e = p / ‖p‖

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ and to the norms.
      delta: δ, threshold of the projection. With 0 it is Adam.
      out_axis: axis of the neurons, see `adamjax.projection`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      wd_ratio: r, factor of weight decay for projected leaves, except with "l2".
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamp(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Heo et al., 2020. AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant
    Weights. https://arxiv.org/abs/2006.08217
    """
    ...

def adamuon(
    learning_rate: ScalarOrSchedule = 0.02,
    momentum: ScalarOrSchedule = 0.95,
    *,
    muon_b2: ScalarOrSchedule | None = None,
    muon_eps: ScalarOrSchedule = 1e-08,
    scale: str | None = None,
    style: Literal['author', 'timm', 'nvidia'] = 'author',
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    nesterov: bool | None = None,
    coefficients: str | Sequence[Sequence[float]] | None = None,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: DTypeLike | None = None,
    wire_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamuon optimizer: Muon with an elementwise second moment.

        O = U Vᵀ                            of the sign of Muon's momentum, U S Vᵀ
        v = b₂ v + (1 - b₂) O²
        N = O / (√v + ε)
        u = 0.2 √(rows columns) N / (‖N‖ + ε)

    Its updates have the root mean square of Adam's: use Adam's learning rate, and `adam_scale=1`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1.
      muon_b2: b₂ of the second moment of matrices, 0 <= muon_b2 < 1. None is `momentum`.
      muon_eps: ε of it.
      scale: factor in place of the norm, see `adamjax.orthogonalize`. None is the default of
        `style`.
      style: whose implementation to follow, one of
          'author': the authors' code: the sign of the momentum, b₂ is that of the momentum
          'timm': timm: Muon's style "timm", no sign; with `scale` u = scale · O / (√v̂ + ε)
          'nvidia': NVIDIA: Muon's style "nvidia", no sign, u = scale · N
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      b1: b₁ of Adam.
      b2: b₂ of Adam.
      eps: ε of Adam.
      adam_scale: factor of Adam's update, the ratio of its learning rate to Muon's.
      mu_dtype: dtype in which momenta are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamuon(learning_rate=0.02)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Si, Zhang and Shen, 2025. AdaMuon: Adaptive Muon Optimizer. https://arxiv.org/abs/2507.11005
    """
    ...

def adamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['torch', 'keras', 'mlx', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamw optimizer: Adam with decoupled weight decay.

        u = m̂ / (√v̂ + ε) + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ or √v, see `style`. The default of Keras is 1e-7.
      eps_root: added under the root. Use a small value to differentiate through the update.
      style: whose implementation to follow, one of
          'torch': torch, Optax: u = m̂ / (√v̂ + ε)
          'keras': Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√v + ε), ε̂ in the paper
          'mlx': MLX by default: u = m / (√v + ε), no bias correction
          'optax': Optax: style='torch'
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None. With b2 = 0.999, bfloat16 freezes v.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Loshchilov and Hutter, 2017. Decoupled Weight Decay Regularization.
    https://arxiv.org/abs/1711.05101
    """
    ...

def adan(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.98,
    b2: ScalarOrSchedule = 0.92,
    b3: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['author', 'optax'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'proximal',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adan optimizer: Nesterov momentum from the average change of the gradient.

        d = g - g_prev                            0 at t = 1
        m = b₁ m + (1 - b₁) g
        n = b₂ n + (1 - b₂) d
        v = b₃ v + (1 - b₃) (g + b₂ d)²
        u = (m̂ + b₂ n̂) / (√v̂ + ε)
        p <- (p - lr u) / (1 + lr λ)

    The equivalent of the authors' `no_prox=True` is `decay_mode="decoupled"`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1 (1 - β₁ in the paper).
      b2: decay rate of n, the average change of the gradient, and its factor, 0 <= b2 < 1.
      b3: decay rate of the second moment v, 0 <= b3 < 1.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      style: whose implementation to follow, one of
          'author': the authors' code, timm: factor b₂ of d and n
          'optax': Optax: factor 1 - b₂ of d and n (its adan has decoupled decay and eps_root 1e-8)
      mu_dtype: dtype in which m, n and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adan(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Xie et al., 2022. Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models.
    https://arxiv.org/abs/2208.06677
    """
    ...

def adashift(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-10,
    *,
    window: int = 10,
    reduce: str = 'max',
    style: Literal['paper', 'port'] = 'paper',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adashift optimizer: decorrelates v from m by delaying the gradients in v by n steps.

        m = Σ b₁ⁱ g₋ᵢ / Σ b₁ⁱ              i = 0 … n-1, g₋ᵢ the gradient i steps ago
        v = b₂ v + (1 - b₂) max(g₋ₙ²)      the maximum over the leaf
        u = m / (√(v / (1 - b₂ᵗ⁻ⁿ)) + ε)   0 in the first n steps

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: ratio of the weights of successive gradients in m, 0 <= b1 < 1.
      b2: decay rate of v, 0 <= b2 < 1. With a schedule, bias correction uses the present value.
      eps: ε, added to √v̂.
      window: n >= 1, number of gradients in m. The state stores n gradients.
      reduce: "max" for one v per leaf, "none" for one per element.
      style: whose implementation to follow, one of
          'paper': the paper: m is the weighted mean of the last n gradients
          'port': the port to PyTorch: m starts at 0 after n steps, a deficit that decays with b₁
      mu_dtype: dtype in which the gradients are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range, or an unknown reduce or style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adashift(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zhou et al., 2018. AdaShift: Decorrelation and Convergence of Adaptive Learning Rate Methods.
    https://arxiv.org/abs/1810.00143
    """
    ...

def ademamix(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    alpha: ScalarOrSchedule = 2.0,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    b3_warmup: int | None = None,
    alpha_warmup: int | None = None,
    style: Literal['author', 'optax'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the ademamix optimizer: adds a second, much longer average of the gradients.

        m = b₁ m + (1 - b₁) g
        w = b₃ w + (1 - b₃) g
        v = b₂ v + (1 - b₂) g²
        u = (m̂ + α w) / (√v̂ + ε)

    The authors use warmups over all steps of training. The default of alpha is 2 in their PyTorch
    file and 5 in their Optax file, and the paper recommends 5 to 10.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the short average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      b3: decay rate of the long average w of the gradients, 0 <= b3 < 1.
      alpha: α, factor of w.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      b3_warmup: number of steps of the warmup from b₁ to b₃, no warmup if None.
      alpha_warmup: number of steps of the warmup of α from 0, no warmup if None.
      style: whose implementation to follow, one of
          'author': the authors' PyTorch file: warmups count from 1 and use log(b + 10⁻⁸)
          'optax': the authors' Optax file: warmups count from 0 and use log b
      mu_dtype: dtype in which m and w are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.ademamix(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Pagliardini, Ablin and Grangier, 2024. The AdEMAMix Optimizer: Better, Faster, Older.
    https://arxiv.org/abs/2409.03137
    """
    ...

def adopt(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.9999,
    eps: ScalarOrSchedule = 1e-06,
    *,
    clip_exponent: ScalarOrSchedule | None = 0.25,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adopt optimizer: divides by the previous v before averaging, no bias correction.

        n = clip(g / max(√v, ε), ±(t - 1)^¼)        v before this step
        m = b₁ m + (1 - b₁) n
        v = b₂ v + (1 - b₂) g²                      v = g² at t = 1
        u = m

    The first step changes no parameter and has no weight decay, as in the authors' code.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of m, the average of the normalized gradients n, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, lower bound of √v.
      clip_exponent: elements of n are clipped to (t - 1)^clip_exponent. None for no clipping, and
        0.333 in timm.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adopt(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Taniguchi et al., 2024. ADOPT: Modified Adam Can Converge with Any β2 with the Optimal Rate.
    https://arxiv.org/abs/2411.02853
    """
    ...

def amos(
    learning_rate: ScalarOrSchedule = 0.01,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 2.350988701644575e-38,
    *,
    c: ScalarOrSchedule = 0.25,
    d: ScalarOrSchedule = 0.25,
    eta_fn: Callable[[tuple[int, ...]], float] = ...,
    shape_fn: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amos optimizer: no momentum, step size and weight decay decrease according to the expected scale η.

        v = b₂ v + (1 - b₂) g²
        w = (1 - b₂ᵗ) / max(v, ε)
        γ = ξ² w g² / √(1 + c √ξ B)              ξ the learning rate
        D = 1 / (1 + d √(ξ η) B)
        p <- p - D (γ p / 2 + ξ η √w g)
        B <- B + γ (1 + B)

    The default of eta_fn is for Flax. Use `optax.partition` if η depends on names.

    Args:
      learning_rate: ξ, about 1/√n for n independent batches of data. It needs no schedule.
      b2: decay rate of the second moment v, 0 <= b2 < 1, with 1 - b2 of the order of ξ.
      eps: ε, lower bound of v.
      c: rate at which weight decay decreases.
      d: rate at which the learning rate decreases.
      eta_fn: function from the shape of a leaf to η, the expected size of its elements. The default
        is `expected_scale`.
      shape_fn: function from the shape of a leaf to that of v and B, where axes of size 1 store the
        mean of g². None keeps the shape.
      nu_dtype: dtype in which v and B are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.amos(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Tian and Parikh, 2022. Amos: An Adam-style Optimizer with Adaptive Weight Decay towards Model-
    Oriented Scale. https://arxiv.org/abs/2210.11693
    """
    ...

def amsgrad(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['torch', 'keras', 'paper', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amsgrad optimizer: divides by the running maximum of v.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        w = max(w, v)
        u = m̂ / (√ŵ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √ŵ or √w, see `style`.
      eps_root: added under the root.
      style: whose implementation to follow, one of
          'torch': torch, PaddlePaddle: u = m̂ / (√(w / (1 - b₂ᵗ)) + ε), w = max v
          'keras': Keras, TensorFlow: u = m̂ √(1 - b₂ᵗ) / (√w + ε), w = max v
          'paper': the paper: u = m / (√w + ε), no bias correction
          'optax': Optax: u = m̂ / (√w + ε), w = max v̂
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.amsgrad(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Reddi, Kale and Kumar, 2018. On the Convergence of Adam and Beyond.
    https://arxiv.org/abs/1904.09237
    """
    ...

def ano(
    learning_rate: ScalarOrSchedule = 0.0001,
    b1: ScalarOrSchedule = 0.92,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-08,
    *,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the ano optimizer: sign of the momentum, magnitude of the present gradient.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) sign(g² - v) g²
        u = sign(m) |g| / √(v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 1/2 <= b2 < 1. v could be negative below 1/2.
      eps: ε, added under the root.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.ano(learning_rate=0.0001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Kegreisz, 2025. ANO: Faster is Better in Noisy Landscape. https://arxiv.org/abs/2508.18258
    """
    ...

def apollo(
    learning_rate: ScalarOrSchedule = 0.01,
    b1: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 0.0001,
    *,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    warmup_steps: int = 500,
    init_lr: ScalarOrSchedule | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the apollo optimizer: quasi-Newton method with a diagonal Hessian.

        α = (1 - b₁) / (1 - b₁ᵗ)
        y = g - m
        m = m + α y
        n = ‖d‖₄ + ε / 0.01
        d = d / n
        B = B - d² (α Σ(y d / n) + Σ(B d²))        sums over the leaf
        u = d = m / max(|B|, 0.01)

    The authors use the decay mode "l2".

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      eps: ε, added to the norm of the previous update as ε / 0.01.
      mu_dtype: dtype in which m and the previous update are stored, float32 if None.
      nu_dtype: dtype in which B is stored, float32 if None.
      warmup_steps: number of steps of a linear warmup.
      init_lr: initial learning rate, a thousandth of the learning rate if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.apollo(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Ma, 2020. Apollo: An Adaptive Parameter-wise Diagonal Quasi-Newton Method for Nonconvex
    Stochastic Optimization. https://arxiv.org/abs/2009.13586
    """
    ...

def c_adamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-06,
    *,
    style: Literal['author', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the c_adamw optimizer: masks update components whose sign disagrees with the gradient.

        u = m̂ √(1 - b₂ᵗ) / (√v + ε)
        k = [u g > 0]
        u = k u / max(mean(k), 10⁻³)

    The authors keep the hyperparameters of AdamW.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      style: whose implementation to follow, one of
          'author': the authors' code: Adam with m̂ √(1 - b₂ᵗ) / (√v + ε)
          'timm': timm: Adam with m̂ / (√v̂ + ε)
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.c_adamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Liang et al., 2024. Cautious Optimizers: Improving Training with One Line of Code.
    https://arxiv.org/abs/2411.16085
    """
    ...

def c_lion(
    learning_rate: ScalarOrSchedule = 0.0001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    *,
    style: Literal['author', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the c_lion optimizer: Lion that masks components whose sign disagrees with the gradient.

        u = sign(b₁ m + (1 - b₁) g)
        k = [u g > 0]
        u = k u n / (Σ k + 1)            n elements in the leaf

    The authors keep the hyperparameters of Lion.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: weight of the momentum in the update, 0 <= b1 < 1.
      b2: decay rate of the momentum m, 0 <= b2 < 1.
      style: whose implementation to follow, one of
          'author': the authors' code: u = k u n / (Σ k + 1)
          'timm': timm: u = k u / max(mean(k), 10⁻³), as in C-AdamW
      mu_dtype: dtype in which m is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.c_lion(learning_rate=0.0001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Liang et al., 2024. Cautious Optimizers: Improving Training with One Line of Code.
    https://arxiv.org/abs/2411.16085
    """
    ...

def came(
    learning_rate: ScalarOrSchedule = 0.0002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    *,
    eps1: ScalarOrSchedule = 1e-30,
    eps2: ScalarOrSchedule = 1e-16,
    clip_threshold: ScalarOrSchedule = 1.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the came optimizer: Adafactor with momentum and a factored estimate of its instability.

        V = average with b₂ of g² + ε₁, factored
        r = g / √V;  r = r / max(1, RMS(r) / d)
        m = b₁ m + (1 - b₁) r
        S = average with b₃ of (r - m)² + ε₂, factored
        u = m / √S                                          u = m for vectors and scalars

    S starts at 0 and has no bias correction, so the first steps are long.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average V of the squared gradients, 0 <= b2 < 1.
      b3: decay rate of the average S of the squared distances from m, 0 <= b3 < 1.
      eps1: ε₁, added to g².
      eps2: ε₂, added to (r - m)².
      clip_threshold: d, the largest RMS of g / √V over a leaf. `math.inf` disables clipping.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which V and S are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or a threshold of 0.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.came(learning_rate=0.0002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Luo et al., 2023. CAME: Confidence-guided Adaptive Memory Efficient Optimization.
    https://arxiv.org/abs/2307.02047
    """
    ...

def dadapt_adam(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    d0: float = 1e-06,
    bias_correction: bool = False,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the dadapt_adam optimizer: learning rate from a lower bound on the distance to the solution.

        k = d lr,  q = √b₂
        r = q r + (1 - q) k ⟨g, s / (√v + ε)⟩              over all leaves, with the previous s and v
        m = b₁ m + (1 - b₁) k g
        v = b₂ v + (1 - b₂) g²
        s = q s + (1 - q) k g
        d = max(d, r / ((1 - q) ‖s‖₁))
        p = p - m / (√v + ε) - k λ p

    d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its present
    value.

    Args:
      learning_rate: a factor of d. Keep it at 1, or pass a schedule from 1 down.
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      d0: initial d, smaller than any plausible value.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.dadapt_adam(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio and Mishchenko, 2023. Learning-Rate-Free Learning by D-Adaptation.
    https://arxiv.org/abs/2301.07733
    """
    ...

def diffgrad(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the diffgrad optimizer: shortens steps, down to one half, where the gradient does not change.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = σ(|g' - g|) · m̂ √(1 - b₂ᵗ) / (√v + ε)        g' the previous gradient, 0 at first

    The authors use `decay_mode="l2"`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      eps_root: added inside the square root.
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.diffgrad(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Dubey et al., 2019. diffGrad: An Optimization Method for Convolutional Neural Networks.
    https://arxiv.org/abs/1909.11015
    """
    ...

def focus(
    learning_rate: ScalarOrSchedule = 0.01,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    *,
    gamma: ScalarOrSchedule = 0.1,
    weight_decay: ScalarOrSchedule | None = None,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared', 'average'] = 'average',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the focus optimizer: sign descent, attracted to the average of past parameters.

        m = b₁ m + (1 - b₁) g
        a = b₂ a + (1 - b₂) p,  â = a / (1 - b₂ᵗ)
        u = sign(m) + γ sign(p - â)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average of the parameters, 0 <= b2 < 1. The authors train GPT-2 with
        0.99.
      gamma: γ, strength of the attraction. It has no effect on the first step, where p equals â.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
          'average': p <- p - lr (u + λ â), as the authors do
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.focus(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Liu, Liu and Gore, 2025. FOCUS: First Order Concentrated Updating Scheme.
    https://arxiv.org/abs/2501.12243
    """
    ...

def grams(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-06,
    *,
    style: Literal['author', 'pytorch_optimizer'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grams optimizer: magnitude of Adam's update with the sign of the present gradient.

        u = sign(g) |m̂ √(1 - b₂ᵗ) / (√v + ε)|

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      style: whose implementation to follow, one of
          'author': the authors' code: Adam with m̂ √(1 - b₂ᵗ) / (√v + ε)
          'pytorch_optimizer': pytorch_optimizer: Adam with m̂ / (√v̂ + ε)
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.grams(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Cao, Li and Song, 2024. Grams: Gradient Descent with Adaptive Momentum Scaling.
    https://arxiv.org/abs/2412.17107
    """
    ...

def grokadamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    b3: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    gamma: ScalarOrSchedule = 0.1,
    clip_norm: float = 1.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grokadamw optimizer: amplifies slow gradients; later leaves have a smaller b₁.

        g = g min(1, c / ‖g‖)
        e = α e + (1 - α) g
        g = g + λ e
        m = βᵢ m + (1 - βᵢ) g,  βᵢ = b₁ (1 - γ)ⁱ           i = 0, 1, … the position of the leaf
        v = b₂ v + (1 - b₂) g²
        u = m √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)

    The author's code lowers α by a signal, the gap between training and validation loss. Pass `b3`
    as a schedule, or change it through `optax.inject_hyperparams`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m of the first leaf, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      b3: α, decay rate of the slow average, 0 <= b3 < 1.
      lamb: λ, weight of the slow average.
      gamma: γ, decrease of b₁ from one leaf to the next, 0 <= gamma <= 1.
      clip_norm: c, the largest norm of the gradient of a leaf. 0 disables clipping.
      mu_dtype: dtype in which m and the slow average are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or gamma above 1.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.grokadamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Hartford, 2024. GrokAdamW. https://github.com/cognitivecomputations/grokadamw
    """
    ...

def grokfast_adamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    b3: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    window: int | None = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grokfast_adamw optimizer: adds a slow average of past gradients to each gradient.

        e = α e + (1 - α) g             e = g at first; or e is the mean of the last n gradients
        g = g + λ e
        u = m̂ / (√v̂ + ε)                m and v the averages of this g and of its square

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      b3: α, decay rate of the slow average, 0 <= b3 < 1.
      lamb: λ, weight of the slow average. The paper uses 2, or 5 with a window.
      window: number n of gradients whose mean is the slow average (Grokfast-MA). It keeps all of
        them. The paper uses 100. None is the exponential average.
      mu_dtype: dtype in which m and the slow average are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or a window below 1.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.grokfast_adamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Lee et al., 2024. Grokfast: Accelerated Grokking by Amplifying Slow Gradients.
    https://arxiv.org/abs/2405.20233
    """
    ...

def kl_shampoo(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-08,
    *,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10000,
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the kl_shampoo optimizer: Shampoo with whitened covariances, Adam for other leaves.

        m = b₁ m + (1 - b₁) G
        U = Q_L (Q_Lᵀ m Q_R / (√(λ_L λ_Rᵀ) + ε)) Q_Rᵀ       Q and λ of `adamjax.kl_soap`

    See `adamjax.soap` for the first step, reproducibility and layouts.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment of Adam, 0 <= b2 < 1.
      eps: ε, also of Adam.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      shampoo_beta: β, decay rate of the covariances, 0 <= β < 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: axes of a matrix with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`, or
        "axes", the authors' choice: each axis of all parameters with two or more has a basis.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range; in `init`, for a parameter with three or more axes and
        no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.kl_shampoo(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Lin et al., 2025. Understanding and Improving Shampoo and SOAP via Kullback-Leibler
    Minimization. https://arxiv.org/abs/2509.03378
    """
    ...

def kl_soap(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-08,
    *,
    solver: str = 'qr',
    style: Literal['author', 'nvidia', 'modded_nanogpt'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10000,
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the kl_soap optimizer: SOAP with whitened covariances.

        L = β L + (1 - β) G Q_R Λ_R⁻¹ Q_Rᵀ Gᵀ / columns,  with eigenvectors Q_L, and R likewise
        H = Q_Lᵀ G Q_R
        Λ_L = β Λ_L + (1 - β) mean(H² / Λ_R)                over the columns, and Λ_R likewise
        U = Q_L (m / (√v + ε)) Q_Rᵀ                         m, v the averages of H and H²

    See `adamjax.soap` for the first step, reproducibility and layouts. `solver="eigh"` with the
    style "nvidia" is NVIDIA's REKLS.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v. With the style "nvidia" also the least eigenvalue.
      solver: "qr", or "eigh" for exact eigenvectors at each update of the bases.
      style: whose implementation to follow, one of
          'author': the authors' code: the first step is 0, and a gradient enters after its step
          'nvidia': NVIDIA: Λ = diag(Qᵀ L Q), and otherwise as for `adamjax.soap`
          'modded_nanogpt': modded-nanogpt: as the authors, without 1 - β at first, and Λ >= 4000⁻²
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      shampoo_beta: β, decay rate of the covariances, 0 <= β < 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: axes of a matrix with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`, or
        "axes", the authors' choice: each axis of all parameters with two or more has a basis.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a number out of range, or an unknown style or solver; in `init`, for a
        parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.kl_soap(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Lin et al., 2025. Understanding and Improving Shampoo and SOAP via Kullback-Leibler
    Minimization. https://arxiv.org/abs/2509.03378
    """
    ...

def lamb(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-06,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    norm_cap: float | None = None,
    style: Literal['paper', 'torch_optimizer', 'optax'] = 'paper',
    weight_decay: ScalarOrSchedule | None = 0.01,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the lamb optimizer: scales each layer's update to the norm of its parameters.

        r = m̂ / (√v̂ + ε) + λ p
        u = r · ‖p‖ / ‖r‖            u = r where a norm is 0

    Keras applies weight decay outside the trust ratio, after the step:
    `decay_mode="decoupled_after"`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      norm_cap: limit of ‖p‖. None is the default of `style`, `math.inf` no limit.
      style: whose implementation to follow, one of
          'paper': the paper, Optax, timm, TensorFlow Addons, PaddlePaddle: bias correction
          'torch_optimizer': torch-optimizer: no bias correction, ‖p‖ limited to 10
          'optax': Optax: style='paper'
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
          'inside': r <- r + λ p, before the trust ratio
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.lamb(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    You et al., 2019. Large Batch Optimization for Deep Learning: Training BERT in 76 minutes.
    https://arxiv.org/abs/1904.00962
    """
    ...

def laprop(
    learning_rate: ScalarOrSchedule = 0.0004,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-15,
    *,
    amsgrad: bool = False,
    centered: bool = False,
    style: Literal['author', 'paper'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'independent_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the laprop optimizer: normalizes gradients by √v̂ first and averages them afterwards.

        v = b₂ v + (1 - b₂) g²
        m = b₁ m + (1 - b₁) lr g / (√v̂ + ε)
        l = b₁ l + (1 - b₁) lr
        u = m / l                          with a constant lr: the average of g / (√v̂ + ε), debiased

    As in the authors' code, weight decay is applied after the step and is not multiplied by the
    learning rate. timm multiplies it: `decay_mode="decoupled_after"`. With style "author" a change
    of the learning rate takes effect as gradually as m forgets, with "paper" at once.

    Args:
      learning_rate: lr, the weight of a gradient in m. A constant cancels in u. Style "paper" does
        not weight gradients.
      b1: decay rate of the average m of the normalized gradients, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      amsgrad: whether to divide by the largest v so far.
      centered: whether to replace v by v - ḡ² after ten steps, where ḡ is an average of g with b₂.
      style: whose implementation to follow, one of
          'author': the authors' code: each gradient is weighted by the learning rate of its step
          'paper': the paper: gradients have equal weights
      mu_dtype: dtype in which m and ḡ are stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.laprop(learning_rate=0.0004)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Ziyin, Wang and Ueda, 2020. LaProp: Separating Momentum and Adaptivity in Adam.
    https://arxiv.org/abs/2002.04839
    """
    ...

def lion(
    learning_rate: ScalarOrSchedule = 0.0001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    *,
    mu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the lion optimizer: sign of an interpolated momentum, no second moment.

        u = sign(b₁ m + (1 - b₁) g)
        m = b₂ m + (1 - b₂) g

    Use a 3 to 10 times smaller learning rate and a 3 to 10 times larger weight decay than with
    AdamW.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: weight of the momentum in the update, 0 <= b1 < 1.
      b2: decay rate of the momentum m, 0 <= b2 < 1.
      mu_dtype: dtype in which m is stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1).

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.lion(learning_rate=0.0001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Chen et al., 2023. Symbolic Discovery of Optimization Algorithms.
    https://arxiv.org/abs/2302.06675
    """
    ...

def lookahead_adam(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    sync_period: int = 5,
    slow_step_size: ScalarOrSchedule = 0.8,
    style: Literal['author', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the lookahead_adam optimizer: resets the parameters every k steps to a slowly moving copy.

        p = p - lr m̂ / (√v̂ + ε)
        s = s + α (p - s), p = s        every k steps

    The optimizer is `adamjax.lookahead(adamjax.adam(...))`. `adamjax.lookahead` works with any
    other optimizer as well.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      sync_period: k, at least 1.
      slow_step_size: α. With 1 it is Adam.
      style: whose implementation to follow, one of
          'author': the authors' code, Optax: s starts as the initial parameters
          'timm': timm: s starts as the parameters after k steps
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.lookahead_adam(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zhang et al., 2019. Lookahead Optimizer: k steps forward, 1 step back.
    https://arxiv.org/abs/1907.08610
    """
    ...

def madgrad(
    learning_rate: ScalarOrSchedule = 0.01,
    momentum: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-06,
    *,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the madgrad optimizer: dual averaging from the initial parameters, with a cube root.

        λ = (lr + ε) √t,  S = S + λ g,  V = V + λ g²
        z = p₀ - S / (∛V + ε)
        p <- β p + (1 - β) z

    Args:
      learning_rate: lr. The step is not proportional to it.
      momentum: β, how slowly p follows z, 0 <= momentum < 1.
      eps: ε, added to lr and to ∛V.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for momentum outside [0, 1), or a negative learning_rate or eps.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.madgrad(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio and Jelassi, 2021. Adaptivity without Compromise: A Momentumized, Adaptive, Dual
    Averaged Gradient Method for Stochastic Optimization. https://arxiv.org/abs/2101.11075
    """
    ...

def mars_adamw(
    learning_rate: ScalarOrSchedule = 0.003,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-08,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    style: Literal['author', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the mars_adamw optimizer: Adam of variance-reduced gradients.

        c = g + γ b₁/(1-b₁) (g - g')            g' the previous gradient, 0 at first
        c = c / max(1, ‖c‖)
        m = b₁ m + (1 - b₁) c
        v = b₂ v + (1 - b₂) c²
        u = m̂ / (√v̂ + ε)                        MARS-Lion: u = sign(m)

    The learning rate and the weight decay apply to all leaves. The authors use a weight decay of
    0.1 for leaves other than matrices: `adamjax.partition_matrices(mars_adamw(...), adamw(...,
    weight_decay=0.1))`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      gamma: γ, weight of the correction.
      optimize_1d: whether leaves other than matrices use the rule too, instead of Adam.
      b1_1d: b₁ of Adam for leaves other than matrices.
      b2_1d: b₂ of Adam for leaves other than matrices.
      style: whose implementation to follow, one of
          'author': the authors' code: g' is 0 at the first step
          'timm': timm: g' is g at the first step
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.mars_adamw(learning_rate=0.003)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Yuan et al., 2024. MARS: Unleashing the Power of Variance Reduction for Training Large Models.
    https://arxiv.org/abs/2411.10438
    """
    ...

def mars_lion(
    learning_rate: ScalarOrSchedule = 0.003,
    b1: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-08,
    *,
    gamma: ScalarOrSchedule = 0.025,
    optimize_1d: bool = False,
    b1_1d: ScalarOrSchedule = 0.9,
    b2_1d: ScalarOrSchedule = 0.95,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the mars_lion optimizer: sign of a momentum of variance-reduced gradients, no second moment.

        c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = sign(b₁ m + (1-b₁) c)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      eps: ε of Adam for leaves other than matrices.
      gamma: γ, weight of the correction.
      optimize_1d: whether leaves other than matrices use the rule too, instead of Adam.
      b1_1d: b₁ of Adam for leaves other than matrices.
      b2_1d: b₂ of Adam for leaves other than matrices.
      mu_dtype: dtype in which m and the previous gradient are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.mars_lion(learning_rate=0.003)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Yuan et al., 2024. MARS: Unleashing the Power of Variance Reduction for Training Large Models.
    https://arxiv.org/abs/2411.10438
    """
    ...

def muon(
    learning_rate: ScalarOrSchedule = 0.02,
    momentum: ScalarOrSchedule = 0.95,
    *,
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    style: Literal['author', 'torch', 'optax', 'keras', 'dion', 'nvidia', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    nesterov: bool | None = None,
    coefficients: str | Sequence[Sequence[float]] | None = None,
    scale: str | None = None,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: DTypeLike | None = None,
    wire_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the muon optimizer: orthogonalized momentum for matrices, Adam for other leaves.

        m = β m + (1 - β) g
        u = β m + (1 - β) g                         Nesterov
        u = √max(1, outputs / inputs) U Vᵀ          of u = U S Vᵀ, by Newton-Schulz iteration

    The learning rate and the weight decay apply to all leaves. `adam_scale` is the ratio of Adam's
    learning rate to Muon's, by default 3e-4 to 0.02. For separate schedules or weight decays, use
    `adamjax.partition_matrices(adamjax.muon(0.02), adamjax.adamw(3e-4, weight_decay=0.1))`. Print
    `adamjax.matrix_layouts(params, layouts)` to see which parameters are trained as matrices.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      b1: b₁ of Adam.
      b2: b₂ of Adam.
      eps: ε of Adam.
      adam_scale: factor of Adam's update, the ratio of its learning rate to Muon's.
      style: whose implementation to follow, one of
          'author': Jordan: m is an average, scale √max(1, outputs / inputs)
          'torch': torch: the same, with X = u / max(‖u‖, ε)
          'optax': Optax: the same for matrices, with bias correction of m and g
          'keras': Keras, Moonlight: m is a sum, scale 0.2 √max(rows, columns)
          'dion': Dion: m is a sum, no Nesterov, Polar Express, scale √(outputs / inputs)
          'nvidia': NVIDIA: no Nesterov, You's coefficients, scale √max(rows, columns)
          'timm': timm: no Nesterov, You's coefficients, scale 0.2 √max(rows, columns)
      mu_dtype: dtype in which momenta are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      scale: "aspect", "rms", "rms_to_rms", "spectral" or "none", see `adamjax.orthogonalize`. None
        is the default of `style`. With "rms" (arXiv:2502.16982) use Adam's learning rate and
        `adam_scale=1`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.muon(learning_rate=0.02)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Jordan et al., 2024. Muon: An optimizer for hidden layers in neural networks.
    https://kellerjordan.github.io/posts/muon
    """
    ...

def muown(
    learning_rate: ScalarOrSchedule = 0.0003,
    momentum: ScalarOrSchedule = 0.95,
    *,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-08,
    adam_scale: ScalarOrSchedule = 1.0,
    norm_fn: Any = None,
    style: Literal['author', 'nvidia'] = 'author',
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    nesterov: bool | None = None,
    coefficients: str | Sequence[Sequence[float]] | None = None,
    scale: str | None = None,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: DTypeLike | None = None,
    wire_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the muown optimizer: Muon for directions of rows, Adam for their lengths.

        W = r v / ‖v‖                       row by row
        d = W / r
        Δr = Σ g d                          over each row
        Δv = (r / n) (g - d Δr)             n = ‖v‖, at first r
        v = n d - lr · muon(Δv)
        r = r - lr · adam(Δr)

    A row of zeros stays zero. NVIDIA's implementation decays lengths alone: use
    `decay_mode="decoupled_after"` with its style.

    Args:
      learning_rate: lr, a number, an array or a schedule. The updates include it.
      momentum: β, 0 <= momentum < 1.
      b1: b₁ of Adam, for lengths and for other leaves.
      b2: b₂ of Adam.
      eps: ε of Adam.
      adam_scale: factor of Adam's update, the ratio of its learning rate to Muon's.
      norm_fn: a function of n before the first step and of the number of steps done, which returns
        n of this step. None is ‖v‖.
      style: whose implementation to follow, one of
          'author': the authors' code: Muon's style "keras"
          'nvidia': NVIDIA: Muon's style "nvidia", with `scale="rms"`
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      mu_dtype: dtype in which momenta are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      scale: "aspect", "rms", "rms_to_rms", "spectral" or "none", see `adamjax.orthogonalize`. None
        is the default of `style`. With "rms" (arXiv:2502.16982) use Adam's learning rate and
        `adam_scale=1`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout; in `update`, if the
        parameters are missing.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.muown(learning_rate=0.0003)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Lion et al., 2026. Muown: Row-Norm Control for Muon Optimization.
    https://arxiv.org/abs/2605.10797
    """
    ...

def nadam(
    learning_rate: ScalarOrSchedule = 0.002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    momentum_decay: ScalarOrSchedule = 0.004,
    style: Literal['torch', 'keras', 'optax', 'mlcommons'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the nadam optimizer: Nesterov momentum, which gives the present gradient a direct share.

        μₖ = b₁ (1 - ½ · 0.96^(k ψ)),  P = μ₁ μ₂ … μₜ
        u  = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m and limit of μ, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      momentum_decay: ψ for style "torch". Other styles ignore it.
      style: whose implementation to follow, one of
          'torch': torch, PaddlePaddle, TensorFlow 1: μₖ = b₁ (1 - ½ · 0.96^(k ψ)), ψ = 0.004
          'keras': Keras: the same with ψ = 1, so μ is close to b₁ from the start
          'optax': Optax: μ = b₁, u = [b₁ m / (1 - b₁ᵗ⁺¹) + (1 - b₁) g / (1 - b₁ᵗ)] / (√v̂ + ε)
          'mlcommons': MLCommons, timm: u = [(b₁ m + (1 - b₁) g) / (1 - b₁ᵗ)] / (√v̂ + ε)
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.nadam(learning_rate=0.002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Dozat, 2016. Incorporating Nesterov Momentum into Adam.
    https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """
    ...

def nadamw(
    learning_rate: ScalarOrSchedule = 0.002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    momentum_decay: ScalarOrSchedule = 0.004,
    style: Literal['torch', 'keras', 'optax', 'mlcommons'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the nadamw optimizer: NAdam with decoupled weight decay.

        u = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε) + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m and limit of μ, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      momentum_decay: ψ for style "torch". Other styles ignore it.
      style: whose implementation to follow, one of
          'torch': torch, PaddlePaddle, TensorFlow 1: μₖ = b₁ (1 - ½ · 0.96^(k ψ)), ψ = 0.004
          'keras': Keras: the same with ψ = 1, so μ is close to b₁ from the start
          'optax': Optax: μ = b₁, u = [b₁ m / (1 - b₁ᵗ⁺¹) + (1 - b₁) g / (1 - b₁ᵗ)] / (√v̂ + ε)
          'mlcommons': MLCommons, timm: u = [(b₁ m + (1 - b₁) g) / (1 - b₁ᵗ)] / (√v̂ + ε)
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.nadamw(learning_rate=0.002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Dozat, 2016. Incorporating Nesterov Momentum into Adam.
    https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """
    ...

def normuon(
    learning_rate: ScalarOrSchedule = 0.02,
    momentum: ScalarOrSchedule = 0.95,
    *,
    muon_b2: ScalarOrSchedule = 0.95,
    muon_eps: ScalarOrSchedule | None = None,
    style: Literal['author', 'dion', 'nvidia'] = 'author',
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    nesterov: bool | None = None,
    coefficients: str | Sequence[Sequence[float]] | None = None,
    scale: str | None = None,
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: DTypeLike | None = None,
    wire_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the normuon optimizer: Muon with a second moment for each row, so that neurons move equally far.

        O = U Vᵀ                            of Muon's momentum U S Vᵀ
        v = b₂ v + (1 - b₂) mean(O²)        over each row
        N = O / (√v + ε)
        u = scale · N ‖O‖ / (‖N‖ + ε)

    Use Muon's learning rate.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1.
      muon_b2: b₂ of the second moment of rows, 0 <= muon_b2 < 1.
      muon_eps: ε of it. None is 1e-10, in other styles than "author" 1e-8.
      style: whose implementation to follow, one of
          'author': the authors' code: Muon's style "author", means over rows
          'dion': Dion: Muon's style "dion", u = scale · N ‖O‖ / max(‖N‖, ε)
          'nvidia': NVIDIA: Muon's style "nvidia", means over the shorter axis, O / √max(v, ε)
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      b1: b₁ of Adam.
      b2: b₂ of Adam.
      eps: ε of Adam.
      adam_scale: factor of Adam's update, the ratio of its learning rate to Muon's.
      mu_dtype: dtype in which momenta are stored, float32 if None.
      nu_dtype: dtype in which v of Adam is stored, float32 if None.
      nesterov: whether to use Nesterov momentum. None is the default of `style`.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`. None is
        the default of `style`.
      scale: "aspect", "rms", "rms_to_rms", "spectral" or "none", see `adamjax.orthogonalize`. None
        is the default of `style`. With "rms" (arXiv:2502.16982) use Adam's learning rate and
        `adam_scale=1`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or an unknown style or scale;
        in `init`, for a parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.normuon(learning_rate=0.02)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Li et al., 2025. NorMuon: Making Muon more efficient and scalable.
    https://arxiv.org/abs/2510.05491
    """
    ...

def novograd(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    grad_averaging: bool = False,
    style: Literal['paper', 'tensorflow', 'openseq2seq', 'optax'] = 'paper',
    weight_decay: ScalarOrSchedule | None = None,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the novograd optimizer: layer-wise normalized gradients, then momentum.

        v = b₂ v + (1 - b₂) ‖g‖²                     v = ‖g‖² at t = 1
        m = b₁ m + g / (√v + ε) + λ p                times 1 - b₁ with grad_averaging
        u = m

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the average v of the squared norms, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      eps_root: added to v under the root, except in style "openseq2seq".
      grad_averaging: whether to multiply the additions to m by 1 - b₁.
      style: whose implementation to follow, one of
          'paper': the paper, Optax, timm
          'tensorflow': TensorFlow Addons: the same, with grad_averaging from the second step
          'openseq2seq': the authors' code, without an average: g / √(‖g‖² + ε)
          'optax': Optax: style='paper'
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
          'inside': m <- m + λ p, before the momentum
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.novograd(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Ginsburg et al., 2019. Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training
    of Deep Networks. https://arxiv.org/abs/1905.11286
    """
    ...

def padam(
    learning_rate: ScalarOrSchedule = 0.1,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    partial: ScalarOrSchedule = 0.25,
    style: Literal['author', 'pytorch_optimizer'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the padam optimizer: AMSGrad with a power of the denominator, between SGD and Adam.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        w = max(w, v)
        u = √(1 - b₂ᵗ) / (1 - b₁ᵗ) · m / (√w + ε)^(2 q)

    The authors use `decay_mode="l2"`. A `partial` below 1/2 needs a learning rate closer to that of
    SGD.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √w.
      partial: q, 0 <= partial <= 1/2. 1/2 is AMSGrad, 0 is momentum alone.
      style: whose implementation to follow, one of
          'author': the authors' code: w is the largest v so far, as in AMSGrad
          'pytorch_optimizer': pytorch_optimizer: w is v, as in Adam
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v and its maximum are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, partial outside [0, 1/2] or an
        unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.padam(learning_rate=0.1)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Chen et al., 2018. Closing the Generalization Gap of Adaptive Gradient Methods in Training Deep
    Neural Networks. https://arxiv.org/abs/1806.06763
    """
    ...

def prodigy(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    b3: ScalarOrSchedule | None = None,
    d0: float = 1e-06,
    d_coef: ScalarOrSchedule = 1.0,
    bias_correction: bool = False,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the prodigy optimizer: learning rate from an estimate of the distance to the solution.

        r = √b₂ r + d² lr / d₀ ⟨g, p₀ - p⟩                 over all leaves
        m = b₁ m + (1 - b₁) d g
        v = b₂ v + (1 - b₂) d² g²
        s = √b₂ s + d² lr / d₀ g
        k = d lr
        d = max(d, c r / ‖s‖₁)
        p = p - k (m / (√v + d ε) + λ p)

    d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its present
    value. In bfloat16 and float16, the first steps, of about d0, change only parameters near 0. If
    there are hardly any, d does not increase. Use `param_rounding="stochastic"`.

    Args:
      learning_rate: a factor of d. Keep it at 1, or pass a schedule from 1 down.
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, in units of d.
      b3: decay rate of r and s, 0 <= b3 < 1. None is √b2.
      d0: initial d, smaller than any plausible value.
      d_coef: c, a factor of the estimate of d.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: bias_correction=True
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.prodigy(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Mishchenko and Defazio, 2023. Prodigy: An Expeditiously Adaptive Parameter-Free Learner.
    https://arxiv.org/abs/2306.06101
    """
    ...

def qhadam(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    nu1: ScalarOrSchedule = 1.0,
    nu2: ScalarOrSchedule = 1.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the qhadam optimizer: interpolates both averages with the present gradient.

        u = ((1 - ν₁) g + ν₁ m̂) / (√((1 - ν₂) g² + ν₂ v̂) + ε)

    The authors recommend `nu1=0.7`, or `nu1=0.8` with `b1=0.95`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      nu1: ν₁, weight of m. 1 is Adam, 0 has no momentum.
      nu2: ν₂, weight of v, 0 <= nu2 <= 1. With 0 the denominator is |g| + ε.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), nu2 outside [0, 1], or a negative eps or nu1.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.qhadam(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Ma and Yarats, 2018. Quasi-hyperbolic momentum and Adam for deep learning.
    https://arxiv.org/abs/1810.06801
    """
    ...

def radam(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    threshold: ScalarOrSchedule = 5.0,
    style: Literal['torch', 'optax', 'author'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the radam optimizer: scales down the first updates while v is unreliable: a built-in warm-up.

        r∞ = 2 / (1 - b₂) - 1
        r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
        u  = √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r)) · m̂ / (√v̂ + ε)    if r > 5, else m̂

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1. Below 2/3 the rectification never starts.
      eps: ε, placed according to `style`.
      eps_root: added inside the square root.
      threshold: the value of r from which updates are rectified, at least 4.
      style: whose implementation to follow, one of
          'torch': torch: m̂ √(1 - b₂ᵗ) / (√v + ε), rectified if r > threshold, else m̂
          'optax': Optax, optimi: m̂ / (√v̂ + ε), rectified if r >= threshold, else m̂
          'author': the authors' code: as torch, rectified if r >= threshold, else no step
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, a threshold below 4 or an unknown
        style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.radam(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Liu et al., 2019. On the Variance of the Adaptive Learning Rate and Beyond.
    https://arxiv.org/abs/1908.03265
    """
    ...

def ranger(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-05,
    *,
    threshold: ScalarOrSchedule = 5.0,
    sync_period: int = 6,
    slow_step_size: ScalarOrSchedule = 0.5,
    centralize: bool = True,
    out_axis: int = -1,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the ranger optimizer: RAdam with gradient centralization and Lookahead.

        g = g - mean(g)                 over the inputs of each neuron
        p = p - lr u                    u of RAdam
        s = s + α (p - s), p = s        every k steps

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, see `adamjax.radam`.
      threshold: see `adamjax.radam`.
      sync_period: k, at least 1.
      slow_step_size: α, 0 <= α <= 1.
      centralize: whether to centralize gradients. The first versions of Ranger did not.
      out_axis: axis of the outputs of a kernel: -1 in Flax, 0 in torch.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.ranger(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Wright, 2019. Ranger - a synergistic optimizer. https://github.com/lessw2020/Ranger-Deep-
    Learning-Optimizer
    """
    ...

def rmsprop(
    learning_rate: ScalarOrSchedule = 0.01,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-08,
    *,
    momentum: ScalarOrSchedule | None = None,
    centered: bool = False,
    initial_accumulator_value: float = 0.0,
    style: Literal['torch', 'keras', 'optax'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the rmsprop optimizer: no momentum and no bias correction.

        v = b₂ v + (1 - b₂) g²
        d = g / (√v + ε)         centered: v - ḡ² in place of v, ḡ the average of g
        u = d                    with momentum: B = β B + d, u = B

    The defaults are those of torch. Keras and TensorFlow use b₂ = 0.9, and the first RMSProp of
    TensorFlow starts with v = 1.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b2: decay rate of v and ḡ, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      momentum: β, 0 <= momentum < 1. None is no momentum.
      centered: whether to divide by the standard deviation instead of the root mean square.
      initial_accumulator_value: v before the first step.
      style: whose implementation to follow, one of
          'torch': torch, MLX: d = g / (√v + ε)
          'keras': Keras, Optax: d = g / √(v + ε)
          'optax': Optax: style='keras'
      mu_dtype: dtype in which B and ḡ are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b2 or momentum outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.rmsprop(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Hinton, Srivastava and Swersky, 2012. Neural Networks for Machine Learning, lecture 6e: RMSProp.
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
    """
    ...

def schedule_free_adamw(
    learning_rate: ScalarOrSchedule = 0.0025,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    style: Literal['author', 'paper', 'keras', 'optax'] = 'author',
    nu_dtype: DTypeLike | None = None,
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_adamw optimizer: averages iterates instead of decaying the learning rate.

        z = z - lr (g / (√v̂ + ε) + λ y)        lr after a linear warm-up
        x = (1-c) x + c z                       c = lr² / Σ lr²
        y = b₁ x + (1-b₁) z                     the parameters; evaluate the model at x

    AdamW's learning rate is a good start. The parameters are y. Evaluate and save x,
    `adamjax.eval_params(state, params)`. For another optimizer use `adamjax.schedule_free`.

    Args:
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      style: whose implementation to follow, one of
          'author': the authors' code: z - lr g / (√v̂ + ε)
          'paper': the paper: z - lr √(1 - b₂ᵗ) g / (√v + ε), where lr √(1 - b₂ᵗ) is also the lr of c
          'keras': Keras: x is the unweighted mean; weight decay applies to y alone, without warm-up
          'optax': Optax: the warm-up of z is one step behind that of c
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.schedule_free_adamw(learning_rate=0.0025)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio et al., 2024. The Road Less Scheduled. https://arxiv.org/abs/2405.15682
    """
    ...

def schedule_free_radam(
    learning_rate: ScalarOrSchedule = 0.0025,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    nu_dtype: DTypeLike | None = None,
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_radam optimizer: Schedule-Free AdamW with RAdam's rectification.

        r∞ = 2 / (1 - b₂) - 1
        r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
        lr = lr √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r))    if r > 4, else 0
        z  = z - lr (g / (√v̂ + ε) + λ y)
        x  = (1-c) x + c z                                      c = lr² / Σ lr²
        y  = b₁ x + (1-b₁) z                                    the parameters; evaluate the model at x

    The parameters are y. Evaluate and save x, `adamjax.eval_params(state, params)`.

    Args:
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.schedule_free_radam(learning_rate=0.0025)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio et al., 2024. The Road Less Scheduled. https://arxiv.org/abs/2405.15682
    """
    ...

def schedule_free_sgd(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    *,
    warmup_steps: int = 0,
    weight_lr_power: float = 2.0,
    r: float = 0.0,
    style: Literal['author', 'optax'] = 'author',
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_sgd optimizer: SGD with averaged iterates instead of learning rate decay.

        z = z - lr (g + λ y)                    lr after a linear warm-up
        x = (1-c) x + c z                       c = lr² / Σ lr²
        y = b₁ x + (1-b₁) z                     the parameters; evaluate the model at x

    The parameters are y. Evaluate and save x, `adamjax.eval_params(state, params)`.

    Args:
      learning_rate: a number, or a schedule that does not decrease.
      b1: b₁, weight of x in y, 0 <= b1 < 1.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: power of the largest lr so far in the weights of the average.
      r: power of t in the weights of the average.
      style: whose implementation to follow, one of
          'author': the authors' code
          'optax': Optax: the warm-up of z is one step behind that of c
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.schedule_free_sgd(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio et al., 2024. The Road Less Scheduled. https://arxiv.org/abs/2405.15682
    """
    ...

def scion(
    learning_rate: ScalarOrSchedule = 0.000244140625,
    momentum: ScalarOrSchedule = 0.9,
    *,
    norm: str = 'spectral',
    radius: ScalarOrSchedule = 50.0,
    other_norm: str = 'sign',
    other_radius: ScalarOrSchedule = 4.0,
    coefficients: str | Sequence[Sequence[float]] = 'jordan',
    ns_steps: int | None = None,
    ns_eps: float | None = None,
    ns_dtype: DTypeLike | None = None,
    wire_dtype: DTypeLike | None = None,
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    mu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 1.0,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the scion optimizer: momentum in a norm ball: orthogonal matrices, signs of other leaves.

        m = β m + (1 - β) g
        u = R · √(rows / columns) U Vᵀ     of m = U S Vᵀ, or another norm of the matrix m
        u = R · sign(m)                    other leaves
        p <- p - lr (u + p)                it stays in the ball of radius R

    The weight decay of 1 keeps parameters in balls of radius R. Without it (`weight_decay=0`) Scion
    is unconstrained.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1, 1 - α in the paper.
      norm: norm of matrices (outputs, inputs): "spectral"; "spectral_max", with a factor √max(1,
        outputs / inputs); "sign", sign(m) / inputs; "columns", each column by its root mean square,
        over inputs; "rows", each row by its norm, over √inputs.
      radius: R of matrices.
      other_norm: norm of other leaves: "sign", or "rms", their root mean square over the first
        axis.
      other_radius: R of other leaves. The authors' 3000, which they divide by the width 768.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`.
      ns_steps: number of Newton-Schulz steps. None is that of the coefficients.
      ns_eps: ε of the Newton-Schulz iteration. None is that of the coefficients.
      ns_dtype: dtype of its products, such as "bfloat16". None is float32.
      wire_dtype: dtype in which devices exchange matrices. None is float32.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`: "flax",
        "torch", a layout such as "embed heads dim -> (heads dim) embed", or a dict from patterns to
        these. None takes parameters with two axes as (inputs, outputs), except biases, embeddings,
        output heads and similar ones.
      mu_dtype: dtype in which momenta are stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a momentum outside [0, 1), a negative number, or an unknown norm; in `init`,
        for a parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.scion(learning_rate=0.000244140625)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Pethick et al., 2025. Training Deep Learning Models with Norm-Constrained LMOs.
    https://arxiv.org/abs/2502.07529
    """
    ...

def sgd(
    learning_rate: ScalarOrSchedule = 0.01,
    momentum: ScalarOrSchedule | None = None,
    nesterov: bool = False,
    *,
    mu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sgd optimizer: one step size for all elements, no second moment.

        B = β B + g
        u = B            Nesterov: u = g + β B

    As in torch and Optax, the learning rate is not part of the buffer.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1. None is no momentum.
      nesterov: whether to use Nesterov momentum. It needs a `momentum`.
      mu_dtype: dtype in which B is stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for momentum outside [0, 1), or Nesterov without momentum.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.sgd(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Polyak, 1964. Some methods of speeding up the convergence of iteration methods.
    https://doi.org/10.1016/0041-5553(64)90137-5
    """
    ...

def sgdp(
    learning_rate: ScalarOrSchedule = 0.01,
    momentum: ScalarOrSchedule = 0.9,
    nesterov: bool = False,
    *,
    eps: float = 1e-08,
    delta: float = 0.1,
    out_axis: int = -1,
    style: Literal['author', 'timm'] = 'author',
    mu_dtype: DTypeLike | None = None,
    wd_ratio: float = 0.1,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sgdp optimizer: SGD with momentum that keeps scale-invariant weights from growing.

        B = β B + g
        u = B                         Nesterov: u = g + β B
        u = u - (u·n) n,  λ = r λ     where |cos(g, p)| < δ/√n of all neurons or of the leaf; n = p/‖p‖
        p <- p - lr (u + λ / (1 - β) p)

    The authors' code has no momentum by default. Their experiments use 0.9.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= momentum < 1.
      nesterov: whether to use Nesterov momentum.
      eps: ε, added to norms.
      delta: δ, threshold of the cosine. With 0 it is SGD with momentum.
      out_axis: axis of the outputs of a kernel: -1 in Flax, 0 in torch.
      style: whose implementation to follow, one of
          'author': the authors' code: without Nesterov momentum, B itself is projected
          'timm': timm: B is never projected
      mu_dtype: dtype in which B is stored, float32 if None.
      wd_ratio: r, a factor of λ for leaves with a projected update, except for "l2".
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for momentum outside [0, 1), a negative eps or delta, or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.sgdp(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Heo et al., 2020. AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant
    Weights. https://arxiv.org/abs/2006.08217
    """
    ...

def simplified_ademamix(
    learning_rate: ScalarOrSchedule = 0.0001,
    b1: ScalarOrSchedule = 0.99,
    b2: ScalarOrSchedule = 0.95,
    alpha: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    style: Literal['author', 'optax'] = 'author',
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the simplified_ademamix optimizer: momentum as a sum, plus a multiple of the gradient.

        M = b₁ M + g
        v = b₂ v + (1 - b₂) g²
        u = (M + α g) / (√v̂ + ε)

    Updates are up to 1 / (1 - b₁) times as large as Adam's. Reduce the learning rate accordingly.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum M, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      alpha: α, weight of the present gradient.
      eps: ε, added outside the square root.
      eps_root: added inside the square root.
      mu_dtype: dtype in which M is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      style: whose implementation to follow, one of
          'author': the default
          'optax': Optax: the same
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.simplified_ademamix(learning_rate=0.0001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Morwani et al., 2025. Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated
    SGD Variants. https://arxiv.org/abs/2502.02431
    """
    ...

def soap(
    learning_rate: ScalarOrSchedule = 0.003,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-08,
    *,
    normalize: bool = False,
    style: Literal['author', 'nvidia'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10000,
    layouts: str | Mapping[str, Any] | Callable[[Any], Any] | Any | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the soap optimizer: Adam in the eigenbasis of the gradient covariances.

        L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  with eigenvectors Q_L, Q_R
        H = Q_Lᵀ G Q_R
        U = Q_L (m̂ √(1 - b₂ᵗ) / (√v + ε)) Q_Rᵀ              m, v the averages of H and H²

    With the style "author" the first step only initializes the bases: the update and the weight
    decay are 0. Without `layouts`, parameters with two axes are matrices, except biases,
    embeddings, output heads and similar ones, which Adam trains.

    The update is not reproducible while a covariance is rank deficient, as in the first steps of a
    matrix that is not square. Rounding then decides the eigenvectors of eigenvalue 0, so that
    updates differ between devices and compilers. Later steps inherit the difference. With
    `max_size` below the longer side only the shorter side has a basis, which has full rank.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      normalize: whether to divide the update of each matrix by its root mean square.
      style: whose implementation to follow, one of
          'author': the authors' code: the first step is 0, and a gradient enters after its step
          'nvidia': NVIDIA: a gradient enters L and R before its step, all averages are free of bias, and v is not permuted with the eigenvectors
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      shampoo_beta: β, decay rate of the covariances, 0 <= β < 1. None is b2.
      precondition_frequency: number of steps between updates of the bases.
      max_size: axes of a matrix with more elements are not rotated.
      layouts: the axes of each parameter that form matrices, see `adamjax.matrix_layouts`, or
        "axes", the authors' choice: each axis of all parameters with two or more has a basis.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative eps, a precondition_frequency below 1,
        or an unknown style; in `init`, for a parameter with three or more axes and no layout.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.soap(learning_rate=0.003)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Vyas et al., 2024. SOAP: Improving and Stabilizing Shampoo using Adam.
    https://arxiv.org/abs/2409.11321
    """
    ...

def sophia(
    learning_rate: ScalarOrSchedule = 0.0001,
    b1: ScalarOrSchedule = 0.965,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-15,
    *,
    rho: ScalarOrSchedule = 0.04,
    style: Literal['author', 'optax'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.1,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sophia optimizer: divides by an estimate of the Hessian diagonal, and clips.

        m = b₁ m + (1 - b₁) g
        h = b₂ h + (1 - b₂) ĥ                     on steps with an estimate ĥ
        u = clip(m / max(ρ h, ε), ±1)

    Pass an estimate as `update(..., hessian=...)` every few steps, see `adamjax.scale_by_sophia`.
    The authors make one every 10 steps. The Gauss-Newton-Bartlett estimate of Sophia-G is n ĝ²,
    where ĝ is the gradient of the mean loss of n examples with labels sampled from the model. The
    authors choose ρ so that 10% to 50% of the elements are not clipped.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the curvature h, 0 <= b2 < 1.
      eps: ε, the smallest denominator.
      rho: ρ, weight of the curvature (γ in the paper).
      style: whose implementation to follow, one of
          'author': the authors' code
          'optax': Optax: m̂ in place of m, and an estimate counts from the next step on
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which h is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style, or a
        `hessian` that does not fit.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.sophia(learning_rate=0.0001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Liu et al., 2023. Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-
    training. https://arxiv.org/abs/2305.14342
    """
    ...

def stable_adamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-06,
    *,
    weight_decay: ScalarOrSchedule | None = 0.01,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the stable_adamw optimizer: clips each leaf's update where gradients exceed √v̂.

        r = m̂ / (√v̂ + ε) + λ p
        u = r / max(1, RMS(g / max(√v̂, ε)))

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root, and lower limit of √v̂ in the RMS.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
          'inside': u <- u + λ p, before the update is clipped
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), or a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.stable_adamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Wortsman et al., 2023. Stable and low-precision training for large-scale vision-language models.
    https://arxiv.org/abs/2304.13013
    """
    ...

def tiger(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.965,
    *,
    mu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the tiger optimizer: sign of the momentum, no second moment.

        m = b₁ m + (1 - b₁) g
        u = sign(m)

    The author's code also multiplies the learning rate of matrices by RMS(p) and halves that of
    biases and scales. For a similar effect, chain `optax.scale_by_param_block_rms` behind
    `adamjax.scale_by_tiger`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      mu_dtype: dtype in which m is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 outside [0, 1).

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.tiger(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Su, 2023. Tiger: A Tight-fisted Optimizer. https://kexue.fm/archives/9512
    """
    ...

def yogi(
    learning_rate: ScalarOrSchedule = 0.01,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 0.001,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    initial_accumulator_value: float = 1e-06,
    style: Literal['tensorflow', 'optax'] = 'tensorflow',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'cautious', 'lr_squared'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the yogi optimizer: v changes by a multiple of g² instead of v - g².

        m = b₁ m + (1 - b₁) g
        v = v - (1 - b₂) sign(v - g²) g²
        u = m̂ / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: 1 - b2 is the rate at which v changes, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      eps_root: added inside the square root.
      initial_accumulator_value: v, and m for style "optax", before the first step.
      style: whose implementation to follow, one of
          'tensorflow': TensorFlow Addons: u = m̂ √(1 - b₂ᵗ) / (√v + ε), initially v = 1e-6, m = 0
          'optax': Optax, torch-optimizer: u = m̂ / (√v̂ + ε), initially v = m = 1e-6
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u, one of
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'cautious': p <- p - lr (u + λ p [u p >= 0])
          'lr_squared': p <- p - lr u - lr² λ p
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns of leaf paths such as `"*kernel"` or `["!*bias"]`.
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number or an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.yogi(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zaheer et al., 2018. Adaptive Methods for Nonconvex Optimization.
    https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization
    """
    ...
