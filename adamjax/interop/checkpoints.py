"""Read a checkpoint whose optimizer had another storage format."""

from collections.abc import Mapping
from typing import Any

import jax

from adamjax.storage.state_moments import StoredState
from adamjax.trees import leaf_name


def state_template(saved: Any, like: Any) -> Any:
    """Return the shapes and dtypes of a saved optimizer state, in the classes of another one.

    With it a checkpoint is restored in the storage format that it was saved in. Convert the state
    afterwards, for example with `adamjax.convert_state(state, to="8bit")`.

    Args:
      saved: the saved state as nested dicts, lists and tuples of arrays or of their metadata, such
        as a part of `checkpointer.metadata(path).item_metadata` of Orbax.
      like: a state of the same optimizer for the same parameters in any storage format, such as
        `jax.eval_shape(tx.init, params)`.

    Returns:
      A state of `jax.ShapeDtypeStruct`.

    Raises:
      ValueError: if `saved` lacks a part of `like`. The message names it.

    >>> import adamjax, jax.numpy as jnp
    >>> params = {"w": jnp.zeros((128, 128))}
    >>> saved = {"0": {"format": jnp.zeros(7), "inner_state": {"count": 3, "mu": params}}}
    >>> like = (adamjax.scale_by_lion().init(params),)
    >>> jax.tree.map(lambda x: x.shape, state_template(saved, like))
    (StoredState(inner_state=ScaleByLionState(count=(), mu={'w': (128, 128)}), format=(7,)),)
    """
    return _match(saved, like, ())


def _match(saved: Any, like: Any, path: tuple[Any, ...]) -> Any:
    like = like.inner_state if isinstance(like, StoredState) else like
    if isinstance(saved, Mapping) and set(saved) == set(StoredState._fields):
        inner = _match(saved["inner_state"], like, path)
        return StoredState(inner, _shape(saved["format"]))
    children, treedef = jax.tree_util.tree_flatten_with_path(like, lambda x: x is not like)
    if treedef == jax.tree.structure(0):
        return _shape(saved)
    parts = []
    for i, ((key,), child) in enumerate(children):
        where = (*path, key)
        parts.append(_match(_child(saved, leaf_name((key,)), i, where), child, where))
    return treedef.unflatten(parts)


def _child(saved: Any, name: str, i: int, path: tuple[Any, ...]) -> Any:
    if isinstance(saved, Mapping):
        by_name = {str(key): value for key, value in saved.items()}
        if name in by_name:
            return by_name[name]
    elif isinstance(saved, list | tuple) and i < len(saved):
        return saved[i]
    raise ValueError(f"saved: there is no {leaf_name(path)!r}; is it of another optimizer?")


def _shape(leaf: Any) -> jax.ShapeDtypeStruct:
    shaped = leaf if hasattr(leaf, "dtype") else jax.numpy.asarray(leaf)
    return jax.ShapeDtypeStruct(shaped.shape, shaped.dtype)
