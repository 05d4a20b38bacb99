"""Adam-mini: Use Fewer Learning Rates To Gain More. Zhang et al., 2024. arXiv:2406.16793.

Adam with one second moment for a block of elements whose Hessian is dense, a neuron or a head, and
so without half of Adam's memory.

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
from adamjax.trees import PyTree, leaf_name, matches

Axes = int | Sequence[int]


class AdamMiniState(NamedTuple):
    """Steps done, the average m, and v, which has size 1 along the axes that it does not keep."""

    count: Array
    mu: PyTree
    nu: PyTree

    @property
    def roles(self) -> dict[str, str]:
        """What `adamjax.store` may keep in few bits: v is small, and of another shape than m."""
        return {"mu": "signed"}


def _kept(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape of v; vectors and scalars keep all their elements."""
    if len(shape) < 2:
        return shape
    axes = [axes] if isinstance(axes, int) else axes
    if not set(axes) <= set(range(-len(shape), len(shape))):
        raise ValueError(f"kept: a leaf of shape {shape} has not all of the axes {list(axes)}")
    kept = [range(len(shape))[axis] for axis in axes]
    return tuple(size if i in kept else 1 for i, size in enumerate(shape))


def _first_matching(patterns: Sequence[str], params: PyTree) -> PyTree:
    """For each leaf the first of the patterns that its name matches."""

    def first(path: Any, _: Any) -> str:
        label, *_ = [pattern for pattern in patterns if matches(leaf_name(path), [pattern])]
        return label

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
    """The direction of Adam-mini: Adam's, with one v for all elements along the axes not kept.

    Args:
      b1: decay of the average m of the gradients, 0 <= b1 < 1.
      b2: decay of the average v of the mean squares, 0 <= b2 < 1.
      eps: ε, outside the root.
      eps_root: added under the root.
      kept: the axes of matrices and tensors along which v differs from element to element: the
        last is the neurons of a kernel in Flax, () makes one v for all of the leaf. Or axes by
        patterns on the leaf's name, of which the first that matches counts; for leaves that match
        none it is the last axis. The authors keep tokens of embeddings and heads of queries and
        keys, which is {"*embedding": 0, "*query/kernel": 1, "*key/kernel": 1} in Flax.
      mu_dtype: dtype in which m is stored; None for float32.
      nu_dtype: dtype in which v is stored; None for float32.

    Returns:
      A transformation with an `AdamMiniState`; with patterns, an `optax.partition` of such.

    Raises:
      ValueError: for b1 or b2 outside [0, 1), a negative number; in `init`, for an axis that a
        leaf has not.

    >>> import jax.numpy as jnp
    >>> params = {"embedding": jnp.ones((5, 2)), "kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}
    >>> jax.tree.map(jnp.shape, scale_by_adam_mini().init(params).nu)
    {'bias': (3,), 'embedding': (1, 2), 'kernel': (1, 3)}
    >>> state = scale_by_adam_mini(kept={"embedding": 0}).init(params)
    >>> state.inner_states["embedding"].inner_state.nu["embedding"].shape
    (5, 1)
    """
    if isinstance(kept, Mapping):
        make = partial(
            scale_by_adam_mini,
            b1,
            b2,
            eps,
            eps_root=eps_root,
            mu_dtype=mu_dtype,
            nu_dtype=nu_dtype,
        )
        axes = {**kept, "*": kept.get("*", -1)}
        return optax.partition(
            {pattern: make(kept=each) for pattern, each in axes.items()},
            lambda params: _first_matching(list(axes), params),
        )

    def rule(g, moments, step):
        shared = [i for i, size in enumerate(moments.nu.shape) if size == 1]
        mu = ema(g, moments.mu, step.b1)
        nu = ema(mean(g * g, *shared), moments.nu, step.b2)
        return adam_update(mu, nu, step), moments._replace(mu=mu, nu=nu)

    return lift(
        rule,
        AdamMiniState,
        {
            "mu": Slot(mu_dtype),
            "nu": Slot(nu_dtype, shape=lambda shape: _kept(shape, kept)),
        },
        betas={"b1": b1, "b2": b2},
        scalars={"eps": eps, "eps_root": eps_root},
    )


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
    summary="one v for each neuron or other block of elements",
    learning_rate=1e-3,
    reduces_to=(Reduction({"kept": (0, 1)}, "adam", {}),),
)
adam_mini = ADAM_MINI.optimizer
