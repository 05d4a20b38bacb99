"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.
Heo et al., 2020. arXiv:2006.08217.

SGD with momentum that removes the radial component of updates of scale-invariant weights, see
`adamjax.adamp`.

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
    "author": "the authors' code: without Nesterov momentum, B itself is projected",
    "timm": "timm: B is never projected",
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
    """Rescale updates with the SGDP rule.

    Args:
      momentum: β, 0 <= momentum < 1.
      nesterov: whether to use Nesterov momentum.
      eps: ε, added to norms.
      delta: δ, threshold of the cosine. With 0 it is SGD with momentum.
      out_axis: axis of the outputs of a kernel: -1 in Flax, 0 in torch.
      style: implementation to follow, "author" or "timm".
      mu_dtype: dtype in which B is stored, float32 if None.

    Returns:
      A transformation with an `SgdState`. Its `update` needs the parameters.

    Raises:
      ValueError: for momentum outside [0, 1), a negative eps or delta, or an unknown style.

    >>> import jax.numpy as jnp
    >>> tx, p, g = scale_by_sgdp(0.5), jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [-1.0]])
    >>> _, state = tx.update(p, tx.init(p), p)
    >>> [round(float(x), 4) for x in tx.update(g, state, p)[0][:, 0]]  # 1.5, -0.5 less 0.5 p
    [1.0, -1.0]
    """
    lookup_or_suggest("style", style, STYLES)
    check_beta("momentum", momentum)
    inner = scale_by_sgd(momentum, nesterov, mu_dtype=mu_dtype)
    projected = projection(inner, delta, eps, out_axis=out_axis)
    if style == "timm" or nesterov:
        return projected

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra_args: Any) -> Any:
        del extra_args
        updates, after = projected.update(updates, state, params)
        sgd_state: Any = after
        mu = jax.tree.map(lambda u, old: u.astype(old.dtype), updates, state.mu)
        return updates, sgd_state._replace(mu=mu)

    return optax.GradientTransformationExtraArgs(projected.init, update)


def _decay(
    weight_decay: ScalarOrSchedule,
    momentum: ScalarOrSchedule,
    delta: float,
    eps: float,
    out_axis: int,
    *,
    wd_ratio: float = 0.1,
) -> dict[str, Any]:
    """Return the weight decay λ / (1 - β), and its factor for leaves with a projected update.

    Args:
      wd_ratio: r, a factor of λ for leaves with a projected update, except for "l2".
    """
    check_not_negative("weight_decay", weight_decay)
    options = less_decay_where_projected(delta, eps, out_axis, wd_ratio=wd_ratio)
    if is_zero(weight_decay):
        return options

    def scaled(count: Any) -> Any:
        return value_at(weight_decay, count) / (1 - value_at(momentum, count))

    return {"weight_decay": scaled, **options}


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
    summary="SGD with momentum that keeps scale-invariant weights from growing",
    learning_rate=1e-2,
    notes="The authors' code has no momentum by default. Their experiments use 0.9.",
    adjust=_decay,
    styles=STYLES,
    reduces_to=(Reduction({"delta": 0.0, "momentum": 0.875}, "sgd", {"momentum": 0.875}),),
)
sgdp = SGDP.optimizer
