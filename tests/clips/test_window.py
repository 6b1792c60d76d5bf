"""Windows: cover short files whole, spread over long ones, half-open and in order."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.clips.window import WindowPlan, tile


@given(duration=st.floats(0.01, 500), length=st.floats(0.5, 10))
def test_tiles_cover_the_file_without_gap_or_overlap(duration: float, length: float) -> None:
    windows = tile(duration, length)
    assert windows[0][0] == 0
    assert windows[-1][1] == pytest.approx(duration)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(windows))
    assert all(stop - start <= length + 1.0 + 1e-6 for start, stop in windows)


def test_a_short_tail_joins_the_last_window() -> None:
    assert tile(4.9, 2.0) == [(0.0, 2.0), (2.0, 4.9)]
    assert tile(5.2, 2.0) == [(0.0, 2.0), (2.0, 4.0), (4.0, 5.2)]


def test_a_long_file_gets_evenly_spread_windows_with_both_ends() -> None:
    windows = WindowPlan(max_windows=30).windows(600.0, 2.0)
    assert len(windows) == 30
    assert windows[0] == (0.0, 2.0)
    assert windows[-1] == (598.0, 600.0)
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(windows)]
    assert max(gaps) - min(gaps) <= 2.0 + 1e-9


def test_thorough_examines_everything() -> None:
    assert len(WindowPlan(max_windows=None).windows(600.0, 2.0)) == 300


@pytest.mark.parametrize("duration", [None, math.inf, math.nan])
def test_an_unknown_duration_is_examined_from_the_start(duration: float | None) -> None:
    windows = WindowPlan(max_windows=3).windows(duration, 2.0)
    assert windows == [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0)]
