"""Understanding and Improving Shampoo and SOAP via KL Minimization. Lin et al., 2025.
arXiv:2509.03378.

SOAP with the covariances of gradients that are whitened along the other axes.

    L = β L + (1 - β) G Q_R Λ_R⁻¹ Q_Rᵀ Gᵀ / columns,  with eigenvectors Q_L, and R likewise
    H = Q_Lᵀ G Q_R
    Λ_L = β Λ_L + (1 - β) mean(H² / Λ_R)                over the columns, and Λ_R likewise
    U = Q_L (m / (√v + ε)) Q_Rᵀ                         m, v the averages of H and H²
"""

from typing import Any

import optax

from adamjax.derive import extends
from adamjax.modifiers.eigenbasis import covariance_basis, inner_settings
from adamjax.registry import Paper, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam
from adamjax.variants.soap import scale_by_soap, skip_first_decay

STYLES = {
    "author": "the authors' code: the first step is 0, and a gradient enters after its step",
    "nvidia": "NVIDIA: Λ = diag(Qᵀ L Q), and otherwise as for `adamjax.soap`",
    "modded_nanogpt": "modded-nanogpt: as the authors, without 1 - β at first, and Λ >= 4000⁻²",
}
PAPER = Paper(
    "Understanding and Improving Shampoo and SOAP via Kullback-Leibler Minimization",
    "Lin, Wu and Lowe, Scott C. and Dangel, Felix and Eschenhagen, Runa and Xu, Zikun and "
    "Grosse, Roger B.",
    2025,
    arxiv="2509.03378",
)


@extends(scale_by_soap, "shampoo_beta precondition_frequency max_size layouts")
def scale_by_kl_soap(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.98,
    eps: ScalarOrSchedule = 1e-8,
    *,
    solver: str = "qr",
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the KL-SOAP rule, Adam inside `adamjax.eigenbasis`.

    Args:
      eps: ε, added to √v. With the style "nvidia" also the least eigenvalue.
      solver: "qr", or "eigh" for exact eigenvectors at each update of the bases.
      style: implementation to follow, "author", "nvidia" or "modded_nanogpt".

    Returns:
      A transformation with an `EigenbasisState` of an `optax.ScaleByAdamState`. Its first update is
      0 unless the style is "nvidia".

    Raises:
      ValueError: for a number out of range, or an unknown style or solver; in `init`, for a
        parameter with three or more axes and no layout.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_kl_soap(0.0, 0.0), jnp.array([[3.0, 0.0], [0.0, 1.0]])
    >>> _, state = tx.update(g, tx.init(g))
    >>> jnp.round(tx.update(g, state)[0], 3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    settings = inner_settings(style, b1, b2, eps)
    of_adam = "torch" if style == "nvidia" else "mlx"
    adam = scale_by_adam(*settings, style=of_adam, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    options |= {"style": style, "solver": solver, "whiten": True, "eps": eps}
    return covariance_basis(adam, b2, **options)


KL_SOAP = register(
    scale_by_kl_soap,
    PAPER,
    summary="SOAP with whitened covariances",
    learning_rate=1e-3,
    weight_decay=1e-2,
    decay_mode="decoupled_after",
    notes="See `adamjax.soap` for the first step, reproducibility and layouts. "
    '`solver="eigh"` with the style "nvidia" is NVIDIA\'s REKLS.',
    styles=STYLES,
    adjust=skip_first_decay,
)
kl_soap = KL_SOAP.optimizer
