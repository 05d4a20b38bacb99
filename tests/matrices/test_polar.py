"""Polar factors against the authors' code, and on matrices where an iteration may break."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamjax
from adamjax.matrices.polar import COEFFICIENTS, expand, polar_factor, product_of_parts, resolve
from tests import ROOT

FOLDER = ROOT / "tests/trajectories/polar"
FILES = sorted(file.stem for file in FOLDER.glob("*.npz"))
# One file for each code path. The others differ in numbers.
PATHS = {"polar_jordan", "polar_express", "polar_you_7", "polar_cubic5", "polar_gram_2"} | {
    f"polar_optax_{name}" for name in ("aol", "schatten", "spectral")
}
# In half precision rounding errors of a matrix without full rank grow to singular values of 1.
WELL_CONDITIONED = {"square", "wide", "tall", "power", "tiny", "orthogonal"}
SHAPES = {0.62: (1024, 4096), 0.52: (2048, 11008)}


def load(name):
    """The matrices of a file, its results, its record, and arguments other than defaults."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        arrays = dict(arrays)
    meta = json.loads(str(arrays["meta"]))
    matrices, results = ({c: arrays[f"{k}_{c}"] for c in meta["cases"]} for k in "xy")
    record = meta["hyperparameters"]
    if record["coefficients"] in ("cans", "aol"):  # files of other coefficients
        kwargs = {"coefficients": record["ns_coefficients"]}
    else:
        kwargs = {"coefficients": record["coefficients"], "steps": record["ns_steps"]}
    if name != "polar_" + record["coefficients"] or record["coefficients"] in ("cans", "aol"):
        kwargs |= {k: record["ns_" + k] for k in ("eps", "eps_mode", "safety")}
        kwargs |= {"precondition": record["precondition"]}
    if "restarts" in record:
        kwargs["gram"] = record["restarts"]
    return matrices, results, meta, kwargs


def distances(matrices, results, kwargs, dtype, compute_dtype=None):
    """The largest difference in each case."""
    matrices = jax.tree.map(lambda x: jnp.asarray(x, dtype), matrices)
    run = jax.jit(
        lambda xs: {c: polar_factor(x, dtype=compute_dtype, **kwargs) for c, x in xs.items()}
    )
    return {c: abs(np.asarray(y) - results[c]).max() for c, y in run(matrices).items()}


@pytest.mark.parametrize("name", FILES)
def test_coefficients(name):
    record = load(name)[2]["hyperparameters"]
    triples = expand(resolve(record["coefficients"], steps=record["ns_steps"]))
    margin = 1.03 if record["coefficients"] == "cans" else 1.0
    expected = record["ns_coefficients"] / margin ** np.array([1, 3, 5])
    np.testing.assert_allclose(triples, expected, rtol=1e-13)


@pytest.mark.usefixtures("float64", "compiled_quickly")
@pytest.mark.xdist_group("float64")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in PATHS else pytest.mark.wide) for n in FILES]
)
def test_equals_the_code_of_the_authors(name):
    matrices, results, meta, kwargs = load(name)
    errors = distances(matrices, results, kwargs, np.float64)
    assert max(errors.values()) <= meta["tolerance"], errors


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("polar_jordan", "float32"),
        ("polar_deepseek_v4", "float32"),  # restarts
        ("polar_you", "bfloat16"),
        ("polar_deepseek_v4", "bfloat16"),
        ("polar_gram_2", "float16"),
    ],
)
def test_in_fewer_bits(name, dtype):
    matrices, results, meta, kwargs = load(name)
    if dtype != "float32":
        matrices = {case: matrices[case] for case in WELL_CONDITIONED}
    errors = distances(matrices, results, kwargs, np.float32, dtype)
    for case, error in errors.items():
        float32 = 5e-3 if case in ("ill", "low_rank") else 3e-5
        assert error <= (float32 if dtype == "float32" else meta["half_tolerance"]), case


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.usefixtures("compiled_quickly")
def test_defined_on_every_matrix(name):
    plain = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    line = np.outer([1, 2, -3, 1], np.ones(9)).astype(np.float32)
    zero, broken = np.zeros_like(plain), [plain.copy(), plain.copy()]
    broken[0][1, 2], broken[1][1, 2] = np.inf, np.nan
    x = jnp.stack([zero, line, 1e-30 * plain, 2.0**126 * plain, *broken, plain])
    for dtype in (None, "bfloat16"):
        run = jax.jit(lambda x, dtype=dtype: polar_factor(x, name, dtype=dtype))
        y = np.asarray(run(x))
        np.testing.assert_array_equal(y[0], zero)
        cosine = np.vdot(y[1], line) / np.linalg.norm(y[1]) / np.linalg.norm(line)
        assert cosine > 0.95 and 0.6 < np.linalg.norm(y[1], 2) < 1.3
        assert abs(y[2]).max() < 1e-8
        np.testing.assert_allclose(y[3], y[6], atol=1e-4 if dtype is None else 0.1)
        assert np.isnan(y[4:6]).all() and np.isfinite(y[6]).all()


def test_cans_has_a_margin_for_half_precision():
    x = jax.random.normal(jax.random.key(0), (60, 4, 30))
    y = jax.jit(lambda x: polar_factor(x, "cans", dtype="bfloat16"))(x)
    assert np.linalg.norm(y, 2, axis=(1, 2)).max() < 1.2


def test_does_not_depend_on_the_scale_without_eps():
    x = jax.random.normal(jax.random.key(0), (4, 9))
    expected = polar_factor(x)
    np.testing.assert_allclose(polar_factor(1e-30 * x, eps=0.0), expected, atol=1e-5)
    assert polar_factor(0 * x, eps=0.0).sum() == 0
    assert polar_factor(x.astype(jnp.bfloat16)).dtype == jnp.bfloat16
    assert polar_factor(x[:0]).shape == (0, 9)


def test_product_of_parts_is_as_precise_as_float32():
    left, right = np.random.default_rng(0).normal(size=(2, 3, 40, 40))
    for factor in (1.0, 1e-15, 1e15):
        arrays = (jnp.asarray(x, jnp.float32) for x in (factor * left, right / factor))
        error = np.abs(product_of_parts(*arrays) - left @ right)
        assert (error / (np.abs(left) @ np.abs(right))).max() < 3e-7


def multiplications(jaxpr, times=1):
    """Multiplications in the matrix products of a program, its loops included."""
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            (inner, _), _ = eqn.params["dimension_numbers"]
            left = eqn.invars[0].aval
            total += times * eqn.outvars[0].aval.size * left.shape[inner[0]]
        if "branches" in eqn.params:  # of platforms, CPU and GPU last
            total += multiplications(eqn.params["branches"][-1].jaxpr, times)
        if "jaxpr" in eqn.params:
            total += multiplications(eqn.params["jaxpr"].jaxpr, times * eqn.params.get("length", 1))
    return total


def trace(shape, **kwargs):
    x = jax.ShapeDtypeStruct(shape, jnp.float32)
    return jax.make_jaxpr(lambda x: polar_factor(x, **kwargs))(x).jaxpr


@pytest.mark.parametrize("most", SHAPES)
def test_gram_iteration_takes_fewer_operations(most):
    rows, columns = SHAPES[most]
    plain = multiplications(trace((rows, columns), gram=False))
    assert plain == 5 * (2 * rows**2 * columns + rows**3)
    assert multiplications(trace((columns, rows))) <= most * plain
    assert multiplications(trace((rows, columns), dtype=jnp.bfloat16)) < 0.83 * plain
    assert str(trace((rows, rows))) == str(trace((rows, rows), gram=False))


@pytest.mark.parametrize("gram", [False, []])
def test_program_does_not_grow_with_the_steps(gram):
    few, many = (trace((8, 32), steps=n, gram=gram) for n in (4, 10))
    assert len(str(few).splitlines()) == len(str(many).splitlines())


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"coefficients": "newton_schulz"}, "did you mean 'newton_schulz_[35]'"),
        ({"coefficients": [(1.0, 2.0)]}, "coefficients must be a name, a triple"),
        ({"coefficients": "cubic5", "steps": 6}, "steps must be 5 .* pass the list of triples"),
        ({"coefficients": "aol", "safety": 1.0}, "safety must be at least 1.16 with .*'aol'"),
        ({"coefficients": "aol", "precondition": "frobenius"}, "precondition must be 'aol' with"),
        ({"safety": 0.9}, "safety must be at least 1.0"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"eps": -1.0}, "eps must not be negative"),
        ({"eps_mode": "max"}, "unknown eps_mode 'max'"),
        ({"precondition": "l1"}, "unknown precondition 'l1'"),
        ({"gram": [3, 2]}, r"gram must be .* got \[3, 2\]"),
        ({"gram": [5]}, "gram must be"),
        ({"dtype": "int8"}, "dtype must be floating-point, got int8"),
        ({"x": jnp.ones(3)}, r"x must have at least two axes, got shape \(3,\)"),
        ({"x": jnp.ones((3, 3), int)}, "x must be floating-point, got int32"),
    ],
)
def test_refuses(kwargs, message):
    with pytest.raises(ValueError, match=message):
        polar_factor(**{"x": jnp.ones((3, 3)), **kwargs})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(["ns_dtype", "wire_dtype"], ["bf16", "int32"]),
        ("ns_dtype", "float8_e4m3fn"),
    ],
)
def test_muon_refuses_dtypes(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a dtype such as .*{value}"):
        adamjax.muon(**{name: value})
