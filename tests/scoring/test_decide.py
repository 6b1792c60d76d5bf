from __future__ import annotations

import pytest

from seamline.scoring.decide import Thresholds, decide, gap_warnings
from seamline.scoring.verdict import SenseScore

UNSEEN = SenseScore(None, 0.0, "no face of at least 48 px for at least 1 s")
LIMITS = Thresholds(video=0.6, audio=0.3)


def sense(probability: float) -> SenseScore:
    return SenseScore(probability, 5.0, None)


@pytest.mark.parametrize(
    ("video", "audio", "label", "probability"),
    [
        (sense(0.59), sense(0.29), "real", 0.59),
        (sense(0.60), sense(0.29), "fake_video", 0.60),
        (sense(0.49), sense(0.30), "fake_audio", 0.49),
        (sense(0.99), sense(0.70), "fake_both", 0.99),
        (UNSEEN, sense(0.10), "real", 0.10),
        (UNSEEN, sense(0.90), "fake_audio", 0.90),
        (sense(0.90), UNSEEN, "fake_video", 0.90),
        (UNSEEN, UNSEEN, "inconclusive", None),
    ],
)
def test_each_sense_is_held_to_its_own_threshold(video, audio, label, probability):
    assert decide(video, audio, LIMITS) == (label, probability)


def test_beside_a_fake_the_other_sense_is_what_is_likelier():
    assert decide(sense(0.59), sense(0.29), LIMITS) == ("real", 0.59)
    assert decide(sense(0.59), sense(0.30), LIMITS) == ("fake_both", 0.59)
    assert decide(sense(0.49), sense(0.30), LIMITS) == ("fake_audio", 0.49)
    strange = decide(sense(0.59), sense(0.30), LIMITS, video_out_of_range=True)
    assert strange == ("fake_audio", 0.30)


def test_evidence_out_of_range_neither_accuses_nor_clears():
    both = decide(sense(0.9), sense(0.9), LIMITS, video_out_of_range=True, audio_out_of_range=True)
    assert both == ("inconclusive", None)
    assert decide(sense(0.9), sense(0.1), LIMITS, video_out_of_range=True) == ("inconclusive", None)
    assert decide(sense(0.9), sense(0.8), LIMITS, video_out_of_range=True) == ("fake_audio", 0.8)


def test_evidence_too_poor_for_a_score_is_not_cleared_by_the_other_sense():
    assert decide(UNSEEN, sense(0.1), LIMITS, video_out_of_range=True) == ("inconclusive", None)


def test_real_on_one_sense_alone_says_so():
    assert gap_warnings("real", UNSEEN, sense(0.1)) == [
        "only the voice was examined; the picture was not: "
        "no face of at least 48 px for at least 1 s"
    ]
    silent = SenseScore(None, 0.0, "no audio stream")
    (warning,) = gap_warnings("real", sense(0.1), silent)
    assert warning == "only the picture was examined; the voice was not: no audio stream"
    assert gap_warnings("real", sense(0.1), sense(0.1)) == []
    assert gap_warnings("fake_video", sense(0.9), silent) == []
