"""Training Deep Learning Models with Norm-Constrained LMOs. Pethick et al., 2025. arXiv:2502.07529.

Scion moves each parameter by the element of a norm ball that decreases a linear model most.

    m = β m + (1 - β) g
    u = R · √(rows / columns) U Vᵀ     of m = U S Vᵀ, or another norm of the matrix m
    u = R · sign(m)                    other leaves
    p <- p - lr (u + p)                it stays in the ball of radius R
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative, lookup_or_suggest
from adamjax.derive import extends
from adamjax.matrices.polar import Triples
from adamjax.modifiers.map_blocks import lift_matrices
from adamjax.modifiers.map_updates import map_updates
from adamjax.modifiers.orthogonal_momentum import matrix_momentum, newton_schulz
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import divide, mean, root
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.muon import scale_by_muon

_SPECTRAL = {"spectral": "rms_to_rms", "spectral_max": "aspect"}  # and their scales
_NORMS = {
    "sign": lambda m: jnp.sign(m) / m.shape[-1],
    "columns": lambda m: divide(m, m.shape[-1] * _rms(m, -2) + 1e-8),
    "rows": lambda m: divide(m, m.shape[-1] * _rms(m, -1) + 1e-8),
}
_OTHER_NORMS = {"sign": jnp.sign, "rms": lambda m: divide(m, _rms(m, *range(m.ndim)[:1]) + 1e-8)}


def _rms(m: Any, *axes: int) -> Any:
    return root(mean(m * m, *axes))


@extends(scale_by_muon, "ns_steps ns_eps ns_dtype wire_dtype layouts mu_dtype")
def scale_by_scion(
    momentum: ScalarOrSchedule = 0.9,
    *,
    norm: str = "spectral",
    radius: ScalarOrSchedule = 50.0,
    other_norm: str = "sign",
    other_radius: ScalarOrSchedule = 4.0,
    coefficients: str | Triples = "jordan",
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Scion rule.

    Args:
      momentum: β, 0 <= momentum < 1, 1 - α in the paper.
      norm: norm of matrices (outputs, inputs): "spectral"; "spectral_max", with a factor √max(1,
        outputs / inputs); "sign", sign(m) / inputs; "columns", each column by its root mean square,
        over inputs; "rows", each row by its norm, over √inputs.
      radius: R of matrices.
      other_norm: norm of other leaves: "sign", or "rms", their root mean square over the first
        axis.
      other_radius: R of other leaves. The authors' 3000, which they divide by the width 768.
      coefficients: polynomials of the Newton-Schulz iteration, see `adamjax.orthogonalize`.

    Returns:
      A chain of an `optax.ScaleByLionState` (count, mu) and an `optax.transforms.PartitionState`.

    Raises:
      ValueError: for a momentum outside [0, 1), a negative number, or an unknown norm; in `init`,
        for a parameter with three or more axes and no layout.

    >>> tx, g = scale_by_scion(norm="sign", radius=2.0), jnp.array([[2.0, -1.0]])
    >>> tx.update(g, tx.init(g))[0].tolist()
    [[2.0, -2.0]]
    """
    lookup_or_suggest("norm", norm, {**_SPECTRAL, **_NORMS})
    other = lookup_or_suggest("other_norm", other_norm, _OTHER_NORMS)
    check_not_negative("radius", radius)
    check_not_negative("other_radius", other_radius)
    layouts, mu_dtype = options.pop("layouts", None), options.pop("mu_dtype", None)
    polar = newton_schulz(coefficients, _SPECTRAL.get(norm, "none"), **options)
    elementary = lift_matrices(lambda step, m: [_NORMS[norm](m)])
    times = partial(optax.scale_by_learning_rate, flip_sign=False)
    matrices = optax.chain(polar if norm in _SPECTRAL else elementary, times(radius))
    others = optax.chain(map_updates(optax.identity(), lambda m, g: other(m)), times(other_radius))
    average = matrix_momentum(momentum, mu_dtype=mu_dtype, state_type=optax.ScaleByLionState)
    return optax.chain(average, partition_matrices(matrices, others, layouts))


SCION = register(
    scale_by_scion,
    Paper(
        "Training Deep Learning Models with Norm-Constrained LMOs",
        "Pethick, Thomas and Xie, Wanyun and Antonakopoulos, Kimon and Zhu, Zhenyu and "
        "Silveti-Falls, Antonio and Cevher, Volkan",
        2025,
        "International Conference on Machine Learning, 2025",
        arxiv="2502.07529",
    ),
    summary="momentum in a norm ball: orthogonal matrices, signs of other leaves",
    learning_rate=2.0**-12,
    weight_decay=1.0,
    notes="The weight decay of 1 keeps parameters in balls of radius R. Without it "
    "(`weight_decay=0`) Scion is unconstrained.",
)
scion = SCION.optimizer
