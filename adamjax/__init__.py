"""The Adam family for JAX, as Optax gradient transformations."""

from adamjax.optimizer import optimizer as optimizer
from adamjax.registry import (
    create as create,
    get_variant as get_variant,
    list_variants as list_variants,
)
from adamjax.rule import Slot as Slot, lift as lift
from adamjax.schedules import cyclic as cyclic, decaying as decaying
from adamjax.storage.rounding import round_params as round_params
from adamjax.storage.store import convert_state as convert_state, store as store
from adamjax.tracking import Recorder as Recorder, metrics as metrics, track as track
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
from adamjax.variants.adam import adam as adam, scale_by_adam as scale_by_adam
from adamjax.variants.adamax import (
    adamax as adamax,
    adamaxw as adamaxw,
    scale_by_adamax as scale_by_adamax,
)
from adamjax.variants.adamw import adamw as adamw
from adamjax.variants.amsgrad import amsgrad as amsgrad, scale_by_amsgrad as scale_by_amsgrad
from adamjax.variants.nadam import (
    nadam as nadam,
    nadamw as nadamw,
    scale_by_nadam as scale_by_nadam,
)
from adamjax.variants.radam import radam as radam, scale_by_radam as scale_by_radam
from adamjax.variants.rmsprop import rmsprop as rmsprop, scale_by_rmsprop as scale_by_rmsprop
from adamjax.variants.sgd import scale_by_sgd as scale_by_sgd, sgd as sgd

__version__ = "0.1.0"
