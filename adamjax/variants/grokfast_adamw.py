"""Grokfast: Accelerated Grokking by Amplifying Slow Gradients. Lee et al., 2024. arXiv:2405.20233.

AdamW of gradients to which their own average over many steps is added once more: what stays is
amplified, what changes is not.

    e = α e + (1 - α) g             the first gradient at first; or the mean of the last n gradients
    g = g + λ e
    u = Adam's of it
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
    """The direction of Adam behind the filter `adamjax.grokfast` or `adamjax.grokfast_window`.

    Args:
      b1: decay of the average m of the filtered gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v̂ + ε.
      b3: α, the decay of the slow average, 0 <= b3 < 1.
      lamb: λ, how much of it is added; the paper has 2, and 5 with a window.
      window: None for the exponential average, or a number n of gradients for their mean, all of
        which are kept (Grokfast-MA); the paper has 100.
      mu_dtype: dtype in which m and the slow average are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `GrokfastState` or `GrokfastWindowState` and an
      `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, a window that is no whole number.

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
    summary="adds to each gradient once more what stays of them over many steps",
    learning_rate=1e-3,
    weight_decay=1e-2,
    reduces_to=(Reduction({"lamb": 0.0}, "adamw", {}),),
)
grokfast_adamw = GROKFAST_ADAMW.optimizer
