"""Parameters on a mesh of eight devices, in three ways."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import adamjax

# Square, so that SOAP has no eigenvectors of 0 to choose from.
SHAPES = {"kernel": (32, 32), "heads": (4, 16, 16), "bias": (32,)}
PARAMS = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in SHAPES.items()}
# The specs of the parameters, and the axis of ZeRO.
PLANS = {
    "fsdp": ({"kernel": P("data"), "heads": P("data"), "bias": P("data")}, None),
    "fsdp x tensor": (
        {"kernel": P("data", "model"), "heads": P(None, "data", "model"), "bias": P("model")},
        None,
    ),
    "zero": ({"kernel": P(), "heads": P(), "bias": P()}, "data"),
    "zero x tensor": (
        {"kernel": P(None, "model"), "heads": P(None, None, "model"), "bias": P("model")},
        "data",
    ),
}


def create(name):
    """A variant for these parameters."""
    layouts = {"heads": "heads in out -> heads out in"}
    has_layouts = "layouts" in adamjax.get_variant(name).defaults
    return adamjax.create(name, learning_rate=0.1, **({"layouts": layouts} if has_layouts else {}))


@functools.cache
def mesh(kind=AxisType.Auto):
    return jax.make_mesh((4, 2), ("data", "model"), axis_types=(kind, kind))


def plan(name, kind=AxisType.Auto):
    """The shardings of the parameters, and the axis that divides the state besides."""
    specs, zero = PLANS[name]
    return {leaf: NamedSharding(mesh(kind), spec) for leaf, spec in specs.items()}, zero


def arrays(seed=0):
    """Parameters, or gradients, of random numbers."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=size).astype(np.float32) for name, size in SHAPES.items()}
