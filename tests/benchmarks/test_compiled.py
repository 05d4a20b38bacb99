"""Memory traffic is read from compiled programs as a chip moves it."""

import pytest

from benchmarks import targets

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


def test_traffic_crosses_the_border_of_the_chip():
    size = 1024 * 256
    traffic = {kernel.name: kernel.traffic for kernel in targets.kernels(PROGRAM)}
    assert traffic == {
        "%copy-start": size,  # read; its result stays on the chip
        "%slice-start": size,  # a quarter of four bytes each
        "%both": 2 * 4 * size,  # %x in, the first result out
        "%out": size,  # written
    }


def test_padding_counts_and_unknown_operations_are_errors():
    line = "  %y = f32[3,3,100]{1,2,0:T(8,128)} add(%x)"
    x = "  %x = bf16[3,3,100]{2,1,0} parameter(0)"
    [kernel] = targets.kernels(f"ENTRY\n{x}\n{line}")
    assert kernel.traffic == 3 * 104 * 128 * 4 + 3 * 3 * 100 * 2
    assert kernel.largest == 900
    with pytest.raises(ValueError, match="cannot tell what while moves"):
        targets.kernels("ENTRY\n  %w = (f32[8]{0}) while(%t), body=%b")


def test_a_missing_libtpu_is_an_error_that_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("TPU_LIBRARY_PATH", str(tmp_path / "libtpu.so"))
    with pytest.raises(SystemExit, match=r"run: .*python\S* scripts/install_libtpu\.py"):
        targets.environment("tpu")
