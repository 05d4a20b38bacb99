"""AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights.
Heo et al., 2020. arXiv:2006.08217.

Adam that limits the growth of scale-invariant weights, since it reduces their effective step size.
Updates of neurons, or else leaves, that seem scale-invariant are made orthogonal to the weights.

    u = m̂ / (√v̂ + ε)
    u = u - (u·e) e,  λ = r λ     where |cos(g, p)| < δ/√n, n elements, e = p / ‖p‖
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
    """Rescale updates with the AdamP rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂ and to the norms.
      delta: δ, threshold of the projection. With 0 it is Adam.
      out_axis: axis of the neurons, see `adamjax.projection`.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `optax.ScaleByAdamState` that requires the parameters.

    Raises:
      ValueError: for a number out of range.

    >>> tx, p, g = scale_by_adamp(), jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [-1.0]])
    >>> _, state = tx.update(p, tx.init(p), p)
    >>> tx.update(g, state, p)[0].tolist()  # g is orthogonal to p, the average is not
    [[0.5263...], [-0.5263...]]
    """
    adam = scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype)
    return projection(adam, delta, eps, out_axis=out_axis)


def less_decay_where_projected(
    delta: float, eps: float, out_axis: int, *, wd_ratio: float = 0.1
) -> dict[str, Any]:
    """Scale the weight decay of projected leaves.

    Args:
      wd_ratio: r, factor of weight decay for projected leaves, except with "l2".
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
    summary="projects updates of scale-invariant weights to be orthogonal to them",
    learning_rate=1e-3,
    adjust=less_decay_where_projected,
    reduces_to=(Reduction({"delta": 0.0}, "adam", {}),),
)
adamp = ADAMP.optimizer
