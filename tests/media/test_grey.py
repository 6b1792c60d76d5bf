"""Grey pictures between the coloured ones: on their own grid, in their own spans, upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_factory import BRIGHTER, GREY_LEVELS, GREY_STEP, tiny_video
from seamline.media.grid import SampleGrid
from seamline.media.video import GreyGrid, stream_frames, stream_pictures


def brightness(number: int) -> float:
    """What a limited-range encoder writes for frame ``number`` of a counting video."""
    return 16 + (16 + GREY_STEP * (number % GREY_LEVELS)) * 219 / 255


def test_greys_come_on_the_finer_grid_inside_their_spans_alone(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "a.mp4", seconds=3.0, fps=25.0)
    pictures = list(
        stream_pictures(path, step_seconds=0.25, grey=GreyGrid(0.04, [(1.0, 1.4), (2.0, 2.2)]))
    )
    grey = [p for p in pictures if p.grey is not None]
    expected = [k * 0.04 for k in [*range(25, 35), *range(50, 55)]]
    assert [p.seconds for p in grey] == pytest.approx(expected, abs=1e-6)
    for picture in grey:
        assert picture.grey is not None
        found = float(np.median(picture.grey))
        assert found == pytest.approx(brightness(round(picture.seconds * 25)), abs=1.5)


def test_colours_are_those_of_a_stream_without_greys(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "a.mp4", seconds=2.0, fps=25.0)
    grey = GreyGrid(0.04, [(0.5, 1.5)])
    plain = list(stream_frames(path, step_seconds=0.25))
    mixed = [p for p in stream_pictures(path, step_seconds=0.25, grey=grey) if p.rgb is not None]
    assert [p.seconds for p in mixed] == [f.seconds for f in plain]
    for picture, frame in zip(mixed, plain, strict=True):
        np.testing.assert_array_equal(picture.rgb, frame.rgb)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_greys_are_turned_as_colours_are(tmp_path: Path, rotation: int) -> None:
    path = tiny_video(tmp_path / "a.mp4", seconds=1.0, fps=10.0, rotation=rotation)
    for picture in stream_pictures(path, step_seconds=0.1, grey=GreyGrid(0.1, [(0.0, 1.0)])):
        assert picture.rgb is not None
        assert picture.grey is not None
        scaled = (picture.grey.astype(float) - 16) * 255 / 219
        assert np.abs(scaled - picture.rgb.mean(axis=2)).max() < 4
        assert np.ptp(picture.grey) > BRIGHTER / 2  # the brighter quarter is there to be turned


@given(
    gaps=st.lists(st.integers(1, 40), max_size=60),
    cuts=st.lists(st.integers(0, 100), max_size=6, unique=True),
)
def test_what_a_grid_takes_changes_what_it_has_reached(gaps: list[int], cuts: list[int]) -> None:
    times = [sum(gaps[:n]) / 25 for n in range(len(gaps))]
    cuts = sorted(cuts)
    grid = SampleGrid(0.1, [(a / 10, b / 10) for a, b in zip(cuts[::2], cuts[1::2], strict=False)])
    before = -2
    for time in times:
        reached = grid.reached(time)
        assert reached >= before
        if grid.takes(time):
            assert reached > before
        before = reached
