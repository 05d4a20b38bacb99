"""One pass over memory, as compiled for a TPU that is not there."""

import json

import pytest

from benchmarks import targets
from scripts import install_libtpu
from tests.benchmarks.benchmark_runs import run

# The most bytes for each parameter; each in one kernel.
MOST = {
    "optax.adamw": 28.01,
    "adamw float32": 28.01,
    "adamw bfloat16": 20.1,
    "adamw 8bit_v16": 18.1,
    "adamw 8bit": 16.1,
    "store(optax.adamw) 8bit": 16.1,
    "store(optax.lion) 8bit": 14.1,
    "adamw 8bit, bf16 stochastic": 10.1,
}

needs_libtpu = pytest.mark.skipif(
    not install_libtpu.has_wheels(), reason="libtpu is published for Linux on x86-64 alone"
)


@needs_libtpu
def test_each_step_is_one_pass_over_memory(tmp_path):
    few = ["--devices", "TPU v5e", "--matrix", "4096x1024", "--rows", *MOST]
    process = run("benchmarks.compiled", "--backend", "tpu", "--results", tmp_path, *few)
    assert process.returncode == 0, process.stderr
    results = json.loads((tmp_path / "compiled.tpu.json").read_text(encoding="utf-8"))
    assert "libtpu" in results["compiler"]
    assert (tmp_path / "compiled.tpu.png").stat().st_size > 10_000
    rows = {row["row"]: row for row in results["rows"]}
    assert set(rows) == set(MOST)
    for name, row in rows.items():
        assert row["kernels_per_leaf"] == 1, row
        # Nothing moves less than the least: a lower figure means that the count is wrong.
        assert row["least"] - 1e-3 <= row["bytes_per_parameter"] <= MOST[name], row
        assert row["temporary_bytes"] <= 8192, row


PROGRAM = """
%fused (a: f32[8,128]) -> f32[8,128] {
  ROOT %a = f32[8,128]{1,0} add(%b, %c)
}

ENTRY %main (x: f32[1024,256]) -> f32[1024,256] {
  %x = f32[1024,256]{1,0:T(8,128)} parameter(0)
  %k = s8[1024,256]{1,0:T(32,128)(4,1)} parameter(1)
  %copy-start = (s8[1024,256]{1,0:T(32,128)(4,1)S(1)}, s8[1024,256]{1,0:T(32,128)(4,1)}, \
u32[]{:S(2)}) copy-start(%k)
  %copy-done = s8[1024,256]{1,0:T(32,128)(4,1)S(1)} copy-done(%copy-start)
  %slice-start = ((f32[1024,256]{1,0:T(8,128)}), f32[256,256]{1,0:T(8,128)S(1)}, s32[]{:S(2)}) \
slice-start(%x), slice={[0:256], [0:256]}
  %slice-done = f32[256,256]{1,0:T(8,128)S(1)} slice-done(%slice-start)
  %both = (f32[1024,256]{1,0:T(8,128)}, s8[1024,256]{1,0:T(32,128)(4,1)S(1)}) \
fusion(%x, %copy-done, /*index=2*/%slice-done), kind=kLoop, calls=%fused, metadata={op="f(%z)"}
  %k2 = s8[1024,256]{1,0:T(32,128)(4,1)S(1)} get-tuple-element(%both), index=1
  %out = (s8[1024,256]{1,0:T(32,128)(4,1)}, s8[1024,256]{1,0:T(32,128)(4,1)S(1)}, \
u32[]{:S(2)}) copy-start(%k2)
}
"""


def test_traffic_is_what_crosses_the_border_of_the_chip():
    size = 1024 * 256
    found = {kernel.name: kernel.traffic for kernel in targets.kernels(PROGRAM)}
    assert found == {
        "%copy-start": size,  # read; what it writes stays on the chip
        "%slice-start": size,  # a quarter of four bytes each
        "%both": 2 * 4 * size,  # %x in, the first result out
        "%out": size,  # written
    }


def test_padding_of_layouts_is_moved_too():
    line = "  %y = f32[3,3,100]{1,2,0:T(8,128)} add(%x)"
    x = "  %x = bf16[3,3,100]{2,1,0} parameter(0)"
    [kernel] = targets.kernels(f"ENTRY\n{x}\n{line}")
    assert kernel.traffic == 3 * 104 * 128 * 4 + 3 * 3 * 100 * 2
    assert kernel.largest == 900


def test_what_cannot_be_counted_is_not_left_out():
    with pytest.raises(ValueError, match="cannot tell what while moves"):
        targets.kernels("ENTRY\n  %w = (f32[8]{0}) while(%t), body=%b")


def test_a_missing_libtpu_is_an_error_that_says_what_to_run(monkeypatch, tmp_path):
    monkeypatch.setenv("TPU_LIBRARY_PATH", str(tmp_path / "libtpu.so"))
    with pytest.raises(SystemExit, match=r"run: .*python\S* scripts/install_libtpu\.py"):
        targets.environment("tpu")
