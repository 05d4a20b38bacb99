"""The pictures of concepts can be drawn again, and the recorded paths are those of the library."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from adamjax.problems import get_problem
from scripts.concepts import __main__ as concepts, drawings, paths


def decoded(text):
    codes = [paths._DIGITS.index(digit) for digit in text]
    return np.array(codes[::2]) * 64 + np.array(codes[1::2])


def test_the_recorded_paths_of_adam_are_its_paths():
    problem = get_problem("quadratic")
    new = paths.contents(problem, {"adam": paths.record("adam", problem)[1]})
    old = json.loads((concepts.FOLDER / "paths.quadratic.json").read_text("utf-8"))
    assert list(old["paths"]) == list(paths.OPTIMIZERS)
    texts = ([each["grid"], *each["paths"]["adam"]] for each in (new, old))
    for one, other in zip(*texts, strict=True):  # within two codes of 4,096, for other machines
        assert np.abs(decoded(one) - decoded(other)).max() <= 2
    kept = set(new) - {"grid", "paths"}
    assert json.loads(json.dumps({key: new[key] for key in kept})) == {
        key: old[key] for key in kept
    }


def test_colors_of_a_layout_follow_its_matrices():
    image = drawings.colored((6, 12), "in (qkv=3 out) -> qkv out in")
    assert image.shape == (6, 12, 3)
    assert len(np.unique(image[0], axis=0)) == 3  # blocks
    assert len(np.unique(image[:, 0], axis=0)) == 6  # columns, each paler


def test_rounding_to_nearest_does_not_move_and_the_others_do():
    ends = {name: drawings.walk(name, 200)[-1].mean() for name in (None, "stochastic", "residual8")}
    assert ends[None] == 1
    assert ends["stochastic"] == pytest.approx(0.98, abs=0.003)
    assert ends["residual8"] == pytest.approx(0.98, abs=float(jnp.finfo(jnp.bfloat16).epsneg))


@pytest.mark.wide
@pytest.mark.parametrize("name", concepts.PARTS)
def test_part_is_drawn(name, tmp_path):
    concepts.PARTS[name](tmp_path)
    made = {file.name for file in tmp_path.iterdir()}
    assert made and made <= {file.name for file in concepts.FOLDER.iterdir()}
    assert all(file.stat().st_size > 10_000 for file in tmp_path.iterdir())
