"""GrokAdamW. Hartford, 2024. https://github.com/cognitivecomputations/grokadamw.

AdamW of gradients that are clipped, leaf by leaf, and have their own average over many steps added;
the later the leaf, the less its momentum remembers.

    g = g min(1, c / ‖g‖)
    e = α e + (1 - α) g
    g = g + λ e
    m = βᵢ m + (1 - βᵢ) g,  βᵢ = b₁ (1 - γ)ⁱ           i = 0, 1, … the leaf's position
    v = b₂ v + (1 - b₂) g²
    u = m √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, is_number
from adamjax.modifiers.grokfast import grokfast
from adamjax.modifiers.map_updates import map_updates
from adamjax.moments import Array, adam_update_eps_hat, ema, norm
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree


def scale_by_grokadamw(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    b3: ScalarOrSchedule = 0.98,
    lamb: ScalarOrSchedule = 2.0,
    gamma: ScalarOrSchedule = 0.1,
    clip_norm: float = 1.0,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """The direction of GrokAdamW.

    Args:
      b1: decay of the average m of the first leaf, 0 <= b1 < 1.
      b2: decay of the average v of the squares, 0 <= b2 < 1.
      eps: ε of √v + ε.
      b3: α, the decay of the slow average, 0 <= b3 < 1. The author's code makes it smaller by a
        signal, the gap between the losses of training and of validation: give a schedule, or an
        array through `optax.inject_hyperparams`.
      lamb: λ, how much of the slow average is added.
      gamma: γ, by how much each leaf's momentum is shorter than the one before it has, at most 1.
      clip_norm: c, the longest gradient of a leaf; 0 for no limit.
      mu_dtype: dtype in which m and the slow average are stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with a `GrokfastState` and an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay outside [0, 1), a negative number, gamma above 1.

    >>> tx, g = scale_by_grokadamw(), [jnp.float32(2.0), jnp.float32(2.0)]
    >>> [round(float(u), 4) for u in tx.update(g, tx.init(g))[0]]  # (1 - 0.81) / (1 - 0.9)
    [1.0, 1.9]
    """
    check_beta("b3", b3)
    check_not_negative("gamma", gamma)
    if is_number(gamma) and gamma > 1:
        raise ValueError(f"gamma must be at most 1, got {gamma}")
    check_not_negative("clip_norm", clip_norm)

    def rule(g, moments, step):
        fade = (1 - step.gamma) ** step.position
        one_minus = step.b1.one_minus + step.b1.value * (1 - fade)
        mu = moments.mu + one_minus * (g - moments.mu)
        nu = ema(g * g, moments.nu, step.b2)
        return adam_update_eps_hat(mu, nu, step), moments._replace(mu=mu, nu=nu)

    adam = lift(
        rule,
        optax.ScaleByAdamState,
        {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)},
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": 0.0, "gamma": gamma},
        leaf_inputs=_positions,
    )

    def clip(u: Array, g: Array) -> Array:
        del g
        return u * jnp.minimum(1, clip_norm / (norm(u) + 1e-6))

    return optax.chain(
        map_updates(optax.identity(), clip if clip_norm else lambda u, g: u),
        grokfast(b3, lamb, from_zero=True, dtype=mu_dtype),
        adam,
    )


def _positions(updates: PyTree, extra_args: Any) -> dict[str, PyTree]:
    del extra_args
    treedef = jax.tree.structure(updates)
    return {"position": treedef.unflatten(range(treedef.num_leaves))}


GROKADAMW = register(
    scale_by_grokadamw,
    Paper(
        "GrokAdamW",
        "Hartford, Eric",
        2024,
        url="https://github.com/cognitivecomputations/grokadamw",
    ),
    summary="amplifies what stays of the gradients; later leaves have shorter momenta",
    learning_rate=1e-3,
    weight_decay=1e-2,
    reduces_to=(
        Reduction(
            {"lamb": 0.0, "gamma": 0.0, "clip_norm": 0.0, "weight_decay": 0.0},
            "adam",
            {"style": "keras"},
        ),
    ),
)
grokadamw = GROKADAMW.optimizer
