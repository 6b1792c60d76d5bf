"""The sync branch end to end: a face that flickers as its sound swells, over a tiny bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seamline.data.demo_clips import read_portrait
from seamline.detector import Detector
from seamline.media.audio import read_audio
from seamline.media.video import stream_frames
from seamline.media.write import write_video
from seamline.scoring.verdict import Verdict
from tiny_bundle import write_tiny_bundle

SECONDS = 4.0


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    folder = tmp_path_factory.mktemp("tiny")
    bundle = write_tiny_bundle(folder, branches=("picture", "voice", "sync"))
    return Detector(bundle, threads=1)


def pattern(seconds: np.ndarray) -> np.ndarray:
    """A random level of 0 or 1 every 0.12 s."""
    levels = np.random.default_rng(3).integers(0, 2, 100)
    return levels[np.floor(seconds / 0.12).astype(int) + 10]


def flicker(faces: int) -> Iterator[np.ndarray]:
    portrait = read_portrait().astype(np.float64)
    for level in pattern(np.arange(round(25 * SECONDS)) / 25):
        lit = (portrait * (0.7 + 0.3 * level)).astype(np.uint8)
        plain = (portrait * 0.85).astype(np.uint8)
        yield np.concatenate([plain] * (faces - 1) + [lit], axis=1)


def voice(late_seconds: float) -> np.ndarray:
    """A buzz whose syllables swell with the pattern, some time later."""
    time_axis = np.arange(int(SECONDS * 16000)) / 16000
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * time_axis)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    moving = 1500 + 1000 * np.sin(2 * np.pi * 2.3 * time_axis)
    buzz = sum(np.sin(k * phase) * np.exp(-(((k * 120 - moving) / 700) ** 2)) for k in range(1, 40))
    loud = np.exp(1.5 * (pattern(time_axis - late_seconds) - 1))
    return (0.2 * loud * buzz / np.abs(buzz).max()).astype(np.float32)


def scan(detector: Detector, path: Path, late_seconds: float, faces: int = 1) -> Verdict:
    options = {"threads": "1", "preset": "veryfast"}
    write_video(path, flicker(faces), 25, samples=voice(late_seconds), options=options)
    return detector.scan(path)


@pytest.mark.parametrize("late_seconds", [0.0, 0.12, -0.16])
def test_a_natural_lag_is_measured_and_is_no_mismatch(
    detector: Detector, tmp_path: Path, late_seconds: float
) -> None:
    sync = scan(detector, tmp_path / "a.mp4", late_seconds).sync
    assert sync.fake_probability is not None
    assert sync.fake_probability < 0.2
    # The pattern's edges, the camera's steps and the window of the spectrum blur half a step each.
    assert sync.offset_seconds == pytest.approx(late_seconds, abs=0.04)


def test_sound_half_a_second_late_is_a_mismatch_with_its_place(
    detector: Detector, tmp_path: Path
) -> None:
    verdict = scan(detector, tmp_path / "a.mp4", 0.48)
    assert (verdict.sync.fake_probability or 0) > 0.6
    assert any(segment.modality == "sync" for segment in verdict.segments)
    assert sum(chance is not None for chance in verdict.timeline.sync) >= 3


def test_the_one_of_two_faces_that_fits_is_named(detector: Detector, tmp_path: Path) -> None:
    scan(detector, tmp_path / "a.mp4", 0.0, faces=2)
    found = detector.examine(tmp_path / "a.mp4")
    left = {seen.track: float(seen.boxes[0, 0]) for seen in found.evidence.faces}
    assert len(left) == 2
    assert found.verdict.sync.track == max(left, key=lambda track: left[track])
    assert (found.verdict.sync.fake_probability or 1) < 0.2


CLIPS = Path(__file__).parents[2] / "shared" / "data" / "video" / "voxceleb_lrw"


@pytest.mark.real_clips
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the research clips are not beside the checkout")
def test_the_shipped_bundle_finds_real_speakers_in_sync_and_half_a_second_apart(
    tmp_path: Path,
) -> None:
    detector = Detector.load(threads=1)
    assert "sync" in detector.bundle.branches
    own, late = [], []
    for path in sorted(CLIPS.iterdir())[:5]:
        verdict = detector.scan(path)
        (sound,) = read_audio(path)
        frames = [frame.rgb for frame in stream_frames(path, step_seconds=0.04)]
        moved = tmp_path / path.name
        samples = np.roll(sound.samples, round(0.5 * 16000))
        write_video(moved, frames, 25, samples=samples, crf=16, options={"threads": "1"})
        found = verdict.sync, detector.scan(moved).sync
        if None not in [sync.fake_probability for sync in found]:
            own.append(found[0].fake_probability or 0.0)
            late.append(found[1].fake_probability or 0.0)
            assert abs(found[0].offset_seconds or 0.0) < 0.15
    assert len(own) >= 3
    assert np.mean(own) + 0.2 < np.mean(late)


def test_golden_outputs_repeat(detector: Detector) -> None:
    checks = {check.name: check.passed for check in detector.bundle.replay_golden()}
    assert checks["mouth vectors"]
    assert checks["sound vectors"]
