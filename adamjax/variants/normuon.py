"""NorMuon: Making Muon more efficient and scalable. Li et al., 2025. arXiv:2510.05491.

Muon with a second moment for each row (neuron), so that all neurons move equally far.

    O = U Vᵀ                            of Muon's momentum U S Vᵀ
    v = b₂ v + (1 - b₂) mean(O²)        over each row
    N = O / (√v + ε)
    u = scale · N ‖O‖ / (‖N‖ + ε)
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import lookup_or_suggest
from adamjax.derive import extends
from adamjax.modifiers.map_blocks import mean_axis, means_shape, second_moment
from adamjax.modifiers.orthogonal_momentum import PRESETS
from adamjax.moments import divide, ema, mean, norm, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.muon import scale_by_muon

STYLES = {
    "author": "the authors' code: Muon's style \"author\", means over rows",
    "dion": 'Dion: Muon\'s style "dion", u = scale · N ‖O‖ / max(‖N‖, ε)',
    "nvidia": 'NVIDIA: Muon\'s style "nvidia", means over the shorter axis, O / √max(v, ε)',
}


@extends(scale_by_muon)
def scale_by_normuon(
    momentum: ScalarOrSchedule = 0.95,
    *,
    muon_b2: ScalarOrSchedule = 0.95,
    muon_eps: ScalarOrSchedule | None = None,
    style: str = "author",
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the NorMuon rule for matrices, and with Adam for other leaves.

    Args:
      muon_b2: b₂ of the second moment of rows, 0 <= muon_b2 < 1.
      muon_eps: ε of it. None is 1e-10, in other styles than "author" 1e-8.

    Returns:
      A transformation with an `optax.transforms.PartitionState`, as `scale_by_muon`, whose matrices
      have a `MatrixMomentState` as well.

    >>> tx, g = scale_by_normuon(), jnp.array([[2.0, 0.0], [0.0, 1.0]])
    >>> u = tx.update(g, tx.init(g))[0]
    >>> bool(jnp.isclose(u[0, 0], u[1, 1])), bool(jnp.isclose(u[0, 1], 0))
    (True, True)
    """
    preset = lookup_or_suggest("style", style, {name: PRESETS[name] for name in STYLES})
    eps = (1e-10 if style == "author" else 1e-8) if muon_eps is None else muon_eps
    preset = preset._replace(after=row_moment(style, muon_b2, eps))
    return scale_by_muon(momentum, style=preset, **options)


def row_moment(
    style: str, b2: ScalarOrSchedule, eps: ScalarOrSchedule
) -> Callable[[str], optax.GradientTransformation]:
    """Return a function from the scale to the stage after the orthogonalization."""
    shorter = style == "nvidia"

    def normalize(scale, step, o, v):
        sides = o.shape[-2:]
        v = ema(mean(o * o, mean_axis(*sides, shorter=shorter)), v, step.muon_b2)
        eps, length = step.muon_eps, norm(o, (-2, -1))
        n = divide(o, root(jnp.maximum(v, eps)) if shorter else root(v) + eps)
        new = norm(n, (-2, -1))
        new = new + eps if style == "author" else jnp.maximum(new, eps)
        return scale(*sides) * n * divide(length, new), v

    return second_moment(normalize, b2, eps, shape=partial(means_shape, shorter=shorter))


NORMUON = register(
    scale_by_normuon,
    Paper(
        "NorMuon: Making Muon more efficient and scalable",
        "Li, Zichong and Liu, Liming and Liang, Chen and Chen, Weizhu and Zhao, Tuo",
        2025,
        arxiv="2510.05491",
    ),
    summary="Muon with a second moment for each row, so that neurons move equally far",
    learning_rate=0.02,
    notes="Use Muon's learning rate.",
    styles=STYLES,
)
normuon = NORMUON.optimizer
