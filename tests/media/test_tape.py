from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seamline.media.tape import Tape


@given(
    writes=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8),
    start=st.integers(0, 90),
    length=st.integers(0, 40),
)
def test_tape_equals_one_long_array(writes: list[tuple[int, int]], start: int, length: int) -> None:
    tape, truth, end = Tape(), np.zeros(200, np.float32), 0
    for number, (at, count) in enumerate(writes, 1):
        tape.write(at, np.full(count, number, np.float32))
        if at + count > end:
            truth[max(at, end) : at + count] = number
            end = at + count
    assert tape.stop == end
    assert np.array_equal(tape.cut(start, start + length), truth[start : min(start + length, end)])
    tape.forget_before(start)
    assert np.array_equal(tape.cut(start, start + length), truth[start : min(start + length, end)])
