"""Grokfast: Accelerated Grokking by Amplifying Slow Gradients. Lee et al., 2024. arXiv:2405.20233.

AdamW with a slow average of past gradients added to each gradient, which amplifies the components
that persist over many steps.

    e = α e + (1 - α) g             e = g at first; or e is the mean of the last n gradients
    g = g + λ e
    u = m̂ / (√v̂ + ε)                m and v the averages of this g and of its square
"""

from typing import Any

import optax

from adamjax.checks import check_beta
from adamjax.modifiers.grokfast import grokfast, grokfast_window
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule
from adamjax.variants.adam import scale_by_adam


def scale_by_grokfast_adamw(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    window: int | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with `adamjax.grokfast` or `grokfast_window`, then Adam.

    Args:
      b1: decay rate of the momentum m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added outside the square root.
      b3: α, decay rate of the slow average, 0 <= b3 < 1.
      lamb: λ, weight of the slow average. The paper uses 2, or 5 with a window.
      window: number n of gradients whose mean is the slow average (Grokfast-MA). It keeps all of
        them. The paper uses 100. None is the exponential average.
      mu_dtype: dtype in which m and the slow average are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A chain of a `GrokfastState` or `GrokfastWindowState` and an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or a window below 1.

    >>> import jax.numpy as jnp
    >>> tx, g = scale_by_grokfast_adamw(b2=0.5), jnp.float32(1.0)
    >>> _, state = tx.update(g, tx.init(g))
    >>> round(float(state[0].slow), 4), round(float(state[1].mu), 4)
    (1.0, 0.3)
    """
    check_beta("b3", b3)
    if window is None:
        slow = grokfast(b3, lamb, dtype=mu_dtype)
    else:
        slow = grokfast_window(window, lamb, dtype=mu_dtype)
    return optax.chain(slow, scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype))


GROKFAST_ADAMW = register(
    scale_by_grokfast_adamw,
    Paper(
        "Grokfast: Accelerated Grokking by Amplifying Slow Gradients",
        "Lee, Jaerin and Kang, Bong Gyun and Kim, Kihoon and Lee, Kyoung Mu",
        2024,
        arxiv="2405.20233",
    ),
    summary="adds a slow average of past gradients to each gradient",
    learning_rate=1e-3,
    weight_decay=1e-2,
    reduces_to=(Reduction({"lamb": 0.0}, "adamw", {}),),
)
grokfast_adamw = GROKFAST_ADAMW.optimizer
