"""Grokfast: Accelerated Grokking by Amplifying Slow Gradients. Lee et al., 2024. arXiv:2405.20233.

AdamW of gradients to which their own average over many steps is added once more: what stays is
amplified, what changes is not.

    e = α e + (1 - α) g             the first gradient at first; or the mean of the last n gradients
    g = g + λ e
    u = Adam's of it
"""

from typing import Any

import optax

from adamjax.checks import check_decay
from adamjax.modifiers.grokfast import grokfast, grokfast_window
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Reduction, Variant, register
from adamjax.rule import ScalarOrSchedule
from adamjax.trees import Mask
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
    check_decay("b3", b3)
    if window is None:
        slow = grokfast(b3, lamb, dtype=mu_dtype)
    else:
        slow = grokfast_window(window, lamb, dtype=mu_dtype)
    return optax.chain(slow, scale_by_adam(b1, b2, eps, mu_dtype=mu_dtype, nu_dtype=nu_dtype))


def grokfast_adamw(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    window: int | None = None,
    weight_decay: ScalarOrSchedule = 1e-2,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """AdamW with Grokfast (arXiv:2405.20233) as a ready-made optimizer: p <- p - lr (u + λ p).

    The arguments of `scale_by_grokfast_adamw`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`.

    >>> import jax.numpy as jnp
    >>> tx, g = grokfast_adamw(0.5, weight_decay=0.0), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.5
    """
    direction = scale_by_grokfast_adamw(
        b1,
        b2,
        eps,
        b3=b3,
        lamb=lamb,
        window=window,
        mu_dtype=mu_dtype,
        nu_dtype=nu_dtype,
    )
    return optimizer(
        direction,
        learning_rate,
        weight_decay=weight_decay,
        decay=decay,
        mask=mask,
        storage=storage,
        param_rounding=param_rounding,
    )


VARIANT = register(
    Variant(
        name="grokfast_adamw",
        make=grokfast_adamw,
        direction=scale_by_grokfast_adamw,
        paper=Paper(
            "Grokfast: Accelerated Grokking by Amplifying Slow Gradients",
            "Lee, Jaerin and Kang, Bong Gyun and Kim, Kihoon and Lee, Kyoung Mu",
            2024,
            arxiv="2405.20233",
        ),
        changes="adds to each gradient once more what stays of them over many steps",
        formula="e = α e + (1-α) g;  g = g + λ e;  u = Adam's of it",
        slots=("mu", "nu", "slow"),
        reduces_to=(Reduction({"lamb": 0.0}, "adamw", {}),),
        static=("window",),
    )
)
