"""Layouts: the matrices of a leaf and back, the layouts of models, errors."""

import ast
from collections import namedtuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn, nnx

from adamjax import matrix_layouts, stacked_layouts
from adamjax.matrices.layout import from_matrices, parse_layout, to_matrices

# Optax 0.2.5 does not have the class.
DimensionNumbers = getattr(
    optax.contrib, "MuonDimensionNumbers", namedtuple("_", "reduction_axis output_axis")
)
X = np.arange(4 * 12 * 6.0).reshape(4, 12, 6)
M = X[0]
MATRICES = {
    "in out -> out in": (M, [M.T]),
    "out in -> out in": (M, [M]),
    "embed heads dim -> (heads dim) embed": (X, [X.reshape(4, 72).T]),
    "heads dim embed -> embed (heads dim)": (X, [X.reshape(48, 6).T]),
    "embed heads dim -> heads dim embed": (X, [X.transpose(1, 2, 0)]),
    "(heads=3 out) in -> heads out in": (M, [M.reshape(3, 4, 6)]),
    "(out gate=2) in -> gate out in": (M, [np.stack([M[::2], M[1::2]])]),
    "out=7+4+1 in -> out in": (M, [M[:7], M[7:11], M[11:]]),
    "heads in out=4+2 -> (heads out) in": (
        X,
        [np.concatenate(X[..., :4].mT), np.concatenate(X[..., 4:].mT)],
    ),
    "b in=4+8 out=3+3 -> b out in": (
        X,
        [X[:, i, o].mT for i in (slice(4), slice(4, 12)) for o in (slice(3), slice(3, 6))],
    ),
}


@pytest.mark.parametrize("text", MATRICES)
def test_matrices_of_a_leaf_and_back(text):
    x, expected = MATRICES[text]
    layout = parse_layout(text)
    matrices = to_matrices(jnp.asarray(x), layout)
    assert str(layout) == text
    assert layout.matrix_shapes(x.shape) == [m.shape for m in expected]
    assert all(map(np.array_equal, matrices, expected))
    assert len(matrices) == len(expected)
    assert np.array_equal(from_matrices(matrices, layout, x.shape), x)


def matrices_of(params, layouts=None):
    """The columns "parameter" and "matrices", without parameters that are no matrices."""
    rows = [line.split("  ") for line in str(matrix_layouts(params, layouts)).split("\n")[1:]]
    return {row[0]: row[-1].strip() for row in rows if row[-1].strip() != "other"}


class Block(nnx.Module):
    def __init__(self, key):
        rngs = nnx.Rngs(key)
        self.attn = nnx.MultiHeadAttention(4, 12, 16, decode=False, rngs=rngs)
        self.conv = nnx.Conv(12, 8, (3, 3), rngs=rngs)
        self.embed = nnx.Embed(11, 12, rngs=rngs)
        self.heads = nnx.LinearGeneral(12, (4, 5), rngs=rngs)
        self.lm_head = nnx.Linear(12, 11, rngs=rngs)
        self.out = nnx.Linear(12, 20, rngs=rngs)


def test_flax_nnx():
    layouts = {"heads/kernel": "embed heads dim -> heads dim embed", "*": "flax"}
    expected = {
        **{f"attn/{name}/kernel": "16 x 12" for name in ("key", "query", "value")},
        "attn/out/kernel": "12 x 16",
        "conv/kernel": "8 x 108",
        "heads/kernel": "4 x 5 x 12",
        "out/kernel": "20 x 12",
    }
    params = nnx.state(nnx.eval_shape(lambda: Block(0)), nnx.Param)
    assert matrices_of(params, layouts) == expected
    stack = nnx.eval_shape(lambda: nnx.vmap(Block)(jax.random.split(jax.random.key(0), 2)))
    expected = {name: f"2 x {matrix}" for name, matrix in expected.items()}
    params = nnx.state(stack, nnx.Param)
    stacked = {**expected, "heads/kernel": "8 x 5 x 12"}
    assert matrices_of(params, stacked_layouts({"*": 0}, layouts)) == stacked


class LinenBlock(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        x = nn.MultiHeadDotProductAttention(4, qkv_features=16)(x)
        dense = nn.Dense(12, kernel_init=nn.with_partitioning(nn.initializers.ones, ("a", "b")))
        return nn.LayerNorm()(nn.Conv(12, (3,))(dense(x))), None


@pytest.mark.parametrize("axis", [0, 1])
def test_flax_linen_under_scan(axis):
    scan = nn.scan(
        LinenBlock, {"params": axis}, split_rngs={"params": True}, length=3,
        metadata_params={nn.PARTITION_NAME: None},
    )  # fmt: skip
    params = jax.eval_shape(scan().init, jax.random.key(0), jnp.ones((1, 5, 12)), None)
    attention = "params/MultiHeadDotProductAttention_0"
    assert matrices_of(params, stacked_layouts({"params/*": axis}, "flax")) == {
        **{f"{attention}/{name}/kernel": "3 x 16 x 12" for name in ("key", "query", "value")},
        f"{attention}/out/kernel": "3 x 12 x 16",
        "params/Conv_0/kernel": "3 x 12 x 36",
        "params/Dense_0/kernel": "3 x 12 x 12",
    }


def equinox_modules(key):
    return {
        "attn": eqx.nn.MultiheadAttention(4, 12, qk_size=2, use_query_bias=True, key=key),
        "conv": eqx.nn.Conv2d(3, 8, 5, key=key),
        "mlp": eqx.nn.MLP(12, 5, 7, 1, key=key),
        "norm": eqx.nn.LayerNorm((3, 8)),
        "wte": eqx.nn.Embedding(11, 12, key=key),
    }


def test_equinox():
    model = eqx.filter_eval_shape(equinox_modules, jax.random.key(0))
    assert matrices_of(model, "equinox") == {
        **{f"attn/{name}_proj/weight": "8 x 12" for name in ("query", "key")},
        **{f"attn/{name}_proj/weight": "12 x 12" for name in ("value", "output")},
        "conv/weight": "8 x 75",
        "mlp/layers/0/weight": "7 x 12",
        "mlp/layers/1/weight": "5 x 7",
    }


def test_torch():
    assert matrices_of(shapes(in_proj_weight=(12, 4)), "torch") == {"in_proj_weight": "3 x 4 x 4"}


def shapes(**leaves):
    return {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in leaves.items()}


def test_maxtext():
    scanned = {
        "self_attention": {
            "query": shapes(kernel=(12, 3, 4, 5)),
            "out": shapes(kernel=(4, 3, 5, 12)),
            **shapes(sinks=(4, 3)),
        },
        "mlp": {"wi_0": shapes(kernel=(12, 3, 20))},
        "MoeBlock_0": {"gate": shapes(kernel=(12, 3, 8)), **shapes(wo=(8, 3, 20, 12))},
        "pre_norm": shapes(scale=(12, 3)),
    }
    params = {"layers": scanned, "logits_dense": shapes(kernel=(12, 50))}
    assert matrices_of(params, "maxtext") == {
        "layers/MoeBlock_0/gate/kernel": "3 x 8 x 12",
        "layers/MoeBlock_0/wo": "24 x 12 x 20",
        "layers/mlp/wi_0/kernel": "3 x 20 x 12",
        "layers/self_attention/out/kernel": "3 x 12 x 20",
        "layers/self_attention/query/kernel": "3 x 20 x 12",
    }
    layer = {"self_attention": {"out": shapes(kernel=(4, 5, 12)), "key": shapes(kernel=(9, 4, 5))}}
    assert list(matrices_of(layer, "maxtext").values()) == ["20 x 9", "12 x 20"]


def test_names_of_torch_in_a_flat_dict():
    params = shapes(**{"layers.0.q.weight": (9, 4), "conv1.weight": (5, 3, 2, 2)})
    assert list(matrices_of(params, "torch").values()) == ["5 x 12", "9 x 4"]


def test_default_by_words():
    matrices = "multi_head/w, MultiHeadAttention_0/w, heads/w, head_proj/w, assembly/w, positive/w"
    matrices += ", position_wise/w, layer_norm_1/dense/w, scale_net/w, normal/w, headwise/w"
    others = "head/w, lm_head/w, Head_1/w, cls_head/fc/w, bias, qkv_bias, LayerNorm_0/w, norm1/w"
    others += ", embed_tokens/w, Embed_0/w, pos_embedding, unembed/w, posemb, wte/w, logits_dense/w"
    others += ", position/w, positional_table, layer_scale, token_embedder/w"
    others += ", lm_head.weight, layers.0.norm.weight, embed_out/w, UnEmbed_0/w"
    names = f"{matrices}, {others}".split(", ")
    assert matrices_of(shapes(**dict.fromkeys(names, (3, 4)), b=(3,), c=())) == dict.fromkeys(
        matrices.split(", "), "4 x 3"
    )


def test_dimension_numbers_of_optax():
    spec = DimensionNumbers((0, -1), 2)
    params = shapes(a=(2, 3, 4, 5), b=(3, 4))
    assert matrices_of(params, {"a": spec}) == {"a": "3 x 4 x 10", "b": "4 x 3"}
    assert matrices_of(params, lambda _: {"a": spec, "b": None}) == {"a": "3 x 4 x 10"}


def test_under_a_mask():
    tx = optax.GradientTransformation(matrices_of, lambda u, s, p=None: (u, s))
    params = {"a": jnp.ones((2, 3, 4)), "b": jnp.ones((2, 3))}
    state = optax.masked(tx, {"a": False, "b": True}).init(params)
    assert state.inner_state == {"b": "3 x 2"}


ERRORS = {
    "no layout says": ((2, 3, 4), None),
    "did you mean 'flax'": ((2, 3), "flex"),
    r"is for 3 axes, the shape has 2": ((2, 3), "a b c -> a b c"),
    r"'a b -> a a' must have 'a' once": ((2, 3), "a b -> a a"),
    r"must end with rows and columns": ((2, 3), "a b -> (a b)"),
    r"sizes but one in \(b c\), such as \(b=2 c\)": ((2, 4), "a (b c) -> b c a"),
    r"needs 5 elements in a=2\+3, the shape has 6": ((6, 3), "a=2+3 b -> a b"),
    r"needs a multiple of 4 elements in \(h=4 a\), the shape has 6": ((6, 3), "(h=4 a) b -> h a b"),
    r"the axis '\(b' is not readable": ((2, 3), "a (b -> a b"),
    r"the axis 'b=0' is not readable": ((2, 3), "a b=0 -> a b"),
    r"5 is not a layout": ((2, 3), 5),
    r"has an axis that the parameter does not have": ((2, 3), DimensionNumbers(0, 2)),
    r"must have 'axis0' once": ((2, 3), DimensionNumbers(0, (0, 1))),
}


def test_one_error_lists_all_parameters_without_a_layout():
    params = {f"w{i}": (2, 3, 4) for i in range(9)} | {"key/kernel": (4, 2, 3), "matrix": (2, 3)}
    with pytest.raises(ValueError, match=r"'key/kernel' of shape \(4, 2, 3\)") as error:
        matrix_layouts(shapes(**params))
    head, *listed, more = str(error.value).partition("\nOther")[2].split("\n")
    assert (head, more) == (" parameters need a layout too, 9 in all:", "  and 2 more")
    stack = "'stack1 in out -> stack1 out in'}  a stack of matrices"
    expected = [f"  'w{i}' of shape (2, 3, 4): {{'w{i}': {stack}" for i in range(7)]
    assert listed == expected
    with pytest.raises(ValueError, match="no layout says") as error:
        matrix_layouts(shapes(**dict(list(params.items())[-4:])))
    assert "'w8'" in str(error.value) and "more" not in str(error.value)


@pytest.mark.parametrize("message", ERRORS)
def test_errors_name_path_shape_and_lines_that_fit(message):
    shape, layout = ERRORS[message]
    with pytest.raises(ValueError, match=message) as error:
        matrix_layouts(shapes(w=shape), None if layout is None else {"*": layout})
    first, *lines = str(error.value).split("\n")
    assert first.startswith(f"layouts: 'w' of shape {shape}: ")
    assert len(lines) == {2: 2, 3: 5}[len(shape)]
    for line in lines:
        matrix_layouts(shapes(w=shape), ast.literal_eval(line.strip().partition("  ")[0]))


def test_error_shows_the_layout_of_a_framework():
    with pytest.raises(ValueError, match=r"'flax'}  embed heads dim -> \(heads dim\) embed"):
        matrix_layouts(shapes(**{"attn/query/kernel": (8, 2, 4)}))


def test_error_for_a_function_that_forgets_a_leaf():
    with pytest.raises(ValueError, match=r"layouts: the function must return a layout for each"):
        matrix_layouts(shapes(a=(2, 3), b=(2, 3)), lambda params: {"a": "other"})


@pytest.mark.parametrize("stacked", [None, "flax", {"*": "in out -> out in"}, {"*": 0.5}])
def test_axes_of_stacked_layouts_that_are_no_numbers(stacked):
    with pytest.raises(TypeError, match="stacked must be a dict from patterns to axes"):
        stacked_layouts(stacked)


def test_path_that_does_not_exist():
    with pytest.raises(ValueError, match=r"no parameter matches 'attn/w'; see \['atn/w'\]"):
        matrix_layouts(shapes(**{"atn/w": (2, 3)}), {"attn/w": "out in -> out in"})
