"""The timeline of memory follows the buffers of a compiled program."""

from benchmarks import record, timeline

SCHEDULE = """  InstructionSequence:
    0:x
    1:a
    2:counter
    3:b
    4:while.1
    5:c
  BufferLiveRange:
    a{}:1-4
    b{}:3-3
    while.1{0}:4-5
    c{1}:5-5
"""
BUFFERS = """BufferAssignment:
allocation 0: size 100, page 0, parameter 0, shape |f32[25]| at ShapeIndex {}:
 value: <1 x @0> (size=100,offset=0): f32[25]{0}
allocation 1: size 512, page 0, thread-local:
 value: <2 r @0> (size=512,offset=0): f32[]
allocation 2: size 60, page 0, preallocated-temp:
 value: <3 a @0> (size=20,offset=0): f32[5]{0}
 value: <4 b @0> (size=40,offset=20): f32[10]{0}
 value: <5 while.1{0} (phi) @0> (size=20,offset=0): f32[5]{0}
 value: <6 c{1} @0> (size=8,offset=16): f32[2]{0}
allocation 3: size 999, color 1, page 0, preallocated-temp:
 value: <7 b @1> (size=999,offset=0): f32[1]{0:S(1)}
"""
PROGRAM = """%body.1 (p: f32[5]) -> f32[5] {
  %counter = s32[] constant(0)
  ROOT %b = f32[10]{0} add(%counter, %counter), metadata={}
}

%cond.1 (p: f32[5]) -> pred[] {
  ROOT %k = pred[] constant(0)
}

ENTRY %main (x: f32[25]) -> f32[5] {
  %while.1 = (f32[5]{0}) while(%t), condition=%cond.1, body=%body.1
}
"""


def test_buffers_in_use_with_the_loop_unrolled(tmp_path):
    parts = {"-live-range": SCHEDULE, "-buffer-assignment": BUFFERS}
    for part, text in {**parts, "_after_buffer_assignment": PROGRAM}.items():
        (tmp_path / f"m.jit_step.after_optimizations{part}.txt").write_text(text)
    assert timeline.in_use(SCHEDULE, BUFFERS) == [100, 120, 120, 160, 120, 124]
    found = timeline.timeline(tmp_path, depth=2)
    assert found == {"bytes": [100, 120, 120, 160, 120, 160, 120, 124], "loops": [[2, 6]]}


def test_a_released_step_never_holds_all_gradients():
    ordinary, released = record.read(record.RESULTS / "timeline.tpu.json")["rows"]
    gradients = 4  # bytes per parameter
    peaks = [max(held for _, held in row["changes"]) for row in (ordinary, released)]
    assert peaks[0] > ordinary["kept"] + gradients > peaks[1] > released["kept"]
