"""Synchrony: made-up vectors that fit at a known offset, or nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.media.probe import AudioInfo, MediaInfo, VideoInfo
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.findings import FaceScores, Findings, MouthSteps, SoundSteps
from seamline.scoring.judge import judge
from seamline.scoring.synchrony import (
    FARTHEST_STEPS,
    compare,
    fit_of,
    fit_vectors,
    offset_likeness,
    weighed,
)
from seamline.scoring.verdict import ModelId, Verdict

SYNC = Branch("s.onnx", Calibration(1.0, 0.0), pool_sharpness=0.0, threshold=0.9)
PICTURE = Branch("p.onnx", Calibration(1.0, 0.0), pool_sharpness=0.0, threshold=0.9)
STEPS = 100


def units(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 32))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def late(vectors: np.ndarray, steps: int) -> np.ndarray:
    """The same, ``steps`` later; what was before is something else."""
    moved = np.roll(vectors, steps, axis=0)
    if steps > 0:
        moved[:steps] = units(steps, 99)
    elif steps < 0:
        moved[steps:] = units(-steps, 99)
    return moved


@pytest.mark.parametrize("offset", [-21, -4, 0, 3, 11])
def test_likeness_equals_a_naive_mean_and_peaks_where_the_sound_was_moved(offset: int) -> None:
    mouth = units(60, 0)
    sound = late(mouth, offset)
    mouth[7] = np.nan
    found = offset_likeness(mouth, sound)
    for index, shift in enumerate(range(-FARTHEST_STEPS, FARTHEST_STEPS + 1)):
        pairs = [
            mouth[i] @ sound[i + shift]
            for i in range(60)
            if 0 <= i + shift < 60 and not np.isnan(mouth[i, 0])
        ]
        assert found[index] == pytest.approx(np.mean(pairs))
    assert found.argmax() - FARTHEST_STEPS == offset


def test_what_is_reached_equals_a_naive_mean_of_each_sound_s_best_mouth() -> None:
    mouth, sound = units(60, 0), units(60, 1)
    mouth[7], sound[:20] = np.nan, np.nan
    best = [
        max(
            mouth[i] @ sound[j]
            for i in range(60)
            if abs(i - j) <= FARTHEST_STEPS and not np.isnan(mouth[i, 0])
        )
        for j in range(20, 60)
    ]
    assert compare(mouth, sound)[1] == pytest.approx(np.mean(best))
    assert np.isnan(compare(mouth, sound * np.nan)[1])


@pytest.mark.parametrize("offset", [0, 5, 12])
def test_another_s_sound_falls_short_and_one_s_own_where_it_was_moved_far(offset: int) -> None:
    mouth = units(STEPS, 1)
    own, other = fit_vectors(mouth, late(mouth, offset)), fit_vectors(mouth, units(STEPS, 2))
    assert own is not None
    assert other is not None
    assert other.shortfall > 0.2
    assert (own.shortfall < 0.2) is (offset <= 7)
    assert other.logit_with(1.0) == pytest.approx(other.logit + 20 * other.shortfall)
    assert other.logit_with(0.0) == other.logit


def test_offsets_with_few_common_steps_are_left_out() -> None:
    likeness = offset_likeness(units(20, 0), units(20, 0))
    few = np.flatnonzero(np.isnan(likeness)) - FARTHEST_STEPS
    assert few.tolist() == [*range(-FARTHEST_STEPS, -12), *range(13, FARTHEST_STEPS + 1)]
    assert fit_of(np.full(31, np.nan)) is None


@pytest.mark.parametrize(
    ("offset", "fake"), [(0, False), (7, False), (-7, False), (9, True), (-22, True)]
)
def test_a_natural_lag_is_no_mismatch_but_a_larger_one_is(offset: int, fake: bool) -> None:
    mouth = units(STEPS, 1)
    fit = fit_of(offset_likeness(mouth, late(mouth, offset)))
    assert fit is not None
    assert (fit.logit > 0) is fake
    if not fake:
        assert fit.offset_seconds == pytest.approx(0.04 * offset, abs=0.02)


def test_a_peak_between_two_steps_is_placed_between_them() -> None:
    offsets = np.arange(-15, 16)
    fit = fit_of(np.maximum(0.0, 0.8 - 0.05 * (offsets - 1.3) ** 2))
    assert fit is not None
    assert fit.offset_seconds == pytest.approx(1.3 * 0.04, abs=1e-9)


def findings(branch: Branch | None = SYNC) -> Findings:
    video = VideoInfo("h264", 640, 480, 25.0, 0, 4.0)
    media = MediaInfo("t.mp4", "video", 4.0, video, AudioInfo("aac", 44100, 2, 4.0), ())
    found = Findings(
        media=media,
        branches={"picture": PICTURE} | ({} if branch is None else {"sync": branch}),
        model=ModelId("tiny", "1", "0" * 64),
        frame_step_seconds=0.25,
        min_face_px=48.0,
        examined_seconds=4.0,
        frames_examined=16,
        size_bytes=10_000_000,
    )
    found.faces.append(FaceScores(0, np.arange(16) * 0.25, np.full(16, -4.0), 200))
    return found


def see(
    found: Findings,
    vectors: np.ndarray,
    *,
    track: int = 0,
    face_px: int = 200,
    motion: float = 0.3,
) -> None:
    for first in range(0, len(vectors), 50):
        part = vectors[first : first + 50].astype(np.float32)
        found.mouths.append(MouthSteps(track, first, part, motion, face_px))


def hear(found: Findings, vectors: np.ndarray) -> None:
    for first in range(0, len(vectors), 50):
        found.sounds.append(SoundSteps(first, vectors[first : first + 50].astype(np.float32)))


def verdict(found: Findings) -> Verdict:
    return judge(found, "t.mp4", "f" * 64, {"total": 1.0})


def test_lips_and_sound_that_fit_give_a_low_probability_and_the_offset() -> None:
    found = findings()
    mouth = units(STEPS, 1)
    see(found, mouth)
    hear(found, late(mouth, 3))
    result = verdict(found)
    assert result.label == "real"
    assert result.sync.fake_probability is not None
    assert result.sync.fake_probability < 0.01
    assert result.sync.offset_seconds == pytest.approx(0.12, abs=0.02)
    assert result.sync.track is None
    assert len(result.timeline.sync) == 4
    assert all(chance is not None and chance < 0.1 for chance in result.timeline.sync)
    assert result.segments == ()
    assert "track" not in result.to_json()["sync"]


def test_sound_that_fits_elsewhere_makes_the_one_face_s_file_fake() -> None:
    found = findings()
    mouth = units(STEPS, 1)
    see(found, mouth)
    hear(found, late(mouth, 12))
    result = verdict(found)
    assert result.label == "fake_video"
    assert result.fake_probability == result.sync.fake_probability
    (segment,) = result.segments
    assert (segment.modality, segment.track, segment.start_seconds) == ("sync", 0, 0.0)


def test_a_spliced_second_half_is_a_segment_on_its_own() -> None:
    found = findings()
    mouth = units(STEPS, 1)
    sound = mouth.copy()
    sound[50:] = late(mouth, 10)[50:]
    see(found, mouth)
    hear(found, sound)
    chances = [chance or 0.0 for chance in verdict(found).timeline.sync]
    assert chances[0] < 0.1 < 0.9 < chances[3]


def test_evidence_counts_by_the_root_of_its_length_from_the_logit_that_is_even() -> None:
    assert weighed(-0.3, 400, None) == -0.3
    assert weighed(-0.3, 50, -2.0) == pytest.approx(1.7)
    assert weighed(-0.3, 200, -2.0) == weighed(-0.3, 900, -2.0) == pytest.approx(3.4)
    assert weighed(-5.0, 200, -2.0) == pytest.approx(-6.0)


def other_voice(steps: int, branch: Branch) -> Verdict:
    found = findings(branch)
    see(found, units(steps, 1))
    hear(found, units(steps, 2))
    return verdict(found)


def test_what_fits_nowhere_is_called_fake_once_it_was_heard_for_long() -> None:
    weighing = replace(SYNC, even_logit=-3.0)
    short, long = (other_voice(steps, weighing) for steps in (50, 100))
    assert (short.sync.fake_probability or 0) < (long.sync.fake_probability or 0)
    assert long.label == "fake_video"
    assert [one.modality for one in long.segments] == ["sync"]
    assert other_voice(100, SYNC).label == "real"


def test_a_shortfall_counts_as_the_branch_says() -> None:
    counting = replace(SYNC, shortfall_weight=1.0)
    plain, counted = (other_voice(100, branch).sync for branch in (SYNC, counting))
    assert (plain.fake_probability or 0) < 0.9 < (counted.fake_probability or 0)
    found = findings(counting)
    see(found, units(STEPS, 1))
    hear(found, late(units(STEPS, 1), 3))
    assert (verdict(found).sync.fake_probability or 1) < 0.1


def test_a_second_alone_accuses_nobody() -> None:
    found = findings()
    mouth = units(30, 1)
    see(found, mouth)
    hear(found, late(mouth, 12))
    result = verdict(found)
    assert result.label == "real"
    assert (result.sync.fake_probability or 0) > 0.9


def test_of_several_faces_the_speaker_is_named() -> None:
    found = findings()
    speaker = units(STEPS, 2)
    see(found, units(STEPS, 1), track=0)
    see(found, speaker, track=4)
    hear(found, speaker)
    result = verdict(found)
    assert result.sync.track == 4
    assert (result.sync.fake_probability or 0) < 0.1
    assert Verdict.from_json(result.to_json()).sync.track == 4


def moved(found: Findings, **see_options: float) -> None:
    mouth = units(STEPS, 1)
    see(found, mouth, **see_options)  # type: ignore[arg-type]
    hear(found, late(mouth, 12))


def test_what_cannot_be_told_is_left_open_with_its_reason() -> None:
    crowd = findings()
    moved(crowd)
    see(crowd, units(STEPS, 5), track=1)
    still, small, unheard, unseen, blind = (findings() for _ in range(5))
    moved(still, motion=0.001)
    moved(small, face_px=50)
    see(unheard, units(STEPS, 1))
    hear(unseen, units(STEPS, 1))
    brief = findings()
    see(brief, units(20, 1))
    hear(brief, units(20, 1))
    blind = replace(blind, branches={"picture": PICTURE})
    reasons = {
        "none of 2 faces makes this sound: the speaker may be out of sight": crowd,
        "the visible mouth hardly moves: the voice may come from elsewhere": still,
        "no face whose mouth has 60 px": small,
        "no face whose mouth is seen for a second while somebody speaks": brief,
        "no speech found": unheard,
        "no face was seen long enough to follow its mouth": unseen,
        "this model does not judge synchrony": blind,
    }
    for reason, found in reasons.items():
        result = verdict(found)
        assert result.sync.reason == reason
        assert result.sync.fake_probability is None
        assert result.label == "real"
        assert set(result.timeline.sync) == {None}
