"""Judging: what was not examined says why, and one number comes from one place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.media.probe import AudioInfo, MediaInfo, VideoInfo
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.findings import FaceScores, Findings, PairScore, VoiceScores
from seamline.scoring.judge import judge
from seamline.scoring.pool import pool_logits
from seamline.scoring.splices import SpliceRule
from seamline.scoring.verdict import ModelId, Verdict

PICTURE = Branch("p.onnx", Calibration(2.0, 0.5), pool_sharpness=1.0, threshold=0.6)
VOICE = Branch("v.onnx", Calibration(1.0, 0.0), pool_sharpness=0.0, step_seconds=0.5)


def findings(seconds: float = 10.0, *, sound: bool = True, picture: bool = True) -> Findings:
    video = VideoInfo("h264", 1280, 720, 25.0, 0, seconds) if picture else None
    audio = AudioInfo("aac", 44100, 2, seconds) if sound else None
    kind = "video" if picture else "audio"
    media = MediaInfo("talk.mp4", kind, seconds, video, audio, ())
    return Findings(
        media=media,
        branches={"picture": PICTURE, "voice": VOICE},
        model=ModelId("tiny", "1", "0" * 64),
        frame_step_seconds=0.25,
        min_face_px=48.0,
        examined_seconds=seconds,
        frames_examined=int(seconds * 4) if picture else 0,
        size_bytes=10_000_000,
    )


def see(found: Findings, track: int, start: float, stop: float, logit: float) -> None:
    seconds = np.arange(start, stop, 0.25)
    found.faces.append(FaceScores(track, seconds, np.full(len(seconds), logit), 200))


def hear(found: Findings, logit: float | None, start: float = 0.0, stop: float = 10.0) -> None:
    logits = None if logit is None else np.full(int((stop - start) / 0.5), logit)
    found.voices.append(VoiceScores(start, stop, logits, 0.5))


def verdict(found: Findings) -> Verdict:
    return judge(found, "talk.mp4", "f" * 64, {"total": 1.0})


def test_the_file_s_number_is_the_most_suspicious_person_s() -> None:
    found = findings()
    see(found, 0, 0, 10, -3.0)
    see(found, 1, 2, 6, 4.0)
    hear(found, -5.0)
    result = verdict(found)
    assert result.label == "fake_video"
    assert [round(p.fake_probability or 0, 4) for p in result.people] == [
        round(PICTURE.calibration.probability(-3.0), 4),
        round(PICTURE.calibration.probability(4.0), 4),
    ]
    assert result.fake_probability == result.video.fake_probability
    assert result.people[1].start_seconds == 2.0
    assert result.people[1].stop_seconds == 6.0
    (segment,) = result.segments
    assert (segment.modality, segment.track) == ("video", 1)
    assert (segment.start_seconds, segment.stop_seconds) == (2.0, 6.0)
    assert result.video.examined_seconds == 10.0


def test_pooling_over_windows_equals_pooling_at_once() -> None:
    found = findings()
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, 40)
    for start in range(0, 40, 8):
        part = slice(start, start + 8)
        seconds = np.arange(40)[part] * 0.25
        found.faces.append(FaceScores(0, seconds, logits[part], 100 + start))
    result = verdict(found)
    pooled = pool_logits(logits, 1.0)
    assert pooled is not None
    assert result.video.fake_probability == pytest.approx(PICTURE.calibration.probability(pooled))
    assert result.people[0].face_px == 116


def test_a_glimpse_of_a_face_is_not_a_person() -> None:
    found = findings()
    see(found, 0, 4.0, 4.75, 9.0)
    hear(found, -4.0)
    result = verdict(found)
    assert result.people == ()
    assert result.video.reason == "no face of at least 48 px for at least 1 s"
    assert result.label == "real"
    assert any("only the voice was examined" in warning for warning in result.warnings)


def test_a_face_in_the_last_second_is_a_person() -> None:
    found = findings()
    see(found, 3, 9.0, 10.0, 5.0)
    assert verdict(found).people[0].track == 3


def test_a_short_clip_needs_most_of_its_length_only() -> None:
    found = findings(0.5)
    see(found, 0, 0.0, 0.5, 5.0)
    assert verdict(found).label == "fake_video"


@pytest.mark.parametrize(
    ("spoken", "reason"), [(None, "no speech found"), ("nothing", "no sound could be decoded")]
)
def test_a_voice_that_was_not_heard_says_why(spoken: str | None, reason: str) -> None:
    found = findings()
    see(found, 0, 0, 10, -3.0)
    if spoken is None:
        hear(found, None)
    result = verdict(found)
    assert result.audio.fake_probability is None
    assert result.audio.reason == reason


def test_nothing_examined_is_inconclusive_without_a_number() -> None:
    result = verdict(findings(sound=False))
    assert result.label == "inconclusive"
    assert result.fake_probability is None
    assert result.audio.reason == "no audio stream"
    assert set(result.timeline.video) == {None}
    assert len(result.timeline.video) == 10


def test_sound_alone_says_that_there_is_no_picture() -> None:
    found = findings(picture=False)
    hear(found, 3.0)
    result = verdict(found)
    assert result.label == "fake_audio"
    assert result.video.reason == "no video stream"
    assert result.sync.reason == "no moving picture to compare with"
    assert result.audio.examined_seconds == 10.0
    assert result.segments[0].modality == "audio"


def test_evidence_out_of_range_is_inconclusive_and_says_so() -> None:
    found = findings(sound=False)
    found.branches = {"picture": replace(PICTURE, usual_logits=(-5.0, 5.0))}
    see(found, 0, 0, 10, -30.0)
    result = verdict(found)
    assert result.label == "inconclusive"
    assert result.fake_probability is None
    assert "the picture is unlike anything that the model was validated on" in result.warnings


def test_a_sense_that_joins_the_other_shows_where() -> None:
    strict = replace(VOICE, threshold=0.9)
    for picture, voice, label in ((4.0, 1.0, "fake_both"), (4.0, -1.0, "fake_video")):
        found = findings()
        found.branches = {"picture": PICTURE, "voice": strict}
        see(found, 0, 0, 10, picture)
        hear(found, voice)
        result = verdict(found)
        assert result.label == label
        heard = [s for s in result.segments if s.modality == "audio"]
        assert len(heard) == (label == "fake_both")
    found = findings()
    found.branches = {"picture": replace(PICTURE, threshold=0.95), "voice": strict}
    see(found, 0, 0, 10, 1.0)
    hear(found, 4.0)
    result = verdict(found)
    assert (result.label, [s.modality for s in result.segments]) == (
        "fake_both", ["video", "audio"]
    )  # fmt: skip


SPLICES = SpliceRule(Calibration(0.1, -8.0), threshold=0.9, spread_floor=4.0)


def see_splice(found: Findings, start: float, stop: float, level: float, added: float) -> None:
    seconds = np.arange(0, 10, 0.25)
    logits = np.where((seconds >= start) & (seconds < stop), level + added, level)
    found.faces.append(FaceScores(0, seconds, logits, 200))


def test_a_stretch_that_stands_out_makes_a_calm_file_a_fake() -> None:
    found = findings(sound=False)
    calm = replace(PICTURE, pool_sharpness=0.0)
    for rule, label in ((None, "real"), (SPLICES, "fake_video")):
        found.branches = {"picture": replace(calm, splices=rule)}
        found.faces.clear()
        see_splice(found, 4, 6, -9.0, 8.5)
        result = verdict(found)
        assert result.label == label
    (segment,) = result.segments
    assert (segment.start_seconds, segment.stop_seconds, segment.track) == (4.0, 6.0, 0)
    chance = segment.fake_probability
    assert result.people[0].fake_probability == result.fake_probability == chance >= 0.9


def test_a_stretch_that_reaches_the_threshold_too_is_one_segment_with_the_finer_edges() -> None:
    found = findings(sound=False)
    found.branches = {"picture": replace(PICTURE, splices=SPLICES)}
    see_splice(found, 4.25, 5.75, -9.0, 20.0)
    (segment,) = verdict(found).segments
    assert (segment.start_seconds, segment.stop_seconds) == (4.25, 5.75)


def test_a_louder_stretch_inside_a_longer_forgery_does_not_cut_it_up() -> None:
    found = findings(sound=False)
    found.branches = {"picture": replace(PICTURE, splices=SPLICES)}
    see_splice(found, 4, 6, 5.0, 9.0)
    (segment,) = verdict(found).segments
    assert (segment.start_seconds, segment.stop_seconds) == (0.0, 10.0)


def test_a_spliced_voice_is_heard() -> None:
    found = findings(picture=False)
    found.branches = {"voice": replace(VOICE, splices=SPLICES, threshold=0.9)}
    logits = np.full(20, -4.0)
    logits[6:10] = 4.0
    found.voices.append(VoiceScores(0.0, 10.0, logits, 0.5))
    result = verdict(found)
    assert result.label == "fake_audio"
    assert result.audio.fake_probability == result.segments[0].fake_probability
    assert [(s.start_seconds, s.stop_seconds) for s in result.segments] == [(3.0, 5.0)]


def test_doubts_are_named() -> None:
    found = findings(600.0)
    found.examined_seconds = 60.0
    found.size_bytes = 1_000_000
    found.warnings.append("the file ends early")
    see(found, 0, 0, 2, -3.0)
    found.faces[0] = replace(found.faces[0], face_px=50)
    warnings = verdict(found).warnings
    assert warnings[0] == "the file ends early"
    assert "examined 60 s spread over 600 s; --thorough examines all" in warnings
    assert "no face is larger than 80 px: scores are less certain" in warnings
    assert "heavy compression: scores are less certain" in warnings


def test_a_model_without_a_voice_branch_says_so() -> None:
    found = findings()
    found.branches = {"picture": PICTURE}
    see(found, 0, 0, 10, -3.0)
    assert verdict(found).audio.reason == "this model has no voice branch"


def together(found: Findings, track: int | None, *logits: float) -> None:
    found.pairs += [PairScore(track, logit) for logit in logits]


@pytest.mark.parametrize(
    ("fused", "picture", "voice", "label"),
    [
        (3.0, 2.0, -2.0, "fake_video"),
        (3.0, -2.0, 2.0, "fake_audio"),
        (3.0, 2.0, 2.0, "fake_both"),
        (3.0, -1.0, -2.0, "fake_video"),  # neither alone: the likelier one
        (-3.0, 2.0, 2.0, "real"),
    ],
)
def test_a_judgement_of_both_tells_whether_and_the_senses_alone_tell_which(
    fused: float, picture: float, voice: float, label: str
) -> None:
    found = findings()
    both = Branch("b.onnx", Calibration(), pool_sharpness=0.0, usual_logits=(-5.0, 5.0))
    found.branches = {"both": both}
    see(found, 0, 0, 10, picture)
    hear(found, voice)
    together(found, 0, fused - 1, fused + 1)
    result = verdict(found)
    assert result.label == label
    assert result.fake_probability == pytest.approx(both.calibration.probability(fused))
    assert result.video.fake_probability == pytest.approx(both.calibration.probability(picture))
    assert result.audio.fake_probability == pytest.approx(both.calibration.probability(voice))


def test_both_together_out_of_range_is_inconclusive() -> None:
    found = findings()
    found.branches = {"both": Branch("b.onnx", Calibration(), 0.0, usual_logits=(-5.0, 5.0))}
    see(found, 0, 0, 10, 1.0)
    hear(found, 1.0)
    together(found, 0, 20.0)
    result = verdict(found)
    assert (result.label, result.fake_probability) == ("inconclusive", None)
    assert "the file is unlike anything that the model was validated on" in result.warnings


def test_of_several_people_the_most_suspicious_pair_counts() -> None:
    found = findings()
    found.branches = {"both": Branch("b.onnx", Calibration(), 0.0)}
    see(found, 0, 0, 10, -2.0)
    see(found, 1, 0, 10, 1.0)
    see(found, 2, 0, 0.5, 9.0)  # a glimpse
    hear(found, -1.0)
    together(found, 0, -3.0, -3.0)
    together(found, 1, 1.0, 3.0)
    together(found, 2, 9.0)
    assert verdict(found).fake_probability == pytest.approx(Calibration().probability(2.0))


def test_a_photo_is_no_clip_for_a_model_of_moving_pictures() -> None:
    found = findings(sound=False)
    found.branches = {"temporal": PICTURE}
    found.media = replace(found.media, kind="image", duration_seconds=None)
    see(found, 0, 0, 0.25, 3.0)
    result = verdict(found)
    assert result.label == "inconclusive"
    assert result.video.reason == "this model judges moving pictures only"
