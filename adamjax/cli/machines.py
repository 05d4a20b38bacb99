"""Data sheets of accelerators, and the traffic of AdamW's step as compiled for them.

The peak figures are the makers'. Nothing here was measured on that hardware.
"""

from typing import NamedTuple

from adamjax.checks import lookup_or_suggest


class Machine(NamedTuple):
    """An accelerator and its links."""

    name: str
    memory: float  # bytes
    bandwidth: float  # bytes per second, of the memory
    node: int  # number of devices that the fast links join
    link: float  # bytes per second that a device sends over them along one mesh axis
    ring: int  # sizes of closed rings are multiples of it; open ones have half the bandwidth
    network: float | None  # bytes per second that a device sends out of its node, if published
    compiled: str  # its key in `OVERHEAD`
    source: str


# NVLink's figure is of both directions, so a device sends half of it; between nodes each GPU has a
# ConnectX-7 of 400 Gb/s. A TPU's mesh axis lies along one dimension of its torus and has the two
# links of it. A link is the page's ICI bandwidth over the number of links: 50 GB/s in one direction
# on v4 and v5e, 100 GB/s on v5p and v6e. The torus is closed in dimensions of 16 on v5e and v6e and
# of multiples of 4 on v4 and v5p.
MACHINES = {
    "H100": Machine("H100 SXM", 80e9, 3.35e12, 8, 450e9, 1, 50e9, "H100",
                    "NVIDIA, H100 datasheet; DGX H100 datasheet"),
    "H200": Machine("H200 SXM", 141e9, 4.8e12, 8, 450e9, 1, 50e9, "H200",
                    "NVIDIA, H200 datasheet; DGX H200 datasheet"),
    "B200": Machine("B200", 180e9, 8e12, 8, 900e9, 1, 50e9, "H200",
                    "NVIDIA, DGX B200 datasheet: 1,440 GB, 64 TB/s and 14.4 TB/s for 8"),
    "v4": Machine("TPU v4", 32 * 2**30, 1.2e12, 4096, 100e9, 4, None, "TPU v4",
                  "https://cloud.google.com/tpu/docs/v4; links: Jouppi et al., 2023, "
                  "https://arxiv.org/abs/2304.01433"),
    "v5e": Machine("TPU v5e", 16e9, 819e9, 256, 100e9, 16, None, "TPU v5e",
                   "https://cloud.google.com/tpu/docs/v5e"),
    "v5p": Machine("TPU v5p", 95e9, 2.765e12, 8960, 200e9, 4, None, "TPU v4",
                   "https://cloud.google.com/tpu/docs/v5p"),
    "v6e": Machine("TPU v6e", 32e9, 1.6e12, 256, 200e9, 16, None, "TPU v6e",
                   "https://cloud.google.com/tpu/docs/v6e"),
}  # fmt: skip

COMPILED = (
    *(("float32", storage, None) for storage in ("float32", "bfloat16", "8bit_v16", "8bit")),
    *(("bfloat16", "8bit", mode) for mode in (None, "stochastic", "kahan", "residual8")),
)
"""The compiled settings of AdamW: dtype, storage and rounding of the parameters."""

_GPU = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
OVERHEAD = {
    device: dict(zip(COMPILED, ratios, strict=True))
    for device, ratios in {
        "H100": _GPU,
        "H200": _GPU,
        "TPU v4": (1.0, 1.0, 1.0, 1.0, 1.4, 1.0, 1.86, 2.08),
        "TPU v5e": (1.0, 1.0, 1.0, 1.0, 1.4, 1.0, 1.0, 1.0),
        "TPU v6e": (1.0, 1.0, 1.0, 1.0, 1.4, 1.0, 2.14, 2.08),
    }.items()
}
"""Bytes moved by AdamW's compiled step over the least: benchmarks/results/compiled.*.json."""


def get_machine(name: str) -> Machine:
    """Return the machine of this name, or raise ValueError with the nearest names."""
    return lookup_or_suggest("machine", name, MACHINES, ignore_case=True)


def overhead(machine: Machine, dtype: str, storage: str, rounding: str | None) -> float | None:
    """Return the bytes that AdamW's step moves over the least, or None if it was not compiled."""
    return OVERHEAD[machine.compiled].get((dtype, storage, rounding))


def levels(machine: Machine, size: int, stride: int, whole: int) -> list[tuple[int, float]]:
    """List the numbers of devices and bandwidths that a mesh axis spans, from the inside out.

    `stride` is the product of the sizes of the axes after it, `whole` that of all axes.
    """
    span = size * stride
    aligned = machine.network is None or machine.node % span == 0  # none lies across an edge
    if whole <= machine.node or (span <= machine.node and aligned):
        closed = size % machine.ring == 0
        return [(size, machine.link if closed else machine.link / 2)]
    if machine.network is None:
        raise ValueError(
            f"the mesh is larger than a slice of {machine.name}, which has {machine.node} devices. "
            "The bandwidth between slices is not published"
        )
    near = machine.node // stride if machine.node % stride == 0 else 1
    inside = near if size % near == 0 else 1
    parts = [(inside, machine.link), (size // inside, machine.network)]
    return [(n, bandwidth) for n, bandwidth in parts if n > 1]
