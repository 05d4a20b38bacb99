"""Muon: An optimizer for hidden layers in neural networks. Jordan et al., 2024.

https://kellerjordan.github.io/posts/muon. Matrices are moved by their momentum made orthogonal, as
far in each of its directions; the other leaves by Adam.

    m = β m + (1 - β) g
    u = β m + (1 - β) g                         Nesterov
    u = √max(1, outputs / inputs) U Vᵀ          of u = U S Vᵀ, by Newton and Schulz
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_count, check_not_negative, lookup_or_suggest
from adamjax.modifiers.orthogonalize import orthogonalize
from adamjax.modifiers.partition_matrices import partition_matrices
from adamjax.moments import Array, ema
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree, resolve_mask
from adamjax.variants.adam import scale_by_adam

STYLES = {
    "author": "the authors' code: m an average, √max(1, outputs / inputs)",
    "optax": "Optax: the same, m and g freed of their bias apart",
    "keras": "Keras: m a sum, 0.2 √max(rows, columns)",
}
_SCALES = {"author": "aspect", "optax": "aspect", "keras": "rms"}


class MuonState(NamedTuple):
    """Steps done, and the momentum."""

    count: Array
    mu: PyTree


def scale_by_muon(
    momentum: ScalarOrSchedule = 0.95,
    *,
    nesterov: bool = True,
    ns_steps: int = 5,
    ns_eps: float = 1e-7,
    scale: str | None = None,
    out_axis: int = -1,
    matrices: Mask = None,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.95,
    eps: ScalarOrSchedule = 1e-10,
    adam_scale: ScalarOrSchedule = 0.015,
    style: str = "author",
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of Muon: a momentum made orthogonal; Adam's for leaves that are no matrices.

    Args:
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
      b1, b2, eps: those of Adam, for the other leaves.
      adam_scale: what Adam's direction is multiplied by: its learning rate in units of Muon's.
      style: "author", "optax" or "keras", see `STYLES`.
      mu_dtype: dtype in which the momenta are stored; None for float32.
      nu_dtype: dtype in which Adam's v is stored; None for float32.

    Returns:
      A transformation with an `optax.transforms.PartitionState` of a `MuonState` and an
      `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, no whole number of steps, an
        unknown style or scale.

    >>> tx, g = scale_by_muon(ns_steps=1), jnp.array([[2.0]])
    >>> round(float(tx.update(g, tx.init(g))[0][0, 0]), 3)  # 3.4445 - 4.775 + 2.0315
    0.701
    """
    of_style = lookup_or_suggest("style", style, _SCALES)
    factor = of_style if scale is None else scale
    check_count("ns_steps", ns_steps)
    check_not_negative("ns_eps", ns_eps)
    check_not_negative("adam_scale", adam_scale)
    turn = orthogonalize(ns_steps, ns_eps, scale=factor, out_axis=out_axis)
    moving = optax.chain(_momentum(momentum, nesterov, style, mu_dtype), turn)
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    slower = optax.scale_by_schedule if callable(adam_scale) else optax.scale
    return partition_matrices(moving, optax.chain(adam, slower(adam_scale)), _of_two_axes(matrices))


def _of_two_axes(matrices: Mask) -> Mask:
    """The chosen leaves without vectors, which would have plain momentum in place of Adam."""
    if matrices is None:
        return None

    def mask(params: PyTree) -> PyTree:
        leaves, treedef = jax.tree.flatten(params)
        chosen = resolve_mask(matrices, params)
        either = zip(chosen, leaves, strict=True)
        return treedef.unflatten([on and jnp.ndim(p) > 1 for on, p in either])

    return mask


def _momentum(
    momentum: ScalarOrSchedule, nesterov: bool, style: str, mu_dtype: Any
) -> optax.GradientTransformationExtraArgs:
    def rule(g, moments, step):
        b, mu = step.momentum, ema(g, moments.mu, step.momentum)
        if style == "keras":
            mu = b.value * moments.mu + g
            u = b.value * mu + g if nesterov else mu
        elif style == "optax":
            ahead = 1 - b.value * (1 - b.bias_correction)
            u = b.value * mu / ahead + b.one_minus * g / b.bias_correction if nesterov else mu
        else:
            u = ema(g, mu, b) if nesterov else mu
        return u, moments._replace(mu=mu)

    return lift(rule, MuonState, {"mu": Slot(mu_dtype)}, betas={"momentum": momentum})


MUON = register(
    scale_by_muon,
    Paper(
        "Muon: An optimizer for hidden layers in neural networks",
        "Jordan, Keller and Jin, Yuchen and Boza, Vlado and You, Jiacheng and Cesista, Franz "
        "and Newhouse, Laker and Bernstein, Jeremy",
        2024,
        url="https://kellerjordan.github.io/posts/muon",
    ),
    summary="moves matrices by their momentum made orthogonal, and only other leaves by Adam",
    learning_rate=0.02,
    notes="The learning rate and the decay are for all leaves, but for `adam_scale`: 3e-4 of "
    "0.02. For a schedule and a decay of their own give each kind of leaf to its "
    "optimizer: `adamjax.partition_matrices(adamjax.muon(0.02), adamjax.adamw(3e-4, "
    "weight_decay=0.1))`.",
    styles=STYLES,
    reduces_to=(
        Reduction(
            {"matrices": "!*", "adam_scale": 1.0},
            "adam",
            {"learning_rate": 0.02, "b2": 0.95, "eps": 1e-10},
        ),
    ),
)
muon = MUON.optimizer
