"""Abstention: poor faces are doubted, then not judged, and never get a made-up number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.faces.quality import FaceQuality, measure_quality
from seamline.media.probe import AudioInfo, MediaInfo, VideoInfo
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.findings import FaceScores, Findings, PairScore, VoiceScores
from seamline.scoring.judge import judge
from seamline.scoring.judge_picture import find_scales
from seamline.scoring.quality import QualityLimits, weigh
from seamline.scoring.verdict import ModelId, Verdict

GOOD = FaceQuality(sharpness=0.43, brightness=0.44, turned_share=0.0, unsure_share=0.0)
PICTURE = Branch("p.onnx", Calibration(), pool_sharpness=1.0)
VOICE = Branch("v.onnx", Calibration(), pool_sharpness=0.0, step_seconds=0.5)


def verdict(*faces: tuple[FaceQuality, float], voice: float | None = None) -> Verdict:
    return judge(findings_of(*faces, voice=voice), "talk.mp4", "f" * 64, {})


def findings_of(*faces: tuple[FaceQuality, float], voice: float | None = None) -> Findings:
    video = VideoInfo("h264", 1280, 720, 25.0, 0, 10.0)
    found = Findings(
        media=MediaInfo("talk.mp4", "video", 10.0, video, None, ()),
        branches={"picture": PICTURE, "voice": VOICE},
        model=ModelId("tiny", "1", "0" * 64),
        frame_step_seconds=0.25,
        min_face_px=48.0,
        examined_seconds=10.0,
        frames_examined=40,
        size_bytes=10_000_000,
    )
    seconds = np.arange(40) * 0.25
    for track, (quality, logit) in enumerate(faces):
        logits = np.full(40, logit)
        found.faces.append(FaceScores(track, seconds, logits, 200, quality=quality))
    if voice is not None:
        found.media = replace(found.media, audio=AudioInfo("aac", 44100, 2, 10.0))
        found.voices.append(VoiceScores(0.0, 10.0, np.full(20, voice), 0.5))
    return found


@pytest.mark.parametrize(
    ("change", "doubt", "refusal"),
    [
        ({"sharpness": 0.15}, "face 0 is blurred: scores are less certain", None),
        ({"sharpness": 0.05}, None, "the face is too blurred to judge (0.05, limit 0.09)"),
        ({"brightness": 0.08}, "face 0 is dark: scores are less certain", None),
        ({"brightness": 0.01}, None, "the face is too dark to judge (0.99, limit 0.97)"),
        ({"turned_share": 0.7}, "face 0 is turned far aside: scores are less certain", None),
        ({"turned_share": 1.0}, None, "the face is turned too far aside to judge"),
        ({"unsure_share": 0.5}, "face 0 is hardly recognisable as a face", None),
        ({"unsure_share": 1.0}, None, "the face is too unlike a face to judge"),
        ({}, None, None),
    ],
)
def test_a_poor_face_is_doubted_and_a_very_poor_one_is_not_judged(
    change: dict[str, float], doubt: str | None, refusal: str | None
) -> None:
    result = verdict((replace(GOOD, **change), 4.0))
    if refusal is None:
        assert result.label == "fake_video"
        assert [w for w in result.warnings if doubt is not None and doubt in w] or doubt is None
        assert doubt is not None or not any("less certain" in w for w in result.warnings)
        return
    assert result.label == "inconclusive"
    assert result.fake_probability is None
    assert result.video.fake_probability is None
    assert result.people[0].fake_probability is None
    assert refusal in (result.video.reason or "")
    assert set(result.timeline.video) == {None}


def test_a_genuine_voice_does_not_clear_a_face_that_cannot_be_judged() -> None:
    blurred = replace(GOOD, sharpness=0.01)
    assert verdict((blurred, -4.0), voice=-4.0).label == "inconclusive"
    assert verdict((blurred, -4.0), voice=4.0).label == "fake_audio"


def test_a_voice_judged_together_with_the_picture_does_not_clear_it_either() -> None:
    found = findings_of((replace(GOOD, sharpness=0.01), 0.0), voice=-6.0)
    found.branches = {"both": Branch("b.onnx", Calibration(), pool_sharpness=0.0)}
    found.pairs.append(PairScore(None, -6.0))  # a window without the face
    result = judge(found, "talk.mp4", "f" * 64, {})
    assert (result.label, result.fake_probability) == ("inconclusive", None)


def test_a_face_that_is_not_judged_leaves_no_figures_in_the_evidence() -> None:
    found = findings_of((GOOD, 0.0), (replace(GOOD, sharpness=0.01), 9.0))
    assert list(find_scales(found)) == [0]


def test_one_poor_face_does_not_hide_the_others() -> None:
    result = verdict((replace(GOOD, sharpness=0.01), 9.0), (GOOD, -3.0))
    assert result.label == "real"
    assert result.people[0].fake_probability is None
    assert result.video.fake_probability == pytest.approx(Calibration().probability(-3.0))
    assert any(w.startswith("face 0 is too blurred to judge") for w in result.warnings)


@pytest.mark.parametrize(
    ("windows", "label", "doubted"),
    [((None, None), "fake_video", False), ((1.0, 1.2), "fake_video", False),
     ((3.0, 5.0), "fake_video", True), ((4.0, 7.0), "inconclusive", False)],
)  # fmt: skip
def test_a_face_unlike_those_of_training_is_doubted_and_then_not_judged(
    windows: tuple[float | None, float | None], label: str, doubted: bool
) -> None:
    found = findings_of((GOOD, 4.0))
    (face,) = found.faces
    found.faces = [replace(face, strangeness=windows[0]), replace(face, strangeness=windows[1])]
    result = judge(found, "talk.mp4", "f" * 64, {})
    assert result.label == label
    assert any("unlike most filmed faces" in warning for warning in result.warnings) == doubted
    if label == "inconclusive":
        assert result.video.reason == (
            "the face is too unlike the filmed faces that the model knows to be judged "
            "(5.50, limit 5.00)"
        )


def test_an_unmeasured_face_is_held_to_its_size_alone() -> None:
    assert weigh(None, 200, QualityLimits()).refusal is None
    assert weigh(None, 20, QualityLimits()).refusal == ("too small to judge (20 px, limit 24 px)")


def test_limits_survive_json_and_an_unknown_name_is_refused() -> None:
    limits = QualityLimits(sharpness=(0.3, 0.1), strangeness=(1.5, 2.5))
    assert QualityLimits.from_json(limits.to_json()) == limits
    assert QualityLimits.from_json(None) == QualityLimits()
    with pytest.raises(ValueError, match="quality has no blur"):
        QualityLimits.from_json({"blur": [1, 2]})
    assert QualityLimits.from_json({"usual": {}}) == QualityLimits()  # as version 10 wrote it


def test_blur_lowers_sharpness_whatever_the_contrast_and_a_turned_head_shows() -> None:
    import cv2

    crop = np.random.default_rng(0).integers(0, 256, (160, 160, 3)).astype(np.uint8)
    crop = cv2.GaussianBlur(crop, (0, 0), 1.5)
    frontal = np.array([[50, 60], [110, 60], [80, 95], [58, 120], [102, 120]], np.float64)
    turned = frontal.copy()
    turned[2, 0] += 40
    views = {"clear": crop, "pale": crop // 2 + 60, "soft": cv2.GaussianBlur(crop, (0, 0), 5)}
    found = {
        name: measure_quality(
            np.stack([view, view]), np.stack([frontal, turned]), np.array([0.99, 0.7]), 160
        )
        for name, view in views.items()
    }
    assert found["soft"].sharpness < 0.5 * found["clear"].sharpness
    assert found["pale"].sharpness == pytest.approx(found["clear"].sharpness, rel=0.15)
    assert found["clear"].turned_share == 0.5
    assert found["clear"].unsure_share == 0.5
