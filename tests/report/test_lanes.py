from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.report.lanes import Axis, draw_lane, gaps, join_steps, steps_of, ticks

values = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=40)


@given(values, st.floats(0.5, 45.0))
def test_steps_cover_the_whole_file_once(several: list[float | None], stop: float) -> None:
    steps = steps_of(several, 1.0, stop)
    assert steps[0][0] == 0.0
    assert steps[-1][1] == stop
    assert all(one[1] == other[0] for one, other in pairwise(steps))
    for start, end, value in steps:
        middle = int((start + end) / 2)
        assert value == (several[middle] if middle < len(several) else None)


@given(values, st.integers(1, 7))
def test_joined_steps_keep_the_highest(several: list[float | None], joined: int) -> None:
    joined_steps = join_steps(steps_of(several, 1.0, float(len(several))), joined)
    for start, stop, value in joined_steps:
        inside = [v for v in several[int(start) : int(stop)] if v is not None]
        assert value == (max(inside) if inside else None)
    assert joined_steps[-1][1] == len(several)


def test_gaps_are_joined_intervals() -> None:
    steps = steps_of([None, None, 0.5, None], 1.0, 6.0)
    assert gaps(steps) == [(0.0, 2.0), (3.0, 6.0)]


def test_what_a_film_lasts_beyond_its_last_full_step_is_no_gap() -> None:
    assert gaps([(0.0, 1.0, 0.5), (1.0, 1.01, None)]) == []
    assert gaps([(0.0, 1.0, 0.5), (1.0, 1.2, None)]) == [(1.0, 1.2)]


def test_bars_lie_where_their_seconds_lie() -> None:
    lane = draw_lane("Voice", [(5.0, 6.0, 0.5), (6.0, 10.0, None)], [], Axis(5.0, 10.0))
    seen, unseen = lane.bars
    assert (seen.x, seen.width, seen.height, seen.level) == (0.0, 20.0, 0.5, 2)
    assert (unseen.x, unseen.width, unseen.level) == (20.0, 80.0, None)
    assert seen.title.replace("\u00a0", " ") == "0:05–0:06: 50 %"
    assert unseen.title == "0:06–0:10: not examined"
    assert "highest 50\u00a0% at 0:05–0:06" in lane.description
    assert "Not examined: 0:06–0:10." in lane.description


def test_examined_zero_can_be_told_from_unexamined() -> None:
    lane = draw_lane("Voice", [(0.0, 1.0, 0.0), (1.0, 2.0, None)], [], Axis(0.0, 2.0))
    assert lane.bars[0].height > 0
    assert lane.bars[0].level == 0


@pytest.mark.parametrize("length", [0.3, 1.0, 3.2, 10.0, 59.0, 61.0, 600.0, 3725.0, 2e4, 9e4, 5e5])
def test_ticks_are_few_and_do_not_overlap(length: float) -> None:
    found = ticks(Axis(0.0, length))
    assert 2 <= len(found) <= 8 or length < 0.5
    assert found[0].x == 0
    spans = []
    for tick in (tick for tick in found if tick.label):
        wide = 6.5 / 3 * len(tick.label)  # percent of 300 px
        left = {"start": tick.x, "middle": tick.x - wide / 2, "end": tick.x - wide}[tick.anchor]
        spans.append((left, left + wide))
        assert left >= -1e-9
        assert left + wide <= 100 + 1e-9
    assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(spans))


def test_ticks_of_an_excerpt_carry_the_files_time() -> None:
    assert [tick.label for tick in ticks(Axis(61.0, 66.0))] == [f"1:0{k}" for k in range(1, 7)]


@given(st.lists(st.tuples(st.integers(0, 95), st.integers(1, 20)), max_size=12))
def test_labels_of_one_row_do_not_overlap(spans: list[tuple[int, int]]) -> None:
    segments = [(float(start), float(min(start + length, 100)), 0.9) for start, length in spans]
    lane = draw_lane("Picture", [], segments, Axis(0.0, 100.0))
    assert len(lane.brackets) == len(segments)
    for row in range(lane.rows):
        ends = -1.0
        for bracket in (one for one in lane.brackets if one.row == row and one.label):
            wide = 6.5 / 3 * len(bracket.label or "")
            shift = {"start": 0.0, "middle": wide / 2, "end": wide}[bracket.anchor]
            assert bracket.label_x - shift >= ends - 1e-9
            ends = bracket.label_x - shift + wide
