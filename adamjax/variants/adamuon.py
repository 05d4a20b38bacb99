"""AdaMuon: Adaptive Muon Optimizer. Si et al., 2025. arXiv:2507.11005.

Muon with an elementwise second moment of the orthogonalized sign of the momentum.

    O = U Vᵀ                            of the sign of Muon's momentum, U S Vᵀ
    v = b₂ v + (1 - b₂) O²
    N = O / (√v + ε)
    u = 0.2 √(rows columns) N / (‖N‖ + ε)
"""

import math
from typing import Any

import optax

from adamjax.checks import lookup_or_suggest
from adamjax.derive import extends
from adamjax.modifiers.map_blocks import second_moment
from adamjax.modifiers.orthogonal_momentum import PRESETS
from adamjax.moments import debias, divide, ema, norm, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.muon import scale_by_muon

STYLES = {
    "author": "the authors' code: the sign of the momentum, b₂ is that of the momentum",
    "timm": 'timm: Muon\'s style "timm", no sign; with `scale` u = scale · O / (√v̂ + ε)',
    "nvidia": 'NVIDIA: Muon\'s style "nvidia", no sign, u = scale · N',
}


@extends(scale_by_muon)
def scale_by_adamuon(
    momentum: ScalarOrSchedule = 0.95,
    *,
    muon_b2: ScalarOrSchedule | None = None,
    muon_eps: ScalarOrSchedule = 1e-8,
    scale: str | None = None,
    style: str = "author",
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the AdaMuon rule for matrices, and with Adam for other leaves.

    Args:
      muon_b2: b₂ of the second moment of matrices, 0 <= muon_b2 < 1. None is `momentum`.
      muon_eps: ε of it.
      scale: factor in place of the norm, see `adamjax.orthogonalize`. None is the default of
        `style`.

    Returns:
      A transformation with an `optax.transforms.PartitionState`, as `scale_by_muon`, whose matrices
      have a `MatrixMomentState` as well.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_adamuon(), jnp.array([[2.0, 0.0], [0.0, 1.0]])
    >>> round(float(jnp.linalg.norm(tx.update(g, tx.init(g))[0])), 3)
    0.4
    """
    preset = lookup_or_suggest("style", style, {name: PRESETS[name] for name in STYLES})
    by_norm = scale is None and style != "nvidia"

    def normalize(scale, step, o, v):
        v = ema(o * o, v, step.muon_b2)
        debiased = debias(v, step.muon_b2) if style == "timm" and not by_norm else v
        n = divide(o, root(debiased) + step.muon_eps)
        if not by_norm:
            return scale(*o.shape[-2:]) * n, v
        length = 0.2 * math.sqrt(o.shape[-2] * o.shape[-1])
        return length * divide(n, norm(n, (-2, -1)) + step.muon_eps), v

    b2 = momentum if muon_b2 is None else muon_b2
    moment = second_moment(normalize, b2, muon_eps, dtype=options.get("nu_dtype"))
    sign = optax.scale_by_sign() if style == "author" else None
    preset = preset._replace(before=sign, after=moment)
    return scale_by_muon(momentum, scale=scale, style=preset, **options)


ADAMUON = register(
    scale_by_adamuon,
    Paper(
        "AdaMuon: Adaptive Muon Optimizer",
        "Si, Chongjie and Zhang, Debing and Shen, Wei",
        2025,
        arxiv="2507.11005",
    ),
    summary="Muon with an elementwise second moment",
    learning_rate=0.02,
    notes="Its updates have the root mean square of Adam's: use Adam's learning rate, and "
    "`adam_scale=1`.",
    styles=STYLES,
)
adamuon = ADAMUON.optimizer
