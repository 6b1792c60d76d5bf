"""The detector end to end, over a bundle with known arithmetic and media made here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from media_factory import photo, sine, tiny_video
from seamline.data.demo_clips import make_demo, read_portrait
from seamline.detector import Detector
from seamline.errors import UnreadableMedia
from seamline.media.write import write_audio, write_image, write_video
from tiny_bundle import HIGH_HZ, LOW_HZ, write_tiny_bundle


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(write_tiny_bundle(tmp_path_factory.mktemp("tiny")), threads=1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    genuine, _ = make_demo(tmp_path_factory.mktemp("demo"))
    return genuine


def speech_like(seconds: float, hertz: float) -> np.ndarray:
    """A buzz in syllables, rich enough for speech activity, loudest near ``hertz``."""
    time_axis = np.arange(int(seconds * 16000)) / 16000
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * time_axis)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    voiced = sum(
        np.sin(k * phase) * np.exp(-(((k * 120 - hertz) / 500) ** 2)) for k in range(1, 40)
    )
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_axis) + 0.3, 0, 1)
    hum = 5e-4 * np.sin(2 * np.pi * hertz * time_axis)  # decides what the gaps sound like
    return (0.2 * voiced * syllables / np.abs(voiced).max() + hum).astype(np.float32)


def test_a_person_is_found_scored_and_placed(detector: Detector, demo: Path) -> None:
    verdict = detector.scan(demo)
    (person,) = verdict.people
    assert person.start_seconds == 0.0
    assert person.stop_seconds == pytest.approx(4.0, abs=0.05)
    assert 90 < person.face_px < 160
    # Skin is red: the tiny bundle's logit is (red − 128) / 8.
    assert verdict.label == "fake_video"
    assert verdict.audio.reason == "no audio stream"
    assert len(verdict.timeline.video) == 4
    assert verdict.sha256 == hashlib.sha256(demo.read_bytes()).hexdigest()
    assert verdict.model.name == "tiny"
    assert verdict.seconds["total"] >= verdict.seconds["model"] > 0


def test_proposals_are_told_where_they_are_asked_for(detector: Detector, demo: Path) -> None:
    assert detector.scan(demo).proposals is None
    verdict = detector.scan(demo, proposals=True)
    assert verdict.proposals is not None
    assert set(verdict.segments) <= set(verdict.proposals)
    assert detector.examine(demo, proposals=True).verdict.proposals == verdict.proposals


def test_evidence_belongs_to_the_verdict(detector: Detector, demo: Path) -> None:
    steps: list[float] = []
    examination = detector.examine(demo, progress=steps.append)
    looks = examination.evidence.looks
    assert {look.track for look in looks} == {0}
    assert [look.seconds for look in looks] == sorted(look.seconds for look in looks)
    assert all(look.crop.shape == (64, 64, 3) and look.heat.shape == (4, 4) for look in looks)
    red = looks[0].crop[..., 0].mean()
    assert looks[0].fake_probability == pytest.approx(1 / (1 + np.exp(-(red - 128) / 8)), abs=1e-3)
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    chances = {}
    for seen in examination.evidence.faces:
        assert seen.track == 0
        assert seen.boxes.shape == (len(seen.seconds), 4)
        chances |= dict(zip(seen.seconds, seen.fake_probabilities, strict=True))
    assert all(chances[look.seconds] == look.fake_probability for look in looks)
    assert len(chances) > len(looks)


@pytest.mark.parametrize(("hertz", "label"), [(LOW_HZ, "fake_audio"), (HIGH_HZ, "real")])
def test_sound_alone_is_judged(
    detector: Detector, tmp_path: Path, hertz: float, label: str
) -> None:
    path = tmp_path / "talk.wav"
    write_audio(path, speech_like(5.0, hertz), 16000)
    verdict = detector.scan(path)
    assert verdict.label == label
    assert verdict.video.reason == "no video stream"
    assert 3.0 < verdict.audio.examined_seconds <= 5.0


def test_a_photo_is_one_frame(detector: Detector, tmp_path: Path) -> None:
    write_image(tmp_path / "face.png", read_portrait())
    verdict = detector.scan(tmp_path / "face.png")
    assert len(verdict.people) == 1
    assert verdict.video.fake_probability is not None
    assert verdict.audio.reason == "a photo has no sound"


def test_a_photo_without_a_face_is_inconclusive(detector: Detector, tmp_path: Path) -> None:
    verdict = detector.scan(photo(tmp_path / "wall.png"))
    assert verdict.label == "inconclusive"
    assert verdict.fake_probability is None
    assert verdict.video.reason == "no face of at least 48 px"


def test_a_tiny_face_is_named_as_the_reason(detector: Detector, tmp_path: Path) -> None:
    import cv2

    small = cv2.resize(read_portrait(), (128, 128), interpolation=cv2.INTER_AREA)
    write_video(tmp_path / "small.mp4", [small] * 30, 15)
    verdict = detector.scan(tmp_path / "small.mp4")
    assert verdict.video.reason == "no face of at least 48 px for at least 1 s"
    found = detector.scan(tmp_path / "small.mp4", min_face_px=16)
    assert len(found.people) == 1


def test_a_face_in_the_last_second_only_is_examined(detector: Detector, tmp_path: Path) -> None:
    portrait = read_portrait()
    blank = np.full_like(portrait, 90)
    write_video(tmp_path / "late.mp4", [blank] * 45 + [portrait] * 17, 15)
    (person,) = detector.scan(tmp_path / "late.mp4").people
    assert person.start_seconds >= 2.9
    assert person.stop_seconds <= 4.2


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 16)])
def test_pictures_of_few_pixels_are_inconclusive(
    detector: Detector, tmp_path: Path, size: tuple[int, int]
) -> None:
    picture = np.full((*size, 3), 128, np.uint8)
    write_image(tmp_path / "dot.png", picture)
    assert detector.scan(tmp_path / "dot.png").label == "inconclusive"


def test_a_video_of_one_frame_is_examined(detector: Detector, tmp_path: Path) -> None:
    write_video(tmp_path / "one.mp4", [read_portrait()], 25)
    verdict = detector.scan(tmp_path / "one.mp4")
    assert len(verdict.people) == 1


def test_sound_that_outlasts_the_picture_is_heard(detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "long-sound.mp4"
    write_video(path, [read_portrait()] * 30, 15, samples=speech_like(6.0, HIGH_HZ))
    verdict = detector.scan(path)
    assert verdict.audio.examined_seconds > 4.0
    assert verdict.people[0].stop_seconds <= 2.3
    assert verdict.timeline.video[4] is None


def test_a_tone_is_not_a_voice(detector: Detector, tmp_path: Path) -> None:
    write_audio(tmp_path / "tone.wav", sine(3.0), 16000)
    verdict = detector.scan(tmp_path / "tone.wav")
    assert verdict.audio.reason == "no speech found"
    assert verdict.label == "inconclusive"


def test_a_long_file_is_sampled_and_says_so(detector: Detector, tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "long.mp4", seconds=100.0, fps=5, size=(64, 48))
    verdict = detector.scan(path)
    assert "examined 60 s spread over 100 s; --thorough examines all" in verdict.warnings
    thorough = detector.scan(path, thorough=True)
    assert not any("--thorough" in warning for warning in thorough.warnings)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"hello, this is a text and not a film\n" * 30, "not a media file"),
    ],
)
def test_what_is_no_media_says_so(
    detector: Detector, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableMedia, match=reason):
        detector.scan(tmp_path / name)


def test_a_clip_model_judges_windows_and_shows_no_heat(tmp_path: Path, demo: Path) -> None:
    detector = Detector(write_tiny_bundle(tmp_path, branches=("temporal",)), threads=1)
    examination = detector.examine(demo)
    verdict, looks = examination.verdict, examination.evidence.looks
    assert verdict.label == "fake_video"
    assert looks
    assert all(look.heat is None for look in looks)
    # Both windows of the demo hold the same face.
    chances = {round(look.fake_probability, 6) for look in looks}
    assert len(chances) == 2
    assert verdict.fake_probability == pytest.approx(np.mean(sorted(chances)), abs=0.05)


def test_a_model_of_both_senses_judges_them_together(tmp_path: Path, demo: Path) -> None:
    detector = Detector(write_tiny_bundle(tmp_path, branches=("both",)), threads=1)
    silent = detector.scan(demo)
    assert silent.label == "fake_video"
    assert silent.fake_probability == pytest.approx(silent.video.fake_probability, abs=1e-6)
    assert silent.audio.reason == "no audio stream"
    path = tmp_path / "talk.wav"
    write_audio(path, speech_like(5.0, LOW_HZ), 16000)
    spoken = detector.scan(path)
    assert spoken.label == "fake_audio"
    assert spoken.fake_probability == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-6)
    assert spoken.audio.examined_seconds == pytest.approx(5.0)


def test_a_model_of_the_voice_alone_leaves_faces_alone(tmp_path: Path, demo: Path) -> None:
    detector = Detector(write_tiny_bundle(tmp_path, branches=("voice",)), threads=1)
    verdict = detector.scan(demo)
    assert verdict.label == "inconclusive"
    assert verdict.video.reason == "this model has no picture branch"
