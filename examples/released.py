"""The transformer of `char_lm` in stages, trained with `adamjax.release`."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import adamjax
from examples import loop


class Trainer(loop.Trainer):
    """A trainer whose step updates each block in the backward pass.

    Args:
      model: a `char_lm.Transformer`.
      tx: an optimizer that `adamjax.release` admits.
      loss, data, settings: as for `loop.Trainer`.
    """

    def __init__(self, model: Any, tx: optax.GradientTransformation, *args: Any, **settings: Any):
        super().__init__(model, tx, *args, **settings)
        self._model = model
        init, self._step = adamjax.release(self._stages(model), tx)
        params = self._in_stages(nnx.to_pure_dict(nnx.state(model, nnx.Param)))
        self._state: Any = params, init(params)

    def _stages(self, model: Any) -> dict[str, Any]:
        modules = model.tokens, model.places, model.last, model.output, model.blocks.layers[0]
        tokens, places, last, output, one = map(nnx.graphdef, modules)

        def embed(p: Any, x: None, batch: Any) -> jax.Array:
            ids = batch[0].astype(jnp.int32)
            position = nnx.merge(places, p["places"])(jnp.arange(ids.shape[1]))
            return nnx.merge(tokens, p["tokens"])(ids) + position

        def block(p: Any, x: jax.Array, batch: Any) -> jax.Array:
            return nnx.merge(one, p)(x)

        def head(p: Any, x: jax.Array, batch: Any) -> jax.Array:
            logits = nnx.merge(output, p["output"])(nnx.merge(last, p["last"])(x))
            losses = optax.losses.softmax_cross_entropy_with_integer_labels
            return losses(logits.astype(jnp.float32), batch[1].astype(jnp.int32)).mean()

        return {"embed": embed, "blocks": adamjax.Scan(block), "head": head}

    @staticmethod
    def _in_stages(weights: dict[str, Any]) -> dict[str, Any]:
        blocks = weights["blocks"]["layers"]
        return {
            "embed": {name: weights[name] for name in ("tokens", "places")},
            "blocks": jax.tree.map(lambda *x: jnp.stack(x), *(blocks[i] for i in sorted(blocks))),
            "head": {name: weights[name] for name in ("last", "output")},
        }

    @property
    def model(self) -> Any:
        params = self._state[0]
        depth = len(jax.tree.leaves(params["blocks"])[0])
        blocks = {i: jax.tree.map(lambda x: x[i], params["blocks"]) for i in range(depth)}  # noqa: B023
        weights = {**params["embed"], **params["head"], "blocks": {"layers": blocks}}
        nnx.update(self._model, weights)
        return self._model

    @property
    def state_bytes_per_parameter(self) -> float:
        params, state = map(jax.tree.leaves, self._state)
        return sum(leaf.nbytes for leaf in state) / sum(leaf.size for leaf in params)

    def _epoch(self, state: Any, data: Any, key: jax.Array) -> tuple[Any, Any]:
        count = len(data[1])
        rows = jax.random.permutation(key, count)[: self.steps_per_epoch * self._batch_size]

        def step(state: Any, rows: jax.Array) -> tuple[Any, Any]:
            batch = jax.tree.map(lambda array: array[rows], data)
            params, opt_state = state
            params, opt_state, loss = self._step(params, opt_state, batch)
            return (params, opt_state), (loss, {})

        return jax.lax.scan(step, state, rows.reshape(self.steps_per_epoch, self._batch_size))
