"""diffGrad: An Optimization Method for Convolutional Neural Networks. Dubey et al., 2019.
arXiv:1909.11015.

Adam whose step is halved where the gradient stays as it was, and whole where it changes: a friction
of the last change.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) g²
    u = σ(|g' - g|) · m̂ √(1 - b₂ᵗ) / (√v + ε)        g' the gradient before, 0 at first
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.moments import Array, adam_hat, ema
from adamjax.optimizer import optimizer
from adamjax.registry import Paper, Variant, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import Mask, PyTree


class DiffgradState(NamedTuple):
    """Steps done, both averages, and the gradient of the last step."""

    count: Array
    mu: PyTree
    nu: PyTree
    previous: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits, and as what."""
        return {"mu": "mean", "nu": "square", "previous": "signed"}


def scale_by_diffgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of diffGrad: Adam's, times σ of how much each gradient has changed.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of their squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      eps_root: added under the root.
      mu_dtype: dtype in which m and the last gradient are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `DiffgradState`.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative eps or eps_root.

    >>> tx, g = scale_by_diffgrad(), jnp.float32(2.0)
    >>> u, state = tx.update(g, tx.init(g))
    >>> round(float(u), 4)  # σ(2), then σ(0)
    0.8808
    >>> round(float(tx.update(g, state)[0]), 4)
    0.5
    """

    def rule(g, moments, step):
        mu = ema(g, moments.mu, step.b1)
        nu = ema(g * g, moments.nu, step.b2)
        friction = jax.nn.sigmoid(jnp.abs(moments.previous - g))
        u = friction * adam_hat(mu, nu, step)
        return u, moments._replace(mu=mu, nu=nu, previous=g)

    return lift(
        rule,
        DiffgradState,
        {"mu": Slot(dtype=mu_dtype), "nu": Slot(dtype=nu_dtype), "previous": Slot(dtype=mu_dtype)},
        decays={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


def diffgrad(
    learning_rate: ScalarOrSchedule = 1e-3,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: str = "decoupled",
    mask: Mask = None,
    storage: str = "float32",
    param_rounding: str | None = None,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """diffGrad (arXiv:1909.11015) as a ready-made optimizer: p <- p - lr σ(|g' - g|) m̂ / √v̂.

    The arguments of `scale_by_diffgrad`, and those of `adamjax.optimizer`: `learning_rate`,
    `weight_decay`, `decay`, `mask`, `storage`, `param_rounding`. The authors decay
    with "l2".

    >>> tx, g = diffgrad(0.5), jnp.float32(2.0)
    >>> round(float(tx.update(g, tx.init(g))[0]), 4)
    -0.4404
    """
    direction = scale_by_diffgrad(
        b1, b2, eps, eps_root=eps_root, mu_dtype=mu_dtype, nu_dtype=nu_dtype
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
        name="diffgrad",
        make=diffgrad,
        direction=scale_by_diffgrad,
        paper=Paper(
            "diffGrad: An Optimization Method for Convolutional Neural Networks",
            "Dubey, Shiv Ram and Chakraborty, Soumendu and Roy, Swalpa Kumar and Mukherjee, "
            "Snehasis and Singh, Satish Kumar and Chaudhuri, Bidyut Baran",
            2019,
            "IEEE Transactions on Neural Networks and Learning Systems 31(11), 2020",
            arxiv="1909.11015",
        ),
        changes="shortens the step, down to a half, where the gradient stays as it was",
        formula="u = σ(|g' - g|) m̂ √(1-b₂ᵗ) / (√v + ε),  g' the gradient before",
        slots=("mu", "nu", "previous"),
    )
)
