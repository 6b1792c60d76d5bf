"""How sure a stretch must be to be shown: more in a recording that is not called fake."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.media.probe import MediaInfo
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.sense import sense_proposals, sense_segments, stretch_threshold
from seamline.scoring.splices import SpliceRule, find_splices
from seamline.scoring.timeline import FineLogits, step_logits
from seamline.scoring.verdict import Segment

RULE = SpliceRule(Calibration(), threshold=0.97, spread_floor=1.0)
MODERATE, SURE = 2.5, 5.0  # logits: 0.92 and 0.99


def branch(splices: SpliceRule | None = RULE) -> Branch:
    return Branch("voice.onnx", Calibration(), 0.0, threshold=0.8, splices=splices)


def found_in(level: float, *, called: bool, splices: SpliceRule | None = RULE) -> int:
    """Find stretches of a 20 s voice of which the seconds 8 to 11 have a level."""
    starts = np.arange(0, 20, 0.16)
    logits = np.where((starts >= 8) & (starts < 11), level, -3.0)
    lane = step_logits(starts, logits, 20.0, stop_seconds=starts + 0.16)
    media = MediaInfo("a.wav", "audio", 20.0, None, None, ())
    fine = FineLogits(starts, logits, 0.16)
    judged = branch(splices)
    return len(sense_segments(lane, fine, judged, media, "audio", None, called=called))


@pytest.mark.parametrize(
    ("level", "called", "count"),
    [(MODERATE, True, 1), (MODERATE, False, 0), (SURE, True, 1), (SURE, False, 1)],
)
def test_a_calm_recording_shows_what_is_sure_alone(level: float, called: bool, count: int) -> None:
    assert found_in(level, called=called) == count


def test_without_a_rule_of_splices_one_threshold_serves_all() -> None:
    assert found_in(MODERATE, called=False, splices=None) == 1
    assert stretch_threshold(branch(None), called=False) == 0.8


def test_a_laxer_rule_of_splices_does_not_lower_the_threshold() -> None:
    lax = SpliceRule(Calibration(), threshold=0.6, spread_floor=1.0)
    assert stretch_threshold(branch(lax), called=False) == 0.8


def test_proposals_are_the_segments_and_what_stands_out_too_little_to_be_one() -> None:
    starts = np.arange(0, 20, 0.16)
    logits = np.random.default_rng(0).normal(-3.0, 0.5, len(starts))
    logits[(starts >= 4) & (starts < 6)] += 6.0
    logits[(starts >= 12) & (starts < 14)] += 1.0
    fine = FineLogits(starts, logits, 0.16)
    rule = SpliceRule(Calibration(0.2, -12.0), threshold=0.9, spread_floor=1.0)
    (splice,) = find_splices(fine, rule)
    shown = Segment("audio", None, splice.start_seconds, splice.stop_seconds, 0.99)
    first, second, *others = sorted(
        sense_proposals(fine, rule, "audio", None, [shown], 13.5),
        key=lambda one: -one.fake_probability,
    )
    assert first == shown  # no second time as a proposal of its own
    assert second.start_seconds == pytest.approx(12.0, abs=0.5)
    assert second.stop_seconds == 13.5  # where the file stops
    assert all(one.fake_probability < second.fake_probability < 0.9 for one in others)
    assert sense_proposals(fine, None, "audio", None, [shown]) == [shown]
