"""The tests of every framework. A subclass brings the framework's own training loop.

The loops are those of docs/frameworks.md: `recipe` runs the code of a section.
"""

import contextlib
import functools
import io

import jax
import numpy as np
import optax

import adamjax
from tests import documents

LEARNING_RATE = 1e-2
STEPS = 3
RECIPES = documents.ROOT / "docs" / "frameworks.md"
# For frameworks with a mesh.
jax.config.update("jax_num_cpu_devices", 4)


@functools.cache
def recipe(section):
    """Run a section as one program, compare its output, and return its names."""
    names = {"__name__": "recipe"}
    for block in documents.blocks(RECIPES):
        if block.section.startswith(section):
            with contextlib.redirect_stdout(io.StringIO()) as output:
                documents.run(block, RECIPES, names)
            expected = documents.expected(block.code)
            printed = output.getvalue().splitlines()[-len(expected) :]  # Frameworks print as well.
            assert [*map(documents.same, printed, expected)] == [True] * len(expected), printed
    return names


def own(learning_rate):
    return optax.adamw(learning_rate, weight_decay=0.1)


def same(learning_rate):
    return adamjax.adamw(learning_rate, weight_decay=0.1)


def eight_bits(learning_rate):
    return adamjax.adamw(learning_rate, weight_decay=0.1, storage="8bit")


def muon(learning_rate):
    def layouts(params):
        return jax.tree.map(lambda p: "in out -> out in" if p.ndim == 2 else "other", params)

    return adamjax.muon(learning_rate, layouts=layouts, storage="8bit")


def soap(learning_rate):
    return adamjax.soap(learning_rate, storage="8bit")


def adafactor(learning_rate):
    return adamjax.adafactor(learning_rate)


def distances(actual, expected):
    """Return |actual - expected| of every element of two trees."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    pairs = list(zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True))
    assert all(a.dtype == b.dtype for a, b in pairs)
    return np.concatenate([np.abs(np.asarray(a) - np.asarray(b)).ravel() for a, b in pairs])


class Training:
    """Tests of a framework.

    Attributes:
      own: the optimizer of the framework, in the form that `train` takes.
      same: that of adamjax that equals it.
      eight_bits: the same in 8 bits.
      other: another variant in 8 bits.
    """

    own, same, eight_bits, other = map(staticmethod, (own, same, eight_bits, muon))

    @staticmethod
    def train(optimizer, steps, folder=None):
        """Return the parameters after some steps and the state of the optimizer.

        Args:
          optimizer: a function from a learning rate to a transformation.
          steps: number of steps from the start, those of a checkpoint included.
          folder: where to write a checkpoint, and to read the one that is there.
        """
        raise NotImplementedError

    @classmethod
    @functools.cache
    def trained(cls, name):
        return cls.train(getattr(cls, name), STEPS)

    def test_adamjax_equals_optax(self):
        away = distances(self.trained("same")[0], self.trained("own")[0])
        # Where a gradient is almost 0, rounding may change the sign of the first steps.
        assert np.mean(away > 1e-5) <= 1e-3

    def test_eight_bits(self):
        params, state = self.trained("eight_bits")
        away = distances(params, self.trained("own")[0])
        assert 0 < np.mean(away) < 0.1 * LEARNING_RATE
        moments = [x for x in jax.tree.leaves(state) if x.ndim > 1 and x.dtype in ("int8", "uint8")]
        assert {x.dtype.name for x in moments} == {"int8", "uint8"}

    def test_other_variant(self):
        params, state = self.trained("other")
        away = distances(params, self.trained("own")[0])
        assert 0.1 * LEARNING_RATE < np.mean(away) < np.inf
        assert any(x.dtype in ("int8", "uint8") for x in jax.tree.leaves(state))


class ResumedTraining(Training):
    """Tests of a framework that writes checkpoints."""

    def test_resumed_run_equals_uninterrupted_run(self, tmp_path):
        self.train(self.eight_bits, STEPS - 1, tmp_path)
        params, _ = self.train(self.eight_bits, STEPS, tmp_path)
        assert np.max(distances(params, self.trained("eight_bits")[0])) == 0


class ShardedTraining(ResumedTraining):
    """Tests of a framework that shards parameters over four devices.

    Attributes:
      factored: an optimizer whose moments have other shapes than the parameters.
    """

    factored = staticmethod(adafactor)

    def test_moments_are_sharded(self):
        _, state = self.trained("eight_bits")
        moments = [x for x in jax.tree.leaves(state) if x.ndim > 1 and x.dtype == "int8"]
        assert not any(x.sharding.is_fully_replicated for x in moments)

    def test_moments_of_other_shapes(self):
        params, _ = self.train(self.factored, 1)
        assert all(np.isfinite(np.asarray(x)).all() for x in jax.tree.leaves(params))
