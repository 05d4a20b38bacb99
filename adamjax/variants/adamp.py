"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.
Heo et al., 2020. arXiv:2006.08217.

Adam that does not let scale-invariant weights grow, which would shorten their effective steps: it
takes out of the direction what lies along them, and decays them less.

    u = m̂ / (√v̂ + ε)
    u = u - (u·n) n,  λ = r λ     where |cos(g, p)| < δ/√n of all neurons or of the leaf; n = p/‖p‖
"""

from typing import Any

import jax.numpy as jnp
import optax

from adamjax.checks import check_not_negative
from adamjax.modifiers.projection import projected, projection
from adamjax.moments import Array, clamp
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam


def scale_by_adamp(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: float = 1e-8,
    *,
    delta: float = 0.1,
    out_axis: int = -1,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of AdamP: Adam's, of scale-invariant weights what is across them.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε, outside the root, and that of the lengths.
      delta: δ; with 0 it is Adam.
      out_axis: the axis of the neurons, see `adamjax.projection`.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `optax.ScaleByAdamState`, that needs the parameters.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or delta.

    >>> tx, p, g = scale_by_adamp(), jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [-1.0]])
    >>> _, state = tx.update(p, tx.init(p), p)
    >>> u, _ = tx.update(g, state, p)  # across p, but the average is not
    >>> [round(float(x), 4) for x in u[:, 0]]
    [0.5263, -0.5263]
    """
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return projection(adam, delta, eps, out_axis=out_axis)


def less_decay_where_projected(
    delta: float, eps: float, out_axis: int, *, wd_ratio: float = 0.1
) -> dict[str, Any]:
    """Scale the weight decay of projected leaves.

    Args:
      wd_ratio: r, the share of the weight decay for leaves with a projected update. "l2" has all of
        it.
    """
    check_not_negative("wd_ratio", wd_ratio)

    def scale(p: Array, g: Array) -> Array:
        by_neuron, by_leaf = projected(clamp(g), p, delta, eps, out_axis=out_axis)
        return jnp.where(by_neuron | by_leaf, wd_ratio, 1.0)

    return {"decay_scale": scale}


ADAMP = register(
    scale_by_adamp,
    Paper(
        "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights",
        "Heo, Byeongho and Chun, Sanghyuk and Oh, Seong Joon and Han, Dongyoon and Yun, "
        "Sangdoo and Kim, Gyuwan and Uh, Youngjung and Ha, Jung-Woo",
        2020,
        "International Conference on Learning Representations, 2021",
        arxiv="2006.08217",
    ),
    summary="takes out of the direction what would make scale-invariant weights grow",
    learning_rate=1e-3,
    adjust=less_decay_where_projected,
    reduces_to=(Reduction({"delta": 0.0}, "adam", {}),),
)
adamp = ADAMP.optimizer
