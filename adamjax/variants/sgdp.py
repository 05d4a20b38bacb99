"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.
Heo et al., 2020. arXiv:2006.08217. Its form of gradient descent.

Gradient descent with momentum that does not let scale-invariant weights grow, see `adamp`.

    B = β B + g
    u = B                         Nesterov: u = g + β B
    u = u - (u·n) n,  λ = r λ     where |cos(g, p)| < δ/√n of all neurons or of the leaf; n = p/‖p‖
    p <- p - lr (u + λ / (1 - β) p)
"""

from typing import Any

import jax
import optax

from adamjax.checks import check_beta, check_not_negative, is_zero, lookup_or_suggest
from adamjax.modifiers.projection import projection
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, value_at
from adamjax.trees import PyTree
from adamjax.variants.adamp import less_decay_where_projected
from adamjax.variants.sgd import scale_by_sgd

STYLES = {
    "author": "the authors: without Nesterov's form B itself is projected",
    "timm": "timm: B is left as it is",
}


def scale_by_sgdp(
    momentum: ScalarOrSchedule = 0.9,
    nesterov: bool = False,
    *,
    eps: float = 1e-8,
    delta: float = 0.1,
    out_axis: int = -1,
    style: str = "author",
    mu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of SGDP: momentum, of scale-invariant weights what is across them.

    Args:
      momentum: β, 0 <= β < 1.
      nesterov: whether to look one step ahead.
      eps: ε of the lengths.
      delta: δ; with 0 it is gradient descent with momentum.
      out_axis: the axis of the neurons, see `adamjax.projection`.
      style: "author" or "timm", see `STYLES`.
      mu_dtype: dtype in which B is stored; None for float32.

    Returns:
      A transformation with an `adamjax.variants.sgd.SgdState`, that needs the parameters.

    Raises:
      ValueError: for momentum outside [0, 1), a negative eps or delta, an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, p, g = scale_by_sgdp(0.5), jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [-1.0]])
    >>> _, state = tx.update(p, tx.init(p), p)
    >>> [round(float(x), 4) for x in tx.update(g, state, p)[0][:, 0]]  # 1.5, -0.5 less 0.5 p
    [1.0, -1.0]
    """
    lookup_or_suggest("style", style, STYLES)
    check_beta("momentum", momentum)
    inner = scale_by_sgd(momentum, nesterov, mu_dtype=mu_dtype)
    direction = projection(inner, delta, eps, out_axis=out_axis)
    if style == "timm" or nesterov:
        return direction

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        directions, state = direction.update(updates, state, params)
        kept: Any = state  # an `SgdState`
        mu = jax.tree.map(lambda u, before: u.astype(before.dtype), directions, kept.mu)
        return directions, kept._replace(mu=mu)

    return optax.GradientTransformationExtraArgs(direction.init, update)


def _decay(
    weight_decay: ScalarOrSchedule,
    momentum: ScalarOrSchedule,
    delta: float,
    eps: float,
    out_axis: int,
    *,
    wd_ratio: float = 0.1,
) -> dict[str, Any]:
    """Return λ / (1 - β), the weight that B gives to g in the long run, less where projected.

    Args:
      wd_ratio: r, the share of the weight decay for leaves with a projected update. "l2" has all of
        it.
    """
    check_not_negative("weight_decay", weight_decay)
    scale = less_decay_where_projected(delta, eps, out_axis, wd_ratio=wd_ratio)
    if is_zero(weight_decay):
        return scale

    def over_a_step(count: Any) -> Any:
        return value_at(weight_decay, count) / (1 - value_at(momentum, count))

    return {"weight_decay": over_a_step, **scale}


SGDP = register(
    scale_by_sgdp,
    Paper(
        "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights",
        "Heo, Byeongho and Chun, Sanghyuk and Oh, Seong Joon and Han, Dongyoon and Yun, "
        "Sangdoo and Kim, Gyuwan and Uh, Youngjung and Ha, Jung-Woo",
        2020,
        "International Conference on Learning Representations, 2021",
        arxiv="2006.08217",
    ),
    summary="one step size for all elements; does not let scale-invariant weights grow",
    learning_rate=1e-2,
    notes="The authors' code has no momentum by default. Their experiments use 0.9.",
    adjust=_decay,
    styles=STYLES,
    reduces_to=(Reduction({"delta": 0.0, "momentum": 0.875}, "sgd", {"momentum": 0.875}),),
)
sgdp = SGDP.optimizer
