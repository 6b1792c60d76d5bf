from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.scoring.calibration import Calibration
from seamline.scoring.timeline import (
    FineLogits,
    find_segments,
    loudest,
    step_count,
    step_logits,
    step_probabilities,
)

PLAIN = Calibration()


@pytest.mark.parametrize(
    ("duration", "steps"), [(None, 1), (0.0, 1), (0.04, 1), (1.0, 1), (1.0000001, 1), (9.97, 10)]
)
def test_steps_cover_the_file(duration, steps):
    assert step_count(duration) == steps


def test_frames_fall_into_their_seconds_and_unseen_steps_are_none():
    seconds = [0.0, 0.5, 0.999, 3 * 0.1 * 10, 9.0]
    found = step_logits(seconds, [1.0, 2.0, 3.0, -4.0, 7.0], 10.0, sharpness=0.0)
    assert found == (2.0, None, None, -4.0, *[None] * 5, 7.0)


def test_timestamps_beyond_the_ends_count_in_the_first_and_last_step():
    assert step_logits([-0.2, 2.04], [1.0, 2.0], 2.0) == (1.0, 2.0)


def test_a_photo_has_one_step():
    assert step_logits([0.0], [3.0], None) == (3.0,)


@given(
    st.lists(
        st.tuples(st.floats(0, 9), st.floats(0.01, 3), st.floats(-5, 5)), min_size=1, max_size=8
    ),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_spans_weigh_by_their_share_like_a_naive_fine_grid(spans, step_seconds):
    fine = 1000  # a naive truth: rasterise every span to milliseconds and average
    spans = [(round(a, 3), round(a, 3) + round(b, 3), x) for a, b, x in spans]
    steps = math.ceil(12 / step_seconds)
    sums, counts = np.zeros(steps), np.zeros(steps)
    for start, stop, logit in spans:
        for tick in range(round(start * fine), round(stop * fine)):
            place = min(int((tick + 0.5) / fine / step_seconds), steps - 1)
            sums[place] += logit
            counts[place] += 1
    starts, stops, logits = zip(*spans, strict=True)
    found = step_logits(
        starts, logits, 12.0, stop_seconds=stops, step_seconds=step_seconds, sharpness=0.0
    )
    for step in range(steps):
        if counts[step] == 0:
            assert found[step] is None
        else:
            assert found[step] == pytest.approx(sums[step] / counts[step], abs=1e-6)


def test_a_span_that_ends_on_a_step_does_not_leak_into_the_next_one():
    found = step_logits([0.0], [1.0], 4.0, stop_seconds=[0.1 + 0.2 + 0.7 + 1e-12])
    assert found == (1.0, None, None, None)


def test_the_loudest_track_wins_each_step():
    assert loudest([(1.0, None, None), (-2.0, 3.0, None)]) == (1.0, 3.0, None)
    with pytest.raises(ValueError, match="one length"):
        loudest([(1.0,), (1.0, 2.0)])


def test_probabilities_keep_the_gaps():
    assert step_probabilities((0.0, None), PLAIN) == (0.5, None)


def test_segments_bridge_one_step_but_not_two():
    logits = (5.0, -5.0, 5.0, None, 5.0, None, -5.0, 5.0)
    found = find_segments(logits, PLAIN, 0.5, modality="video", track=3, duration_seconds=7.5)
    assert [(s.start_seconds, s.stop_seconds) for s in found] == [(0.0, 5.0), (7.0, 7.5)]
    assert all(s.modality == "video" and s.track == 3 for s in found)
    assert found[0].fake_probability == pytest.approx(PLAIN.probability(5.0))


@given(
    st.lists(st.one_of(st.none(), st.floats(-8, 8)), max_size=40),
    st.floats(0.05, 0.95),
    st.sampled_from([0.0, 1.0, 5.0]),
)
def test_every_step_above_the_threshold_lies_in_exactly_one_segment(logits, threshold, sharpness):
    found = find_segments(tuple(logits), PLAIN, threshold, modality="audio", sharpness=sharpness)
    for step, logit in enumerate(logits):
        holders = [s for s in found if s.start_seconds <= step < s.stop_seconds]
        assert len(holders) <= 1
        if logit is not None and PLAIN.probability(logit) >= threshold:
            assert len(holders) == 1
    for segment in found:
        assert segment.fake_probability >= threshold - 1e-12
        edges = (int(segment.start_seconds), int(segment.stop_seconds) - 1)
        assert all(PLAIN.probability(logits[edge]) >= threshold for edge in edges)
    for left, right in pairwise(found):
        assert right.start_seconds - left.stop_seconds >= 2


@given(
    st.floats(2.0, 6.0), st.floats(1.2, 3.0), st.floats(0.0, 0.9), st.integers(0, 1000),
    st.sampled_from([0.16, 0.25]),
)  # fmt: skip
def test_edges_lie_where_a_blurred_forgery_starts_and_stops(start, length, blur, seed, step):
    generator = np.random.default_rng(seed)
    starts = np.arange(0, 10, step)
    middles, stop = starts + step / 2, start + length
    inside = np.clip((middles - start) / max(blur, 1e-6) + 0.5, 0, 1)
    inside *= np.clip((stop - middles) / max(blur, 1e-6) + 0.5, 0, 1)
    logits = -3 + 7 * inside + generator.normal(0, 0.2, len(starts))
    steps = step_logits(starts, logits, 10.0, stop_seconds=starts + step)
    fine = FineLogits(starts, logits, step)
    (found,) = find_segments(steps, PLAIN, 0.5, modality="audio", duration_seconds=10.0, fine=fine)
    tolerance = step + blur / 4
    assert abs(found.start_seconds - start) < tolerance
    assert abs(found.stop_seconds - stop) < tolerance


@given(st.lists(st.floats(-8, 8), min_size=4, max_size=60), st.floats(0.1, 0.9))
def test_edges_move_a_step_at_most_and_nothing_else_changes(values, threshold):
    logits = np.array(values)
    starts = np.arange(len(logits)) * 0.25
    end = len(logits) * 0.25
    steps = step_logits(starts, logits, end)
    coarse = find_segments(steps, PLAIN, threshold, modality="video", duration_seconds=end)
    fine = FineLogits(starts, logits, 0.25)
    found = find_segments(
        steps, PLAIN, threshold, modality="video", duration_seconds=end, fine=fine
    )
    assert len(found) == len(coarse)
    for one, other in zip(found, coarse, strict=True):
        assert one.fake_probability == other.fake_probability
        assert abs(one.start_seconds - other.start_seconds) <= 1.0 + 1e-9
        assert abs(one.stop_seconds - other.stop_seconds) <= 1.0 + 1e-9
        assert 0 <= one.start_seconds < one.stop_seconds <= end
    for left, right in pairwise(found):
        assert right.start_seconds >= left.stop_seconds - 1e-9
