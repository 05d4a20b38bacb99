"""Adam-mini: Use Fewer Learning Rates To Gain More. Zhang et al., 2024. arXiv:2406.16793.

Adam with one second moment for each block of elements, such as a neuron or a head. It needs about
half of the memory of Adam's state.

    m = b₁ m + (1 - b₁) g
    v = b₂ v + (1 - b₂) mean(g²)            the mean over a block
    u = m̂ / (√v̂ + ε)
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import optax

from adamjax.moments import Array, adam_update, ema, mean
from adamjax.registry import Paper, Reduction, register
from adamjax.rule import ScalarOrSchedule, Slot, lift
from adamjax.trees import PyTree, check_patterns, leaf_name, matches

Axes = int | Sequence[int]


class AdamMiniState(NamedTuple):
    """Step `count`, m in `mu`, and v in `nu`, of size 1 along averaged axes."""

    count: Array
    mu: PyTree
    nu: PyTree
    roles = {"mu": "signed"}


def _kept_shape(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """Return the shape of v. Vectors and scalars keep all their elements."""
    if len(shape) < 2:
        return shape
    axes = [axes] if isinstance(axes, int) else axes
    if not set(axes) <= set(range(-len(shape), len(shape))):
        raise ValueError(f"kept: a leaf of shape {shape} does not have the axes {list(axes)}")
    kept = [range(len(shape))[axis] for axis in axes]
    return tuple(size if i in kept else 1 for i, size in enumerate(shape))


def _first_matching(patterns: Sequence[str], params: PyTree) -> PyTree:
    """Return the first pattern that matches the name, for each leaf."""
    check_patterns("kept", patterns, params)

    def first(path: Any, _: Any) -> str:
        return next(pattern for pattern in patterns if matches(leaf_name(path), [pattern]))

    return jax.tree_util.tree_map_with_path(first, params)


def scale_by_adam_mini(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_root: ScalarOrSchedule = 0.0,
    kept: Axes | Mapping[str, Axes] = -1,
    mu_dtype: Any = None,
    nu_dtype: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """Rescale updates with the Adam-mini rule.

    Args:
      b1: decay rate of the first moment m, 0 <= b1 < 1.
      b2: decay rate of the second moment v, 0 <= b2 < 1.
      eps: ε, added to √v̂.
      eps_root: added under the root.
      kept: axes of matrices and tensors that v keeps. The last axis is the neurons of a Flax
        kernel, and () is one v for the leaf. Or a dict from patterns on the leaf's name to axes, of
        which the first match applies, and the last axis where none matches.
      mu_dtype: dtype in which m is stored, float32 if None.
      nu_dtype: dtype in which v is stored, float32 if None.

    Returns:
      A transformation with an `AdamMiniState`, or with patterns an `optax.partition` of these.

    Raises:
      ValueError: for a number out of range, or in `init` for an axis that a leaf does not have.

    >>> import jax.numpy as jnp
    >>> params = {"embedding": jnp.ones((5, 2)), "kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}
    >>> jax.tree.map(jnp.shape, scale_by_adam_mini().init(params).nu)
    {'bias': (3,), 'embedding': (1, 2), 'kernel': (1, 3)}
    >>> state = scale_by_adam_mini(kept={"embedding": 0}).init(params)
    >>> state.inner_states["embedding"].inner_state.nu["embedding"].shape
    (5, 1)
    """
    if isinstance(kept, Mapping):
        options = {"eps_root": eps_root, "mu_dtype": mu_dtype, "nu_dtype": nu_dtype}
        make = partial(scale_by_adam_mini, b1, b2, eps, **options)
        axes = {**kept, "*": kept.get("*", -1)}
        return optax.partition(
            {pattern: make(kept=axes[pattern]) for pattern in axes},
            lambda params: _first_matching(list(axes), params),
        )

    def rule(g, moments, step):
        averaged = [axis for axis, size in enumerate(moments.nu.shape) if size == 1]
        mu = ema(g, moments.mu, step.b1)
        nu = ema(mean(g * g, *averaged), moments.nu, step.b2)
        return adam_update(mu, nu, step), moments._replace(mu=mu, nu=nu)

    slots = {"mu": Slot(mu_dtype), "nu": Slot(nu_dtype, shape=partial(_kept_shape, axes=kept))}
    betas, scalars = {"b1": b1, "b2": b2}, {"eps": eps, "eps_root": eps_root}
    return lift(rule, AdamMiniState, slots, betas=betas, scalars=scalars, uses_axes=True)


ADAM_MINI = register(
    scale_by_adam_mini,
    Paper(
        "Adam-mini: Use Fewer Learning Rates To Gain More",
        "Zhang, Yushun and Chen, Congliang and Li, Ziniu and Ding, Tian and Wu, Chenwei and "
        "Kingma, Diederik P. and Ye, Yinyu and Luo, Zhi-Quan and Sun, Ruoyu",
        2024,
        "International Conference on Learning Representations, 2025",
        arxiv="2406.16793",
    ),
    summary="one second moment for each neuron or other block of elements",
    learning_rate=1e-3,
    notes="The authors keep the tokens of embeddings and the heads of queries and keys, in Flax "
    '`kept={"*embedding": 0, "*query/kernel": 1, "*key/kernel": 1}`.',
    reduces_to=(Reduction({"kept": (0, 1)}, "adam", {}),),
)
adam_mini = ADAM_MINI.optimizer
