"""Judging against genuine footage: by whom, from which level, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.media.probe import MediaInfo, VideoInfo
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.findings import FaceScores, Findings
from seamline.scoring.judge import judge
from seamline.scoring.judge_picture import find_scales
from seamline.scoring.pool import pool_logits
from seamline.scoring.reference import Reference, ReferenceTrack
from seamline.scoring.timeline import step_logits
from seamline.scoring.verdict import ModelId, Verdict

RELATIVE = Calibration(0.5, -2.0)
PICTURE = Branch(
    "p.onnx",
    Calibration(2.0, 0.5),
    pool_sharpness=1.0,
    threshold=0.9,
    usual_logits=(-8.0, 8.0),
    reference_calibration=RELATIVE,
    reference_threshold=0.7,
    reference_usual_logits=(-6.0, 6.0),
)
ANNA, BEN = np.array([1.0, 0.0]), np.array([0.0, 1.0])
GENUINE = Reference("genuine.mp4", "a" * 64, (ReferenceTrack(ANNA, 2.0, 8.0),), same_person=0.5)


def findings(*references: Reference, branch: Branch = PICTURE) -> Findings:
    video = VideoInfo("h264", 1280, 720, 25.0, 0, 10.0)
    return Findings(
        media=MediaInfo("talk.mp4", "video", 10.0, video, None, ()),
        branches={"picture": branch},
        model=ModelId("tiny", "1", "0" * 64),
        frame_step_seconds=0.25,
        min_face_px=48.0,
        references=references,
        examined_seconds=10.0,
        frames_examined=40,
        size_bytes=10_000_000,
    )


def see(found: Findings, track: int, likeness: np.ndarray, logits: np.ndarray | float) -> None:
    seconds = np.arange(40) * 0.25
    values = np.broadcast_to(np.asarray(logits, np.float64), (40,))
    found.faces.append(FaceScores(track, seconds, values, 200, 3 * likeness))


def verdict(found: Findings) -> Verdict:
    return judge(found, "talk.mp4", "f" * 64, {"total": 1.0})


def test_a_matched_face_is_judged_by_its_distance_from_the_genuine_level() -> None:
    found = findings(GENUINE)
    logits = np.random.default_rng(0).normal(4, 1, 40)
    see(found, 0, ANNA, logits)
    result = verdict(found)
    pooled = pool_logits(logits, 1.0)
    assert pooled is not None
    expected = RELATIVE.probability(pooled - 2.0)
    assert result.people[0].fake_probability == pytest.approx(expected)
    assert result.video.fake_probability == pytest.approx(expected)
    assert result.label == "fake_video"  # 0.7 is needed against a reference, 0.9 without


def test_of_the_genuine_level_a_share_is_taken_away() -> None:
    found = findings(GENUINE, branch=replace(PICTURE, reference_share=0.25))
    see(found, 0, ANNA, 3.0)
    chance = verdict(found).people[0].fake_probability
    assert chance == pytest.approx(RELATIVE.probability(3.0 - 0.25 * 2.0))


def test_a_high_level_of_the_scene_is_no_forgery_where_genuine_footage_has_it_too() -> None:
    alone, beside = findings(), findings(replace(GENUINE, tracks=(ReferenceTrack(ANNA, 6.0, 8.0),)))
    for found in (alone, beside):
        see(found, 0, ANNA, 6.2)
    assert verdict(alone).label == "fake_video"
    assert verdict(beside).label == "real"


def test_timeline_and_segments_stand_on_the_relative_scale() -> None:
    found = findings(GENUINE)
    logits = np.where(np.arange(40) < 20, 1.0, 7.0)
    see(found, 0, ANNA, logits)
    result = verdict(found)
    lane = step_logits(np.arange(40) * 0.25, logits - 2.0, 10.0, sharpness=1.0)
    assert result.timeline.video == tuple(RELATIVE.probability(x) for x in lane if x is not None)
    (segment,) = result.segments
    assert (segment.start_seconds, segment.stop_seconds) == (5.0, 10.0)
    scale = find_scales(found)[0]
    assert scale.branch.calibration == RELATIVE
    assert scale.level == 2.0


def test_a_face_that_no_footage_shows_is_judged_as_without() -> None:
    found, plain = findings(GENUINE), findings()
    for each in (found, plain):
        see(each, 0, BEN, 3.0)
    result = verdict(found)
    assert result.people == verdict(plain).people
    assert result.timeline == verdict(plain).timeline
    assert result.reference is not None
    assert result.reference.people == ()
    assert any(
        "the face in talk.mp4 does not look like the one in genuine.mp4" in warning
        for warning in result.warnings
    )


def test_of_several_people_each_is_judged_by_what_there_is() -> None:
    found = findings(GENUINE)
    see(found, 0, ANNA, 2.0)
    see(found, 1, BEN, 2.0)
    result = verdict(found)
    assert [person.fake_probability for person in result.people] == [
        pytest.approx(RELATIVE.probability(0.0)),
        pytest.approx(PICTURE.calibration.probability(2.0)),
    ]
    assert result.reference is not None
    (row,) = result.reference.people
    assert (row.track, row.reference, row.similarity) == (0, "genuine.mp4", pytest.approx(1.0))
    assert "no reference shows face 1: judged without one" in result.warnings


def test_a_known_forgery_is_called_beside_a_face_that_the_model_does_not_know() -> None:
    found = findings()
    see(found, 0, ANNA, 12.0)  # out of range
    see(found, 1, BEN, 7.0)
    result = verdict(found)
    assert result.label == "fake_video"
    assert result.video.fake_probability == pytest.approx(PICTURE.calibration.probability(7.0))


def test_the_level_is_the_mean_over_all_footage_of_the_person() -> None:
    other = Reference(
        "other.mp4",
        "b" * 64,
        (ReferenceTrack(ANNA, 4.0, 3.0), ReferenceTrack(BEN, -9.0, 3.0)),
        same_person=0.5,
    )
    found = findings(GENUINE, other)
    see(found, 0, ANNA, 5.0)
    result = verdict(found)
    assert result.people[0].fake_probability == pytest.approx(RELATIVE.probability(5.0 - 3.0))
    assert result.reference is not None
    assert {row.reference for row in result.reference.people} == {"genuine.mp4", "other.mp4"}
    assert Verdict.from_json(result.to_json()).to_json() == result.to_json()


@pytest.mark.parametrize(
    ("level", "logit", "label"),
    [
        (2.0, 9.0, "inconclusive"),  # 7 above: no difference in validation was as large
        (7.0, 9.0, "fake_video"),  # the file's own level is beyond 8, but the difference is usual
        (9.0, 9.0, "inconclusive"),  # footage that the model does not know anchors nothing
    ],
)
def test_relative_scores_have_a_range_of_their_own(level: float, logit: float, label: str) -> None:
    branch = replace(PICTURE, reference_usual_logits=(-6.0, 6.0))
    genuine = replace(GENUINE, tracks=(ReferenceTrack(ANNA, level, 8.0),))
    found = findings(genuine, branch=branch)
    see(found, 0, ANNA, logit)
    assert verdict(found).label == label


def test_a_file_is_not_compared_with_itself() -> None:
    found = findings(GENUINE)
    see(found, 0, ANNA, 6.0)
    found.leave_out_itself("a" * 64)
    result = verdict(found)
    assert result.reference is None
    assert "genuine.mp4 is this file itself: judged without it" in result.warnings


def test_without_a_calibration_for_it_there_is_no_relative_branch() -> None:
    branch = Branch("p.onnx", Calibration(), 1.0)
    assert not branch.takes_references
    with pytest.raises(ValueError, match="no calibration for scores relative to a reference"):
        branch.against_reference()
