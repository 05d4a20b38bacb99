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
from adamjax.modifiers.adagc import adagc as adagc
from adamjax.modifiers.cautious import cautious as cautious
from adamjax.modifiers.cautious import cautious_decay as cautious_decay
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
from adamjax.schedules import cosine_cycle_schedule as cosine_cycle_schedule
from adamjax.schedules import inverse_epoch_schedule as inverse_epoch_schedule
from adamjax.sharding import sharded as sharded
from adamjax.sharding import state_shardings as state_shardings
from adamjax.storage.rounding import round_params as round_params
from adamjax.storage.store import convert_state as convert_state
from adamjax.storage.store import store as store
from adamjax.tracking import Recorder as Recorder
from adamjax.tracking import metrics as metrics
from adamjax.tracking import track as track
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
from adamjax.variants.lamb import scale_by_lamb as scale_by_lamb
from adamjax.variants.laprop import scale_by_laprop as scale_by_laprop
from adamjax.variants.lion import scale_by_lion as scale_by_lion
from adamjax.variants.madgrad import scale_by_madgrad as scale_by_madgrad
from adamjax.variants.mars_adamw import scale_by_mars_adamw as scale_by_mars_adamw
from adamjax.variants.mars_adamw import scale_by_mars_lion as scale_by_mars_lion
from adamjax.variants.muon import scale_by_muon as scale_by_muon
from adamjax.variants.nadam import scale_by_nadam as scale_by_nadam
from adamjax.variants.novograd import scale_by_novograd as scale_by_novograd
from adamjax.variants.padam import scale_by_padam as scale_by_padam
from adamjax.variants.qhadam import scale_by_qhadam as scale_by_qhadam
from adamjax.variants.radam import scale_by_radam as scale_by_radam
from adamjax.variants.rmsprop import scale_by_rmsprop as scale_by_rmsprop
from adamjax.variants.sgd import scale_by_sgd as scale_by_sgd
from adamjax.variants.sgdp import scale_by_sgdp as scale_by_sgdp
from adamjax.variants.simplified_ademamix import scale_by_simplified_ademamix as scale_by_simplified_ademamix
from adamjax.variants.soap import scale_by_soap as scale_by_soap
from adamjax.variants.sophia import scale_by_sophia as scale_by_sophia
from adamjax.variants.stable_adamw import scale_by_stable_adamw as scale_by_stable_adamw
from adamjax.variants.tiger import scale_by_tiger as scale_by_tiger
from adamjax.variants.yogi import scale_by_yogi as scale_by_yogi
from adamjax.wrappers.averaging import ema_params as ema_params
from adamjax.wrappers.averaging import swa as swa
from adamjax.wrappers.evaluation import eval_params as eval_params
from adamjax.wrappers.lazy_rows import lazy_rows as lazy_rows
from adamjax.wrappers.lookahead import lookahead as lookahead
from adamjax.wrappers.sam import sam as sam
from adamjax.wrappers.schedule_free import schedule_free as schedule_free

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the acprop optimizer: divides the gradient itself by the spread of those before it.

        u = g / (√v̂ + ε)                     v of the steps before; the first step is g
        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) (g - m)² + ε_root

    The authors also offer RAdam's rectification, on by default in their code and not in the paper;
    it is not here.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared distances from m, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added to v at every step, and kept in it. The authors have one number for both.
        With both 0, an element does not move until one of its gradients has differed from m.
      style: "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    style: Literal['author', 'paper', 'amsgrad'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adabelief optimizer: averages (g - m)², the surprise, in place of g².

        m = b₁ m + (1 - b₁) g
        s = b₂ s + (1 - b₂) (g - m)² + ε
        u = m̂ / (√ŝ + ε)        rectified as RAdam's is, in the authors' code

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average s of the squared surprises, 0 <= b2 < 1.
      eps: ε, added to s at each step, where it stays, and to its root.
      style: "author", "paper" or "amsgrad", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which s and its maximum are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adabound optimizer: holds each step size between two closing bounds, to end as SGD with momentum.

        k = √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
        f = final_lr / base_lr
        u = clip(k, f (1 - 1/(γ t + 1)), f (1 + 1/(γ t))) m          AMSBound: max v in place of v

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      gamma: γ, how fast the bounds close, per step.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      final_lr: learning rate of the gradient descent at the end, when lr is `base_lr`. A schedule
        scales both.
      base_lr: the learning rate that `final_lr` belongs to. None is `learning_rate` itself. Needed
        if that is a schedule or injected (`optax.inject_hyperparams`).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, or a gamma of 0.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amsbound optimizer: AdaBound with the running maximum of v.

        w = max(w, v);  u = clip(√(1-b₂ᵗ) / (1-b₁ᵗ) / (√w + ε), f (…), f (…)) m

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      final_lr: learning rate of the gradient descent at the end, when lr is `base_lr`. A schedule
        scales both.
      base_lr: the learning rate that `final_lr` belongs to. None is `learning_rate` itself. Needed
        if that is a schedule or injected (`optax.inject_hyperparams`).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adadelta optimizer: multiplies by the size of its own recent steps; no momentum, no bias correction.

        v = b₂ v + (1 - b₂) g²
        u = √(x + ε) / √(v + ε) · g
        x = b₂ x + (1 - b₂) u²

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b2: decay of both averages, 0 <= b2 < 1 (the paper's ρ).
      eps: ε under both roots; it sets the size of the first steps.
      nu_dtype: dtype in which v and x are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b2 outside [0, 1) or a negative eps.

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
    b2_cap: ScalarOrSchedule | None = None,
    eps1: ScalarOrSchedule | None = None,
    eps2: ScalarOrSchedule = 0.001,
    clip_threshold: ScalarOrSchedule | None = None,
    momentum: ScalarOrSchedule | None = None,
    scale_parameter: bool | None = None,
    min_dim_size_to_factor: int | None = None,
    style: Literal['paper', 't5', 'torch', 'bigvision'] = 'paper',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'scaled'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adafactor optimizer: keeps row and column means of g² only, no momentum; steps relative to RMS(p).

        b = 1 - t^-0.8
        R, C = averages with b of the row and column means of g² + ε₁;  V = R Cᵀ / mean(R)
        u = g / √V;  u = u / max(1, RMS(u) / d)
        p <- p - max(ε₂, RMS(p)) · min(10⁻², 1/√t) · u

    T5X and Optax do not multiply the decay by the learning rate: this is "independent".

    Args:
      learning_rate: None is the paper's relative step, min(10⁻², 1/√t). With style "torch" it is
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'scaled': p <- p - lr (u + λ max(ε₂, RMS(p)) p), as in Hugging Face
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a negative number, a momentum outside [0, 1), an unknown style.

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
    style: Literal['torch', 'keras'] = 'torch',
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adagrad optimizer: sums the squares instead of averaging them, and has no momentum.

        s = s + g²
        u = g / (√s + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      eps: ε, placed as `style` says.
      initial_accumulator_value: s before the first step, not negative.
      style: "torch" or "keras", see `STYLES`.
      nu_dtype: dtype in which s is stored; None for float32. A sum in bfloat16 soon stands still.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a negative number or an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adai optimizer: one step size for all elements; it is momentum that is adapted, by v.

        v = b₂ v + (1 - b₂) g²
        k = clip(b₀ v / mean(v), ε, 1)          the mean over all leaves
        m = m + k (g - m),  w = w + k (1 - w)
        u = m / w

    With `weight_decay`, "decoupled", it is AdaiW.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b0: b₀, how fast an element of the mean v forgets.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, the slowest rate; without it, what has no gradient for long never forgets.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b2 outside [0, 1), a negative b0 or eps.

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
    style: Literal['torch', 'keras', 'mlx'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam optimizer: the method that all others are compared with.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = m / (1 - b₁ᵗ) / (√(v / (1 - b₂ᵗ)) + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says; torch and Optax take 1e-8, Keras 1e-7.
      eps_root: added under the root, √(v̂ + eps_root), for differentiating through the update.
      style: "torch", "keras" or "mlx", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32. bfloat16 freezes v at b2 = 0.999.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam_atan2 optimizer: an angle in place of the quotient, and no ε.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = a · atan2(m̂, b √v̂)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      a: the scale of the angle; 4/π, about 1.27, makes u = 1 where m̂ = √v̂.
      b: how far m̂ / √v̂ may go before the angle saturates.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative a or b.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adam_mini optimizer: one v for each neuron or other block of elements.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) mean(g²)            the mean over a block
        u = m̂ / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of the mean squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added under the root.
      kept: the axes of matrices and tensors along which v differs from element to element: the
        last is the neurons of a kernel in Flax, () makes one v for all of the leaf. Or axes by
        patterns on the leaf's name, of which the first that matches counts; for leaves that match
        none it is the last axis. The authors keep tokens of embeddings and heads of queries and
        keys, which is {"*embedding": 0, "*query/kernel": 1, "*key/kernel": 1} in Flax.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number; in `init`, for an axis that a
      leaf has not.

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
    style: Literal['torch', 'keras', 'paddle'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamax optimizer: divides by a decayed maximum of |g| instead of the root mean square.

        m = b₁ m + (1 - b₁) g
        v = max(b₂ v, |g| + ε)
        u = m / (1 - b₁ᵗ) / v

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the maximum, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "torch", "keras" or "paddle", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    style: Literal['torch', 'keras', 'paddle'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamaxw optimizer: Adamax with weight decay taken from the parameter itself.

        v = max(b₂ v, |g| + ε);  u = m̂ / v + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the maximum, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "torch", "keras" or "paddle", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamc optimizer: AdamW whose weight decay follows the square of the learning rate.

        u = m̂ / (√v̂ + ε) + (lr / max(lr)) λ p

    The paper applies its decay to layers in front of a normalization, and AdamW's to the others:
    `optax.partition` gives each its own.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says; torch and Optax take 1e-8, Keras 1e-7.
      eps_root: added under the root, √(v̂ + eps_root), for differentiating through the update.
      style: "torch", "keras" or "mlx", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32. bfloat16 freezes v at b2 = 0.999.
      max_lr: max(lr), the peak of the schedule. None for a constant learning rate, with which it is
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamg optimizer: puts a step size made of v into the gradient, so that the learning rate is 1.

        v = b₂ v + (1 - b₂) g²
        r = b₃ r + (1 - b₃) p v^q
        m = b₁ m + (1 - b₁) r g
        u = m̂ / (√v̂ + ε)                  with the step size min(lr, 1/√t)

    Weight decay is multiplied by the step size min(lr, 1/√t).

    Args:
      learning_rate: the cap of the step size 1/√t.
      b1: decay of the average m of r g, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      b3: decay of the average r, 0 <= b3 < 1.
      p: factor of the step size p v^q.
      q: its exponent.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and r are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamod optimizer: holds each step size below its own average over the past.

        h = lr √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
        H = b₃ H + (1 - b₃) h
        p <- p - min(h, H) m

    Args:
      learning_rate: multiplies the direction, inside of the average: H lags behind a schedule.
        1 leaves it to the rest of the chain.
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε. Where both are 0, so that nothing but zeros was seen, h is 0.
      b3: decay of the average H of the step sizes, 0 <= b3 < 1.
      eps_root: added under the root.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and H are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamp optimizer: takes out of the direction what would make scale-invariant weights grow.

        u = m̂ / (√v̂ + ε)
        u = u - (u·n) n,  λ = r λ     where |cos(g, p)| < δ/√n of all neurons or of the leaf; n = p/‖p‖

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root, and that of the lengths.
      delta: δ; with 0 it is Adam.
      out_axis: the axis of the neurons, see `adamjax.projection`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      wd_ratio: r, the share of the weight decay for leaves with a projected update. "l2" has all of
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or delta.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.adamp(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Heo et al., 2020. AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant
    Weights. https://arxiv.org/abs/2006.08217
    """
    ...

def adamw(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    style: Literal['torch', 'keras', 'mlx'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adamw optimizer: takes weight decay from the parameter itself, not through the gradient.

        u = m̂ / (√v̂ + ε) + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says; torch and Optax take 1e-8, Keras 1e-7.
      eps_root: added under the root, √(v̂ + eps_root), for differentiating through the update.
      style: "torch", "keras" or "mlx", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32. bfloat16 freezes v at b2 = 0.999.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'proximal',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adan optimizer: looks ahead by the average change of the gradient.

        d = g - g_prev                            0 at t = 1
        m = b₁ m + (1 - b₁) g
        n = b₂ n + (1 - b₂) d
        v = b₃ v + (1 - b₃) (g + b₂ d)²
        u = (m̂ + b₂ n̂) / (√v̂ + ε)
        p <- (p - lr u) / (1 + lr λ)

    The authors' no_prox=True is `decay_mode="decoupled"`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1 (1 less the paper's β₁).
      b2: decay of the average n of their changes, and its share, 0 <= b2 < 1.
      b3: decay of the average v of the squares, 0 <= b3 < 1.
      eps: ε, outside the root.
      eps_root: added under the root.
      style: "author" or "optax", see `STYLES`.
      mu_dtype: dtype in which m, n and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adashift optimizer: makes v of gradients that are not in m, those before the last n.

        m = Σ b₁ⁱ g₋ᵢ / Σ b₁ⁱ              i = 0 … n-1, g₋ᵢ the gradient of i steps before
        v = b₂ v + (1 - b₂) max(g₋ₙ²)      the largest of the leaf
        u = m / (√(v / (1 - b₂ᵗ⁻ⁿ)) + ε)   0 for the first n steps

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: how much less than the next each gradient of the last n counts, 0 <= b1 < 1.
      b2: decay of v, 0 <= b2 < 1. Under a schedule the correction is that of the present b2.
      eps: ε, outside the root.
      window: n, at least 1. The state holds n gradients.
      reduce: "max", one v for each leaf, or "none", one for each element.
      style: "paper" or "port", see `STYLES`.
      mu_dtype: dtype in which the gradients are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, a window that is no whole number from
      1, an unknown reduce or style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the ademamix optimizer: adds a second, much longer average of the gradients.

        m = b₁ m + (1 - b₁) g
        w = b₃ w + (1 - b₃) g
        v = b₂ v + (1 - b₂) g²
        u = (m̂ + α w) / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the short average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      b3: decay of the long average w of the gradients, 0 <= b3 < 1.
      alpha: α, the share of w: 2 in the authors' PyTorch file, 5 in their Optax file, 5 to 10 in
        the paper.
      eps: ε, outside the root.
      eps_root: added under the root.
      b3_warmup: steps in which w's memory grows from m's to its own; None for none.
      alpha_warmup: steps in which α rises from 0; None for none. The authors take all of training
        for both.
      style: "author" or "optax", which differ in the warm-ups alone, see `STYLES`.
      mu_dtype: dtype in which m and w are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number, a warm-up that is no positive
      number, an unknown style.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the adopt optimizer: divides by the v of the step before and averages then; no bias correction.

        n = clip(g / max(√v, ε), ±(t - 1)^¼)        v of step t - 1
        m = b₁ m + (1 - b₁) n
        v = b₂ v + (1 - b₂) g²                      v = g² at t = 1
        u = m

    As in the authors' code, the first step leaves the parameters alone, weight decay included
    (except for "l2", a term of the gradient).

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the normalised gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, the least size that a gradient is measured by.
      clip_exponent: no normalised gradient is longer than (t - 1)^clip_exponent; None for no clip.
        timm takes 0.333.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or exponent.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amos optimizer: no momentum; steps and weight decay fade by themselves, from the expected scale η.

        v = b₂ v + (1 - b₂) g²,  w = (1 - b₂ᵗ) / max(v, ε)
        γ = ξ² w g² / √(1 + c √ξ B),  D = 1 / (1 + d √(ξ η) B)
        p <- p - D (γ p / 2 + ξ η √w g)          ξ the learning rate
        B <- B + γ (1 + B)

    Args:
      learning_rate: ξ. The authors recommend about 1/√n for n independent batches of data; it needs
        no schedule.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1; 1 - b2 of the order of ξ.
      eps: ε, the least v.
      c: how fast the weight decay fades.
      d: how fast the steps fade.
      eta_fn: from a leaf's shape to η, the size that its elements are expected to reach. The
        default is meant for the layers of Flax; where names decide, use `optax.partition`.
      shape_fn: from a leaf's shape to that of v and B, which keep the mean of g² over the axes that
        it makes 1; None for the same shape.
      nu_dtype: dtype in which v and B are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b2 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the amsgrad optimizer: divides by the largest v so far, so that step sizes never grow again.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        w = max(w, v)
        u = m̂ / (√ŵ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      style: "torch", "keras", "paper" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the ano optimizer: takes the sign from the average and the size from the present gradient.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) sign(g² - v) g²
        u = sign(m) |g| / √(v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the second moment v, 1/2 <= b2 < 1: below, v may become negative.
      eps: ε, under the root.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 outside [0, 1), b2 outside [1/2, 1), a negative eps.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the apollo optimizer: divides by a diagonal that learns from how gradients change along steps.

        α = (1 - b₁) / (1 - b₁ᵗ),  y = g - m,  m = m + α y
        n = ‖d‖₄ + ε / 0.01,  d = d / n
        B = B - d² (α Σ(y d / n) + Σ(B d²))        d of the step before, sums over the leaf
        u = d = m / max(|B|, 0.01)

    The authors use the decay mode "l2".

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1, which is kept free of bias.
      eps: ε, in hundredths of the length that the last step is measured with.
      mu_dtype: dtype in which m and the last direction are stored; None for float32.
      nu_dtype: dtype in which B is stored; None for float32.
      warmup_steps: number of steps in which the learning rate rises.
      init_lr: the learning rate at the start. None is a thousandth of the learning rate.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative eps.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the c_adamw optimizer: drops what of a step points against the present gradient, and lengthens the rest.

        u = m̂ √(1 - b₂ᵗ) / (√v + ε)
        k = [u g > 0]
        u = k u / max(mean(k), 10⁻³)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the c_lion optimizer: the sign of an average, where the present gradient agrees; no second moment.

        u = sign(b₁ m + (1 - b₁) g)
        k = [u g > 0]
        u = k u n / (Σ k + 1)            n elements in the leaf

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: how much of m is in the direction, 0 <= b1 < 1.
      b2: decay of the average m of the gradients, 0 <= b2 < 1.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the came optimizer: Adafactor with momentum, divided by the root of how far updates are from it.

        V = average with b₂ of g² + ε₁, factored
        r = g / √V;  r = r / max(1, RMS(r) / d)
        m = b₁ m + (1 - b₁) r
        S = average with b₃ of (r - m)² + ε₂, factored
        u = m / √S                                          m for vectors and scalars

    S starts at 0 and is not corrected: the first steps are long.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the momentum m, 0 <= b1 < 1.
      b2: decay of the average V of the squared gradients, 0 <= b2 < 1.
      b3: decay of the average S of the squared distances from m, 0 <= b3 < 1.
      eps1: ε₁, added to g².
      eps2: ε₂, added to the squared distance.
      clip_threshold: d, the largest root mean square of a leaf's g / √V; `math.inf` for none.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which V and S are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number, a threshold of 0.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the dadapt_adam optimizer: finds its learning rate, by a bound on how far it is to the solution.

        k = d lr,  q = √b₂
        r = q r + (1 - q) k ⟨g, s / (√v + ε)⟩              over all leaves, s and v of the step before
        m = b₁ m + (1 - b₁) k g
        v = b₂ v + (1 - b₂) g²
        s = q s + (1 - q) k g
        d = max(d, r / ((1 - q) ‖s‖₁))
        p = p - m / (√v + ε) - k λ p

    d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its present
    value.

    Args:
      learning_rate: a factor of d. Keep it at 1, or pass a schedule from 1 down.
      b1: decay rate of the average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the average v of their squares, 0 <= b2 < 1.
      eps: ε.
      d0: initial d, smaller than any plausible value.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the diffgrad optimizer: shortens the step, down to a half, where the gradient stays as it was.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        u = σ(|g' - g|) · m̂ √(1 - b₂ᵗ) / (√v + ε)        g' the gradient before, 0 at first

    The authors decay with "l2".

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      eps_root: added under the root.
      mu_dtype: dtype in which m and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'average'] = 'average',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the focus optimizer: sign descent, drawn to the average of where the parameter has been.

        m = b₁ m + (1 - b₁) g
        a = b₂ a + (1 - b₂) p,  â = a / (1 - b₂ᵗ)
        u = sign(m) + γ sign(p - â)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average of the parameters, 0 <= b2 < 1. The authors train GPT-2 with 0.99.
      gamma: γ, how strongly it is drawn to the average. At the first step, where p is the average,
        not at all: sign(0) = 0.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: leaves with weight decay, in any form that `adamjax.optimizer` accepts.
      mu_dtype: dtype in which m is stored; None for float32.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'average': p <- p - lr (u + λ â), as the authors do
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative gamma.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grams optimizer: takes the sign of each step from the present gradient.

        u = sign(g) |m̂ √(1 - b₂ᵗ) / (√v + ε)|

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      style: "author" or "pytorch_optimizer", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grokadamw optimizer: amplifies what stays of the gradients; later leaves have shorter momenta.

        g = g min(1, c / ‖g‖)
        e = α e + (1 - α) g
        g = g + λ e
        m = βᵢ m + (1 - βᵢ) g,  βᵢ = b₁ (1 - γ)ⁱ           i = 0, 1, … the leaf's position
        v = b₂ v + (1 - b₂) g²
        u = m √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the first leaf, 0 <= b1 < 1.
      b2: decay of the average v of the squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      b3: α, the decay of the slow average, 0 <= b3 < 1. The author's code makes it smaller by a
        signal, the gap between the losses of training and of validation: give a schedule, or an
        array through `optax.inject_hyperparams`.
      lamb: λ, how much of the slow average is added.
      gamma: γ, by how much each leaf's momentum is shorter than the one before it has, at most 1.
      clip_norm: c, the longest gradient of a leaf; 0 for no limit.
      mu_dtype: dtype in which m and the slow average are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, gamma above 1.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the grokfast_adamw optimizer: adds to each gradient once more what stays of them over many steps.

        e = α e + (1 - α) g             the first gradient at first; or the mean of the last n gradients
        g = g + λ e
        u = Adam's of it

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the filtered gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v̂ + ε.
      b3: α, the decay of the slow average, 0 <= b3 < 1.
      lamb: λ, how much of it is added; the paper has 2, and 5 with a window.
      window: None for the exponential average, or a number n of gradients for their mean, all of
        which are kept (Grokfast-MA); the paper has 100.
      mu_dtype: dtype in which m and the slow average are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, a window that is no whole number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.grokfast_adamw(learning_rate=0.001)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Lee et al., 2024. Grokfast: Accelerated Grokking by Amplifying Slow Gradients.
    https://arxiv.org/abs/2405.20233
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
    style: Literal['paper', 'torch_optimizer'] = 'paper',
    weight_decay: ScalarOrSchedule | None = 0.01,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the lamb optimizer: the step of a leaf is as long as its parameters are.

        r = m̂ / (√v̂ + ε) + λ p
        u = r · ‖p‖ / ‖r‖            1 in place of the ratio where a norm is 0

    Keras has the decay outside of the ratio. This is "decoupled_after", since its ratio sees the
    decayed parameters.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added under the root.
      norm_cap: the largest ‖p‖ that counts; None for what `style` says, `math.inf` for none.
      style: "paper" or "torch_optimizer", see `STYLES`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'inside': r <- r + λ p, in the ratio
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'independent_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the laprop optimizer: divides by √v first and averages then.

        v = b₂ v + (1 - b₂) g²
        m = b₁ m + (1 - b₁) lr g / (√v̂ + ε)
        l = b₁ l + (1 - b₁) lr
        u = m / l                          with a constant lr: the average of g / (√v̂ + ε), debiased

    As in the authors' code weight decay comes after the step and is not multiplied by the learning
    rate; timm's is: "decoupled_after". And a schedule of the learning rate is averaged with the
    gradients: so it reaches past ones later, as many steps as m remembers; with "paper" at once.

    Args:
      learning_rate: how much each gradient counts in m: the learning rate of the rest of the
        chain, where it is a schedule. A constant one makes no difference, nor does "paper".
      b1: decay of the average m of the normalised gradients, 0 <= b1 < 1.
      b2: decay of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, outside the root.
      amsgrad: whether to divide by the largest v so far.
      centered: whether to take v - ḡ², ḡ the average of g with b₂, for v after ten steps.
      style: "author" or "paper", see `STYLES`.
      mu_dtype: dtype in which m and ḡ are stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or learning_rate, an unknown style.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the lion optimizer: the sign of an average; no second moment.

        u = sign(b₁ m + (1 - b₁) g)
        m = b₂ m + (1 - b₂) g

    Its authors take a learning rate 3 to 10 times smaller than AdamW's, and a weight decay as many
    times larger.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: how much of m is in the direction, 0 <= b1 < 1.
      b2: decay of the average m of the gradients, 0 <= b2 < 1.
      mu_dtype: dtype in which m is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the lookahead_adam optimizer: is drawn back every few steps towards a slow copy of the parameters.

        p = p - lr m̂ / (√v̂ + ε)
        s = s + α (p - s), p = s        every k steps

    The optimizer is `adamjax.lookahead(adamjax.adam(...))`, which works for any other optimizer
    too.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the average v of their squares, 0 <= b2 < 1.
      eps: ε, added outside the root.
      sync_period: k, at least 1.
      slow_step_size: α. With 1 it is Adam.
      style: "author" or "timm".
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the madgrad optimizer: sums up from the start, under a cube root, in place of averages.

        λ = (lr + ε) √t,  S = S + λ g,  V = V + λ g²
        z = p₀ - S / (∛V + ε)
        p <- β p + (1 - β) z

    Args:
      learning_rate: a part of the weights λ; the step is not proportional to it.
      momentum: β, 0 <= β < 1: how slowly p follows z.
      eps: ε, added to the learning rate and to the cube root.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for momentum outside [0, 1), a negative learning_rate or eps.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the mars_adamw optimizer: adds to each gradient a share of its change since the step before.

        c = g + γ b₁/(1-b₁) (g - g')            g' the gradient before, 0 at first
        c = c / max(1, ‖c‖)
        m = b₁ m + (1 - b₁) c
        v = b₂ v + (1 - b₂) c²
        u = m̂ / (√v̂ + ε)                        MARS-Lion: u = sign(m)

    The learning rate and the decay are for all leaves. The authors give the others, which have
    Adam's direction, a decay of 0.1 at first: `adamjax.partition_matrices(mars_adamw(...),
    adamw(..., weight_decay=0.1))`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the corrected gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v̂ + ε.
      gamma: γ, the share of the correction.
      optimize_1d: whether all leaves are treated so, and not matrices alone, as the authors do; the
        others then have Adam's direction.
      b1_1d: b₁ of these others.
      b2_1d: b₂ of these others.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which m and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative eps or gamma, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the mars_lion optimizer: the sign of an average of corrected gradients; no second moment.

        c = g + γ b₁/(1-b₁) (g - g');  c = c / max(1, ‖c‖);  u = sign(b₁ m + (1-b₁) c)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

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
    nesterov: bool = True,
    ns_steps: int = 5,
    ns_eps: float = 1e-07,
    scale: str | None = None,
    out_axis: int = -1,
    matrices: Mask = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    style: Literal['author', 'optax', 'keras'] = 'author',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the muon optimizer: moves matrices by their momentum made orthogonal, and only other leaves by Adam.

        m = β m + (1 - β) g
        u = β m + (1 - β) g                         Nesterov
        u = √max(1, outputs / inputs) U Vᵀ          of u = U S Vᵀ, by Newton and Schulz

    The learning rate and the decay are for all leaves, but for `adam_scale`: 3e-4 of 0.02. For a
    schedule and a decay of their own give each kind of leaf to its optimizer:
    `adamjax.partition_matrices(adamjax.muon(0.02), adamjax.adamw(3e-4, weight_decay=0.1))`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= β < 1.
      nesterov: whether to look one step ahead.
      ns_steps: how often to iterate, see `adamjax.orthogonalize`.
      ns_eps: ε of that iteration.
      scale: "aspect", "rms" or "none", see `adamjax.orthogonalize`; None as `style` says. With
        "rms" (arXiv:2502.16982) the steps are as long as Adam's: take its learning rate, and 1 for
        `adam_scale`.
      out_axis: the axis of a matrix's outputs: -1 as in Flax, or -2 as in torch and Equinox.
      matrices: which leaves are made orthogonal, in any of the forms of `mask`: None for those with
        exactly two axes. Of those with fewer none is. Embeddings and the last layer are better left
        out: ["*kernel", "!head*"]. A leaf with more axes, if it is named, is a stack of matrices;
        the authors' code makes one of a convolution's, (outputs, all the rest).
      adam_scale: what Adam's direction is multiplied by: its learning rate in units of Muon's.
      style: "author", "optax" or "keras", see `STYLES`.
      mu_dtype: dtype in which the momenta are stored; None for float32.
      nu_dtype: dtype in which Adam's v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, no whole number of steps, an
      unknown style or scale.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.muon(learning_rate=0.02)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Jordan et al., 2024. Muon: An optimizer for hidden layers in neural networks.
    https://kellerjordan.github.io/posts/muon
    """
    ...

def nadam(
    learning_rate: ScalarOrSchedule = 0.002,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-08,
    *,
    momentum_decay: ScalarOrSchedule = 0.004,
    style: Literal['torch', 'keras', 'optax', 'mlcommons'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the nadam optimizer: looks one step ahead: the present gradient counts at once in the momentum.

        μₖ = b₁ (1 - ½ · 0.96^(k ψ)),  P = μ₁ μ₂ … μₜ
        u  = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1, and the limit of μ.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      momentum_decay: ψ of style "torch"; the other styles have no use for it.
      style: "torch", "keras", "optax" or "mlcommons", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

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
    momentum_decay: ScalarOrSchedule = 0.004,
    style: Literal['torch', 'keras', 'optax', 'mlcommons'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the nadamw optimizer: NAdam with weight decay taken from the parameter itself.

        u = [μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)] / (√v̂ + ε) + λ p

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1, and the limit of μ.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      momentum_decay: ψ of style "torch"; the other styles have no use for it.
      style: "torch", "keras", "optax" or "mlcommons", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.nadamw(learning_rate=0.002)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Dozat, 2016. Incorporating Nesterov Momentum into Adam.
    https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """
    ...

def novograd(
    learning_rate: ScalarOrSchedule = 0.001,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-08,
    *,
    grad_averaging: bool = False,
    style: Literal['paper', 'tensorflow', 'openseq2seq'] = 'paper',
    weight_decay: ScalarOrSchedule | None = None,
    mask: Mask = None,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the novograd optimizer: divides by a norm of the leaf, and then takes momentum.

        v = b₂ v + (1 - b₂) ‖g‖²                     ‖g‖² at t = 1; a number for each leaf
        m = b₁ m + g / (√v + ε) + λ p                times 1 - b₁ with grad_averaging
        u = m

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the momentum m, 0 <= b1 < 1.
      b2: decay of the average v of the squared norms, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      grad_averaging: whether to multiply by 1 - b₁ what is added to m.
      style: "paper", "tensorflow" or "openseq2seq", see `STYLES`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'inside': m <- m + λ p, in the momentum
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the padam optimizer: raises AMSGrad's denominator to a power, to lie between it and momentum.

        m = b₁ m + (1 - b₁) g
        v = b₂ v + (1 - b₂) g²
        w = max(w, v)
        u = √(1 - b₂ᵗ) / (1 - b₁ᵗ) · m / (√w + ε)^(2 q)

    The authors decay with "l2".

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √w + ε.
      partial: q, 0 <= q <= 1/2: with 1/2 it is AMSGrad, with 0 momentum alone. Below 1/2 a step has
        units of the gradient, so that the learning rate is nearer to that of gradient descent.
      style: "author" or "pytorch_optimizer", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v and its maximum are stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps, partial outside [0, 1/2], an unknown
      style.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the prodigy optimizer: finds its learning rate, from how far gradients say that it is to go.

        r = √b₂ r + d² lr / d₀ ⟨g, p₀ - p⟩                 over all leaves
        m = b₁ m + (1 - b₁) d g
        v = b₂ v + (1 - b₂) d² g²
        s = √b₂ s + d² lr / d₀ g
        k = d lr
        d = max(d, c r / ‖s‖₁)
        p = p - k (m / (√v + d ε) + λ p)

    d is one number for all leaves. `optax.tree_utils.tree_get(state, "d")` returns its present
    value.

    Args:
      learning_rate: a factor of d. Keep it at 1, or pass a schedule from 1 down.
      b1: decay rate of the average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the average v of their squares, 0 <= b2 < 1.
      eps: ε, in units of d.
      b3: decay rate of the two sums from which d is estimated, 0 <= b3 < 1. None is √b2.
      d0: initial d, smaller than any plausible value.
      d_coef: c, a factor of the estimate of d.
      bias_correction: whether to multiply d lr by √(1 - b₂ᵗ) / (1 - b₁ᵗ), as in Optax.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1, b2 or b3 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the qhadam optimizer: mixes both averages with the present gradient.

        u = ((1 - ν₁) g + ν₁ m̂) / (√((1 - ν₂) g² + ν₂ v̂) + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      nu1: ν₁, the share of m: 1 is Adam, 0 has no momentum. The authors recommend 0.7, or 0.8 with
        b1 = 0.95.
      nu2: ν₂, the share of v, 0 <= nu2 <= 1; with 0 the denominator is |g| + ε.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), nu2 outside [0, 1], a negative eps or nu1.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the radam optimizer: shortens the first steps by how little v has seen: a warm-up without a knob.

        r∞ = 2 / (1 - b₂) - 1
        r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
        u  = √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r)) · m̂ / (√v̂ + ε)    if r > 5, else m̂

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1. From b2 = 2/3 (r∞ = 5) down the
        rectification never starts.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      threshold: the length r from which the step is adaptive, at least 4.
      style: "torch", "optax" or "author", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the ranger optimizer: RAdam of centralized gradients, drawn back every few steps towards a slow copy.

        g = g - mean(g)                 over the inputs of each neuron
        p = p - lr u                    u RAdam's
        s = s + α (p - s), p = s        every k steps

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay rate of the average m of the gradients, 0 <= b1 < 1.
      b2: decay rate of the average v of their squares, 0 <= b2 < 1.
      eps: ε, see `adamjax.radam`.
      threshold: see `adamjax.radam`.
      sync_period: k, at least 1.
      slow_step_size: α.
      centralize: whether to centralize gradients. The first versions did not.
      out_axis: axis of a kernel's outputs: the last in Flax, the first in torch (0).
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

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
    style: Literal['torch', 'keras'] = 'torch',
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the rmsprop optimizer: no average of the gradient and no bias correction.

        v = b₂ v + (1 - b₂) g²
        d = g / (√v + ε)         centered: v - ḡ² in place of v, ḡ the average of g
        u = d                    with momentum: B = β B + d, u = B

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b2: decay of the averages, 0 <= b2 < 1 (torch's `alpha`, Keras's `rho`).
      eps: ε, placed as `style` says.
      momentum: β, 0 <= β < 1; None for none, which keeps no buffer.
      centered: whether to divide by the standard deviation rather than the root mean square.
      initial_accumulator_value: v before the first step, not negative.
      style: "torch" or "keras", see `STYLES`.
      mu_dtype: dtype in which B and ḡ are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b2 or momentum outside [0, 1), a negative number, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_adamw optimizer: averages the points it visits in place of momentum and of a falling learning rate.

        z = z - lr (g / (√v̂ + ε) + λ y)        lr after a linear warm-up
        x = (1-c) x + c z                       c = lr² / Σ lr²
        y = b₁ x + (1-b₁) z                     the parameters; x is what to evaluate

    The parameters are y. Evaluate and keep x, `adamjax.eval_params(state, params)`. For another
    optimizer use `adamjax.schedule_free`.

    Args:
      learning_rate: a number, or a schedule that does not fall. AdamW's is a good start.
      b1: b₁, the weight of x in y, where gradients are taken, 0 <= b1 < 1.
      b2: decay rate of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, placed according to `style`.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: the weights of the average are tʳ max(lr)^power.
      r: see `weight_lr_power`.
      style: "author", "paper", "keras" or "optax".
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_radam optimizer: averages the points it visits; its first steps are as long as v can be trusted.

        r∞ = 2 / (1 - b₂) - 1
        r  = r∞ - 2 t b₂ᵗ / (1 - b₂ᵗ)
        lr = lr √((r - 4)(r - 2) r∞ / ((r∞ - 4)(r∞ - 2) r))    if r > 4, else 0
        z  = z - lr (g / (√v̂ + ε) + λ y)
        x  = (1-c) x + c z                                      c = lr² / Σ lr²
        y  = b₁ x + (1-b₁) z                                    the parameters; x is what to evaluate

    The parameters are y. Evaluate and keep x, `adamjax.eval_params(state, params)`.

    Args:
      learning_rate: a number, or a schedule that does not fall.
      b1: b₁, the weight of x in y, where gradients are taken, 0 <= b1 < 1.
      b2: decay rate of the average v of the squared gradients, 0 <= b2 < 1.
      eps: ε, added outside the root.
      weight_lr_power: the weights of the average are tʳ max(lr)^power.
      r: see `weight_lr_power`.
      nu_dtype: dtype in which v is stored, float32 if None.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

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
    param_rounding: str | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
) -> optax.GradientTransformationExtraArgs:
    """Create the schedule_free_sgd optimizer: one step size for all elements; averages the points it visits.

        z = z - lr (g + λ y)                    lr after a linear warm-up
        x = (1-c) x + c z                       c = lr² / Σ lr²
        y = b₁ x + (1-b₁) z                     the parameters; x is what to evaluate

    The parameters are y. Evaluate and keep x, `adamjax.eval_params(state, params)`.

    Args:
      learning_rate: a number, or a schedule that does not fall.
      b1: b₁, the weight of x in y, where gradients are taken, 0 <= b1 < 1.
      warmup_steps: number of steps in which the learning rate rises linearly.
      weight_lr_power: the weights of the average are tʳ max(lr)^power.
      r: see `weight_lr_power`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 outside [0, 1), a negative number.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.schedule_free_sgd(learning_rate=1.0)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Defazio et al., 2024. The Road Less Scheduled. https://arxiv.org/abs/2405.15682
    """
    ...

def sgd(
    learning_rate: ScalarOrSchedule = 0.01,
    momentum: ScalarOrSchedule | None = None,
    nesterov: bool = False,
    *,
    mu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sgd optimizer: one step size for all elements; no second moment.

        B = β B + g
        u = B            Nesterov: u = g + β B

    As in torch and Optax the learning rate is not in the buffer.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= β < 1; None for plain gradient descent, which keeps no buffer.
      nesterov: whether to look one step ahead.
      mu_dtype: dtype in which B is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sgdp optimizer: one step size for all elements; does not let scale-invariant weights grow.

        B = β B + g
        u = B                         Nesterov: u = g + β B
        u = u - (u·n) n,  λ = r λ     where |cos(g, p)| < δ/√n of all neurons or of the leaf; n = p/‖p‖
        p <- p - lr (u + λ / (1 - β) p)

    The authors' code has no momentum by default. Their experiments use 0.9.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      momentum: β, 0 <= β < 1.
      nesterov: whether to look one step ahead.
      eps: ε of the lengths.
      delta: δ; with 0 it is gradient descent with momentum.
      out_axis: the axis of the neurons, see `adamjax.projection`.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which B is stored; None for float32.
      wd_ratio: r, the share of the weight decay for leaves with a projected update. "l2" has all of
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for momentum outside [0, 1), a negative eps or delta, an unknown style.

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
    weight_decay: ScalarOrSchedule | None = None,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the simplified_ademamix optimizer: a momentum that is a sum, and the present gradient once more.

        M = b₁ M + g
        v = b₂ v + (1 - b₂) g²
        u = (M + α g) / (√v̂ + ε)

    M is a sum: its steps are up to 1 / (1 - b₁) times as long as Adam's, and the learning rate as
    much smaller.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the sum M of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      alpha: α, the share of the present gradient.
      eps: ε, outside the root.
      eps_root: added under the root.
      mu_dtype: dtype in which M is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

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
    shampoo_beta: ScalarOrSchedule | None = None,
    precondition_frequency: int = 10,
    max_size: int = 10000,
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.01,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled_after',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the soap optimizer: takes Adam's averages in the eigenbasis of the gradients' covariances.

        L = β L + (1 - β) G Gᵀ,  R = β R + (1 - β) Gᵀ G,  their eigenvectors Q_L, Q_R, from time to time
        H = Q_Lᵀ G Q_R
        U = Q_L (m̂ √(1 - b₂ᵗ) / (√v + ε)) Q_Rᵀ              m, v the averages of H and H²

    The first step only finds a basis: no parameter moves and none decays.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      shampoo_beta: β, the decay of the covariances, 0 <= β < 1; None for b2.
      precondition_frequency: how many steps a basis is kept.
      max_size: sides of a matrix with more elements are not turned.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative eps, no whole number of steps.

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
    mu_dtype: DTypeLike | None = None,
    nu_dtype: DTypeLike | None = None,
    weight_decay: ScalarOrSchedule | None = 0.1,
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the sophia optimizer: divides by an estimate of the curvature in place of √v, and clips.

        m = b₁ m + (1 - b₁) g
        h = b₂ h + (1 - b₂) ĥ                     on the steps that have an estimate ĥ
        u = clip(m / max(ρ h, ε), ±1)

    Its `update` takes `hessian=`, see `scale_by_sophia`.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1; not corrected for its bias.
      b2: decay of the average h of the estimates, 0 <= b2 < 1; not corrected either.
      eps: ε, the least denominator: where the curvature is negative, or unknown, u is sign(m).
      rho: ρ, in the paper γ: how much of the curvature counts. The authors choose it such that from
        a tenth to a half of the elements are not clipped.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which h is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or rho; in `update`, for a `hessian`
      that does not fit the gradients.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after', 'inside'] = 'inside',
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the stable_adamw optimizer: steps are shorter where gradients are larger than v expects.

        r = m̂ / (√v̂ + ε) + λ p
        u = r / max(1, RMS(g / max(√v̂, ε)))

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root, and the least size that a gradient is measured by.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      mask: which leaves decay, in any of the forms of `adamjax.optimizer`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
          'inside': u <- u + λ p, before the update is clipped
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number.

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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the tiger optimizer: the sign of the average; no second moment.

        m = b₁ m + (1 - b₁) g
        u = sign(m)

    The author's code also multiplies the learning rate of matrices by RMS(p), and halves that of
    biases and scales, which it knows by their names; that is not done here.
    `optax.scale_by_param_block_rms` behind `scale_by_tiger` is near to it.

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      mu_dtype: dtype in which m is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
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
    decay_mode: Literal['decoupled', 'independent', 'l2', 'proximal', 'decoupled_after', 'independent_after'] = 'decoupled',
    mask: Mask = None,
    storage: str = 'float32',
    param_rounding: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Create the yogi optimizer: v moves towards g² by a share of g², not of their distance.

        m = b₁ m + (1 - b₁) g
        v = v - (1 - b₂) sign(v - g²) g²
        u = m̂ / (√v̂ + ε)

    Args:
      learning_rate: lr, a number, an array or a schedule (a function of the number of steps done).
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: 1 - b2 is the share of g² by which v moves, 0 <= b2 < 1.
      eps: ε, placed as `style` says.
      eps_root: added under the root.
      initial_accumulator_value: v before the first step, not negative; with style "optax" m, too.
      style: "tensorflow" or "optax", see `STYLES`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.
      weight_decay: λ, a number, an array or a schedule. None is 0.
      decay_mode: how weight decay λ couples with the step u:
          'decoupled': p <- p - lr (u + λ p)
          'independent': p <- p - lr u - λ p
          'l2': g <- g + λ p, before anything else
          'proximal': p <- (p - lr u) / (1 + lr λ)
          'decoupled_after': p <- (p - lr u) (1 - lr λ)
          'independent_after': p <- (p - lr u) (1 - λ)
      mask: leaves with weight decay: None (all of them), a tree of bools, a function from the
        parameters to one, or patterns on the leaf's path such as "*kernel" or ["!*bias", "!*scale"].
      storage: format of the moments between steps, "float32", "bfloat16", "8bit_v16" or "8bit", see
        `adamjax.store`.
      param_rounding: how bfloat16 and float16 parameters take updates below their resolution: None
        (not at all), "stochastic", "kahan" or "residual8", see `adamjax.round_params`.

    Returns:
      An optimizer, see `adamjax.optimizer`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number, an unknown style.

    >>> import adamjax, jax.numpy as jnp
    >>> tx = adamjax.yogi(learning_rate=0.01)
    >>> params = {'w': jnp.ones((2, 2))}
    >>> updates, state = tx.update(params, tx.init(params), params)

    Zaheer et al., 2018. Adaptive Methods for Nonconvex Optimization.
    https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization
    """
    ...
