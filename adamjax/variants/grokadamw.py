"""GrokAdamW. Hartford, 2024. https://github.com/cognitivecomputations/grokadamw.

AdamW with three changes: the gradient of each leaf is clipped, a slow average of past gradients is
added to it, and later leaves have a smaller b₁.

    g = g min(1, c / ‖g‖)
    e = α e + (1 - α) g
    g = g + λ e
    m = βᵢ m + (1 - βᵢ) g,  βᵢ = b₁ (1 - γ)ⁱ           i = 0, 1, … the position of the leaf
    v = b₂ v + (1 - b₂) g²
    u = m √(1 - b₂ᵗ) / (1 - b₁ᵗ) / (√v + ε)
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import check_beta, check_not_negative, is_number, is_zero
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
    """Rescale updates with the GrokAdamW rule.

    Args:
      b1: decay rate of the momentum m of the first leaf, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v.
      b3: α, decay rate of the slow average, 0 <= b3 < 1.
      lamb: λ, weight of the slow average.
      gamma: γ, decrease of b₁ from one leaf to the next, 0 <= gamma <= 1.
      clip_norm: c, the largest norm of the gradient of a leaf. 0 disables clipping.
      mu_dtype: dtype in which m and the slow average are stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with a `GrokfastState` and an `optax.ScaleByAdamState`.

    Raises:
      ValueError: for a decay rate outside [0, 1), a negative number, or gamma above 1.

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
        factor = (1 - step.gamma) ** step.position
        one_minus = step.b1.one_minus + step.b1.value * (1 - factor)
        mu = moments.mu + one_minus * (g - moments.mu)
        nu = ema(g * g, moments.nu, step.b2)
        return adam_update_eps_hat(mu, nu, step), moments._replace(mu=mu, nu=nu)

    slots, betas = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype)}, {"b1": b1, "b2": b2}
    options: dict[str, Any] = {"scalars": {"eps": eps, "eps_root": 0.0, "gamma": gamma}}
    options["leaf_inputs"] = _positions
    adam = lift(rule, optax.ScaleByAdamState, slots, betas=betas, **options)

    def clip(u: Array, g: Array) -> Array:
        factor = jnp.minimum(1, clip_norm / (norm(g) + 1e-6))
        return u * jnp.where(clip_norm > 0, factor, 1)

    clipped = optax.identity() if is_zero(clip_norm) else map_updates(optax.identity(), clip)
    return optax.chain(clipped, grokfast(b3, lamb, from_zero=True, dtype=mu_dtype), adam)


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
    summary="amplifies slow gradients; later leaves have a smaller b₁",
    learning_rate=1e-3,
    weight_decay=1e-2,
    notes="The author's code lowers α by a signal, the gap between training and validation loss. "
    "Pass `b3` as a schedule, or change it through `optax.inject_hyperparams`.",
    reduces_to=(
        Reduction(
            {"lamb": 0.0, "gamma": 0.0, "clip_norm": 0.0, "weight_decay": 0.0},
            "adam",
            {"style": "keras"},
        ),
    ),
)
grokadamw = GROKADAMW.optimizer
