"""The Adam family for JAX, as Optax gradient transformations."""

from adamjax.interop.arguments import (
    from_keras_args as from_keras_args,
    from_torch_args as from_torch_args,
)
from adamjax.interop.checkpoints import state_template as state_template
from adamjax.interop.optax_arguments import from_optax_args as from_optax_args
from adamjax.matrices.resolve import (
    matrix_layouts as matrix_layouts,
    stacked_layouts as stacked_layouts,
)
from adamjax.modifiers.adagc import adagc as adagc
from adamjax.modifiers.cautious import cautious as cautious
from adamjax.modifiers.clip_by_previous_norm import clip_by_previous_norm as clip_by_previous_norm
from adamjax.modifiers.clip_by_rms import clip_by_rms as clip_by_rms
from adamjax.modifiers.eigenbasis import eigenbasis as eigenbasis
from adamjax.modifiers.gradient_centralization import (
    gradient_centralization as gradient_centralization,
)
from adamjax.modifiers.grams import align_sign_with_gradient as align_sign_with_gradient
from adamjax.modifiers.grokfast import grokfast as grokfast, grokfast_window as grokfast_window
from adamjax.modifiers.mars import mars as mars
from adamjax.modifiers.orthogonalize import orthogonalize as orthogonalize
from adamjax.modifiers.partition_matrices import partition_matrices as partition_matrices
from adamjax.modifiers.projection import projection as projection
from adamjax.modifiers.trust_ratio import trust_ratio as trust_ratio
from adamjax.optimizer import optimizer as optimizer
from adamjax.registry import (
    create as create,
    get_variant as get_variant,
    list_variants as list_variants,
)
from adamjax.rule import Slot as Slot, lift as lift
from adamjax.schedules import (
    cool_down as cool_down,
    cosine_cycle_schedule as cosine_cycle_schedule,
    inverse_epoch_schedule as inverse_epoch_schedule,
    power_cool as power_cool,
    wsd as wsd,
)
from adamjax.sharding import sharded as sharded, state_shardings as state_shardings
from adamjax.stages.release import Scan as Scan, release as release
from adamjax.storage.rounding import (
    from_master_params as from_master_params,
    master_params as master_params,
    narrow_updates as narrow_updates,
    round_params as round_params,
)
from adamjax.storage.store import convert_state as convert_state, store as store
from adamjax.tracking import Recorder as Recorder, metrics as metrics, track as track
from adamjax.variants.acprop import acprop as acprop, scale_by_acprop as scale_by_acprop
from adamjax.variants.adabelief import (
    adabelief as adabelief,
    scale_by_adabelief as scale_by_adabelief,
)
from adamjax.variants.adabound import (
    adabound as adabound,
    amsbound as amsbound,
    scale_by_adabound as scale_by_adabound,
    scale_by_amsbound as scale_by_amsbound,
)
from adamjax.variants.adadelta import adadelta as adadelta, scale_by_adadelta as scale_by_adadelta
from adamjax.variants.adafactor import (
    adafactor as adafactor,
    scale_by_adafactor as scale_by_adafactor,
)
from adamjax.variants.adagrad import adagrad as adagrad, scale_by_adagrad as scale_by_adagrad
from adamjax.variants.adai import adai as adai, scale_by_adai as scale_by_adai
from adamjax.variants.adam import adam as adam, scale_by_adam as scale_by_adam
from adamjax.variants.adam_atan2 import (
    adam_atan2 as adam_atan2,
    scale_by_adam_atan2 as scale_by_adam_atan2,
)
from adamjax.variants.adam_mini import (
    adam_mini as adam_mini,
    scale_by_adam_mini as scale_by_adam_mini,
)
from adamjax.variants.adamax import (
    adamax as adamax,
    adamaxw as adamaxw,
    scale_by_adamax as scale_by_adamax,
)
from adamjax.variants.adamc import adamc as adamc
from adamjax.variants.adamg import adamg as adamg, scale_by_adamg as scale_by_adamg
from adamjax.variants.adamod import adamod as adamod, scale_by_adamod as scale_by_adamod
from adamjax.variants.adamp import adamp as adamp, scale_by_adamp as scale_by_adamp
from adamjax.variants.adamuon import adamuon as adamuon, scale_by_adamuon as scale_by_adamuon
from adamjax.variants.adamw import adamw as adamw
from adamjax.variants.adan import adan as adan, scale_by_adan as scale_by_adan
from adamjax.variants.adashift import adashift as adashift, scale_by_adashift as scale_by_adashift
from adamjax.variants.ademamix import ademamix as ademamix, scale_by_ademamix as scale_by_ademamix
from adamjax.variants.adopt import adopt as adopt, scale_by_adopt as scale_by_adopt
from adamjax.variants.amos import amos as amos, scale_by_amos as scale_by_amos
from adamjax.variants.amsgrad import amsgrad as amsgrad, scale_by_amsgrad as scale_by_amsgrad
from adamjax.variants.ano import ano as ano, scale_by_ano as scale_by_ano
from adamjax.variants.apollo import apollo as apollo, scale_by_apollo as scale_by_apollo
from adamjax.variants.c_adamw import c_adamw as c_adamw, scale_by_c_adamw as scale_by_c_adamw
from adamjax.variants.c_lion import c_lion as c_lion, scale_by_c_lion as scale_by_c_lion
from adamjax.variants.came import came as came, scale_by_came as scale_by_came
from adamjax.variants.dadapt_adam import dadapt_adam as dadapt_adam
from adamjax.variants.diffgrad import diffgrad as diffgrad, scale_by_diffgrad as scale_by_diffgrad
from adamjax.variants.focus import focus as focus, scale_by_focus as scale_by_focus
from adamjax.variants.grams import grams as grams, scale_by_grams as scale_by_grams
from adamjax.variants.grokadamw import (
    grokadamw as grokadamw,
    scale_by_grokadamw as scale_by_grokadamw,
)
from adamjax.variants.grokfast_adamw import (
    grokfast_adamw as grokfast_adamw,
    scale_by_grokfast_adamw as scale_by_grokfast_adamw,
)
from adamjax.variants.kl_shampoo import (
    kl_shampoo as kl_shampoo,
    scale_by_kl_shampoo as scale_by_kl_shampoo,
)
from adamjax.variants.kl_soap import kl_soap as kl_soap, scale_by_kl_soap as scale_by_kl_soap
from adamjax.variants.lamb import lamb as lamb, scale_by_lamb as scale_by_lamb
from adamjax.variants.laprop import laprop as laprop, scale_by_laprop as scale_by_laprop
from adamjax.variants.lion import lion as lion, scale_by_lion as scale_by_lion
from adamjax.variants.lookahead_adam import lookahead_adam as lookahead_adam
from adamjax.variants.madgrad import madgrad as madgrad, scale_by_madgrad as scale_by_madgrad
from adamjax.variants.mars_adamw import (
    mars_adamw as mars_adamw,
    mars_lion as mars_lion,
    scale_by_mars_adamw as scale_by_mars_adamw,
    scale_by_mars_lion as scale_by_mars_lion,
)
from adamjax.variants.muon import muon as muon, scale_by_muon as scale_by_muon
from adamjax.variants.muown import muown as muown, scale_by_muown as scale_by_muown
from adamjax.variants.nadam import (
    nadam as nadam,
    nadamw as nadamw,
    scale_by_nadam as scale_by_nadam,
)
from adamjax.variants.normuon import normuon as normuon, scale_by_normuon as scale_by_normuon
from adamjax.variants.novograd import novograd as novograd, scale_by_novograd as scale_by_novograd
from adamjax.variants.padam import padam as padam, scale_by_padam as scale_by_padam
from adamjax.variants.prodigy import prodigy as prodigy
from adamjax.variants.qhadam import qhadam as qhadam, scale_by_qhadam as scale_by_qhadam
from adamjax.variants.radam import radam as radam, scale_by_radam as scale_by_radam
from adamjax.variants.ranger import ranger as ranger
from adamjax.variants.rmsprop import rmsprop as rmsprop, scale_by_rmsprop as scale_by_rmsprop
from adamjax.variants.schedule_free_adamw import schedule_free_adamw as schedule_free_adamw
from adamjax.variants.schedule_free_radam import schedule_free_radam as schedule_free_radam
from adamjax.variants.schedule_free_sgd import schedule_free_sgd as schedule_free_sgd
from adamjax.variants.scion import scale_by_scion as scale_by_scion, scion as scion
from adamjax.variants.sgd import scale_by_sgd as scale_by_sgd, sgd as sgd
from adamjax.variants.sgdp import scale_by_sgdp as scale_by_sgdp, sgdp as sgdp
from adamjax.variants.simplified_ademamix import (
    scale_by_simplified_ademamix as scale_by_simplified_ademamix,
    simplified_ademamix as simplified_ademamix,
)
from adamjax.variants.soap import scale_by_soap as scale_by_soap, soap as soap
from adamjax.variants.sophia import scale_by_sophia as scale_by_sophia, sophia as sophia
from adamjax.variants.stable_adamw import (
    scale_by_stable_adamw as scale_by_stable_adamw,
    stable_adamw as stable_adamw,
)
from adamjax.variants.tiger import scale_by_tiger as scale_by_tiger, tiger as tiger
from adamjax.variants.yogi import scale_by_yogi as scale_by_yogi, yogi as yogi
from adamjax.wrappers.accumulate import accumulate as accumulate
from adamjax.wrappers.averaging import ema_params as ema_params, swa as swa
from adamjax.wrappers.evaluation import eval_params as eval_params
from adamjax.wrappers.groups import groups as groups
from adamjax.wrappers.guard import check_guard as check_guard, guard as guard
from adamjax.wrappers.hyperball import hyperball as hyperball
from adamjax.wrappers.lazy_rows import lazy_rows as lazy_rows
from adamjax.wrappers.lookahead import lookahead as lookahead
from adamjax.wrappers.overwrite import overwrite as overwrite
from adamjax.wrappers.per_layer import per_layer as per_layer
from adamjax.wrappers.reset import reset as reset
from adamjax.wrappers.sam import sam as sam
from adamjax.wrappers.schedule_free import schedule_free as schedule_free

__version__ = "0.1.0"
