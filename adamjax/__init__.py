"""The Adam family for JAX, as Optax gradient transformations."""

from adamjax.interop.arguments import (
    from_keras_args as from_keras_args,
    from_torch_args as from_torch_args,
)
from adamjax.interop.checkpoints import state_template as state_template
from adamjax.interop.convert import convert_optimizer as convert_optimizer
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
from adamjax.names import FILE_OF as _FILE_OF, load as _load
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
from adamjax.tuning.find_learning_rate import find_learning_rate as find_learning_rate
from adamjax.tuning.mup import mup as mup, mup_init as mup_init
from adamjax.tuning.sweep import sweep as sweep
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


def __getattr__(name: str) -> object:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(_load(_FILE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_FILE_OF})
