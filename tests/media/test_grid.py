from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.media.grid import SampleGrid


def first_frames(times: list[float], step: float, spans: list[tuple[float, float]]) -> list[float]:
    """Take, grid time by grid time, the first frame that reaches it: the definition, naively."""
    taken = set()
    for start, stop in spans:
        for index in range(math.ceil((start - 1e-3) / step), math.ceil(stop / step)):
            reaching = [time for time in times if time + 1e-3 >= index * step]
            if reaching and reaching[0] < stop:
                taken.add(reaching[0])
    return sorted(taken)


@given(
    gaps=st.lists(st.integers(1, 40), max_size=60),
    step=st.sampled_from([0.1, 0.25, 1.0]),
    cuts=st.lists(st.integers(0, 100), min_size=0, max_size=6, unique=True),
)
def test_grid_takes_the_frames_of_the_naive_definition(
    gaps: list[int], step: float, cuts: list[int]
) -> None:
    times = [sum(gaps[:n]) / 25 + 0.007 for n in range(len(gaps))]
    cuts = sorted(cuts)
    spans = [(a / 10, b / 10) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    grid = SampleGrid(step, spans)
    assert [time for time in times if grid.takes(time)] == first_frames(times, step, spans)


def test_frame_rounded_to_a_millisecond_too_early_is_in_time() -> None:
    grid = SampleGrid(0.25)
    assert [grid.takes(time) for time in (0.0, 0.2489, 0.2493)] == [True, False, True]


def test_grid_tells_what_it_waits_for_and_when_it_is_done() -> None:
    grid = SampleGrid(0.5, [(3.2, 4.0), (1.0, 1.2)])
    assert grid.next_seconds == 1.0
    assert grid.takes(1.0)
    assert grid.next_seconds == 3.5
    assert grid.takes(3.9)
    assert grid.next_seconds is None


def test_span_without_a_grid_time_is_passed_over() -> None:
    assert SampleGrid(1.0, [(0.2, 0.8)]).next_seconds is None


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan])
def test_step_that_is_not_positive_is_refused(step: float) -> None:
    with pytest.raises(ValueError, match="step_seconds must be above zero"):
        SampleGrid(step)


def test_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must not end before it starts, got \(2, 1\)"):
        SampleGrid(1.0, [(2, 1)])
