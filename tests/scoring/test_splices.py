"""Splices: what stands out from its own track is found, whatever the track's level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.scoring.calibration import Calibration
from seamline.scoring.splices import SpliceRule, find_splices, greatest_contrast
from seamline.scoring.timeline import FineLogits

RULE = SpliceRule(Calibration(0.1, -8.0), threshold=0.9, spread_floor=4.0)


def track(
    seconds: float, *forged: tuple[float, float], level: float = -3.0, step: float = 0.25
) -> FineLogits:
    """A restless track in which forged stretches lie six logits higher."""
    starts = np.arange(round(seconds / step)) * step
    logits = level + np.random.default_rng(0).normal(0, 0.8, len(starts))
    for start, stop in forged:
        logits[(starts >= start) & (starts < stop)] += 6.0
    return FineLogits(starts, logits, step)


def told(fine: FineLogits, rule: SpliceRule = RULE) -> list[tuple[float, float]]:
    return [(s.start_seconds, s.stop_seconds) for s in find_splices(fine, rule)]


@pytest.mark.parametrize("level", [-6.0, 0.0, 5.0])
def test_a_splice_is_found_whatever_the_level_of_its_track(level: float) -> None:
    assert told(track(10, (4.0, 6.0), level=level)) == [(4.0, 6.0)]


def test_several_splices_come_in_order_of_time() -> None:
    fine = track(20, (2.0, 4.5), (9.0, 10.5), (15.0, 18.0))
    assert told(fine) == [(2.0, 4.5), (9.0, 10.5), (15.0, 18.0)]
    for one in find_splices(fine, RULE):
        assert RULE.threshold <= one.fake_probability < 1


def test_a_track_of_one_kind_has_none() -> None:
    assert told(track(10)) == []
    assert told(track(10, (0.0, 10.0))) == []


def test_what_stands_out_and_yet_looks_genuine_is_no_splice() -> None:
    fine = track(10, (4.0, 6.0))  # at 3
    assert len(find_splices(fine, RULE, 2.0)) == 1
    assert find_splices(fine, RULE, 4.0) == []


def test_finer_steps_give_finer_edges() -> None:
    assert told(track(8, (3.04, 4.96), step=0.16)) == [(pytest.approx(3.04), pytest.approx(4.96))]


def test_what_is_shorter_than_a_moment_is_no_splice() -> None:
    fine = track(10, (4.0, 4.25))
    found = greatest_contrast(fine, 4.0)
    assert found is not None
    assert found.stop_seconds - found.start_seconds >= 0.75
    assert told(fine) == []


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_track_too_short_to_compare_has_none(count: int) -> None:
    fine = FineLogits(np.arange(count) * 0.25, np.arange(count) * 10.0, 0.25)
    assert greatest_contrast(fine, 4.0) is None
    assert told(fine) == []


def test_a_stretch_bridges_no_long_gap() -> None:
    fine = track(10, (4.0, 6.0))
    apart = FineLogits(fine.starts + 20.0 * (fine.starts >= 5.0), fine.logits, fine.seconds)
    stretches = told(apart, replace(RULE, threshold=0.5))
    assert stretches
    for start, stop in stretches:
        assert stop - start <= 2.0


def test_in_a_longer_track_chance_contrasts_weigh_less() -> None:
    rule = replace(RULE, calibration=Calibration(0.3, -3.0), threshold=1e-6)
    short, long = (find_splices(track(s, (4.0, 6.0)), rule) for s in (10, 200))
    assert max(s.fake_probability for s in long) < max(s.fake_probability for s in short)


def test_restless_tracks_need_more() -> None:
    calm = track(10, (4.0, 6.0))
    noise = np.random.default_rng(1).normal(0, 4.0, len(calm.logits))
    restless = FineLogits(calm.starts, calm.logits + noise - noise.mean(), calm.seconds)
    still, moving = greatest_contrast(calm, 4.0), greatest_contrast(restless, 4.0)
    assert still is not None
    assert moving is not None
    assert moving.contrast < still.contrast
