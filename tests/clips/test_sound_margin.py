"""Sound around a window: cut, kept apart, and heard by a voice branch that asks for it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from seamline.clips.contract import CropContract
from seamline.clips.extract import extract
from seamline.detector import Detector
from seamline.media.audio import Sound
from tiny_bundle import HIGH_HZ, LOW_HZ, write_tiny_bundle

RATE = 16000
SECONDS = 7.3


def tones() -> np.ndarray:
    """A low and a high tone that take turns off the steps' grid, with a swell of syllables."""
    time_axis = np.arange(int(SECONDS * RATE)) / RATE
    low = (time_axis / 0.37).astype(int) % 3 != 0
    hertz = np.where(low, LOW_HZ, HIGH_HZ)
    loud = 0.15 + 0.15 * np.sin(2 * np.pi * 4 * time_axis)
    noise = 0.003 * np.random.default_rng(0).normal(size=len(time_axis))
    return loud * np.sin(2 * np.pi * np.cumsum(hertz) / RATE) + noise


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "tones.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((tones() * 32767).astype("<i2").tobytes())
    return path


def test_what_lies_around_a_window_continues_it(recording: Path) -> None:
    plain = list(extract(recording, CropContract()))
    wide = list(extract(recording, CropContract(), sound_margin_seconds=0.5))
    assert len(plain) == len(wide) == 4
    whole = np.concatenate([clip.samples for clip in plain if clip.samples is not None])
    assert len(whole) == int(SECONDS * RATE)
    at = 0
    for with_margin, without in zip(wide, plain, strict=True):
        assert with_margin.samples is not None
        assert without.samples is not None
        np.testing.assert_array_equal(with_margin.samples, without.samples)
        assert without.before is without.after is None
        stop = at + len(without.samples)
        for found, expected in (
            (with_margin.before, whole[max(0, at - RATE // 2) : at]),
            (with_margin.after, whole[stop : stop + RATE // 2]),
        ):
            if len(expected):
                np.testing.assert_array_equal(found, expected)
            else:
                assert found is None
        at = stop


def test_a_network_that_looks_at_one_step_hears_the_same_with_the_sound_around(
    recording: Path, tmp_path: Path
) -> None:
    """Were steps shifted or too many, the turns of the tones would lie elsewhere."""
    plain = Detector(write_tiny_bundle(tmp_path / "plain"), threads=1)
    wide = Detector(write_tiny_bundle(tmp_path / "wide", context_seconds=0.9), threads=1)
    assert wide.bundle.branches["voice"].context_seconds == 0.9  # also after a round through JSON
    expected, found = plain.scan(recording).timeline.audio, wide.scan(recording).timeline.audio
    assert len(set(expected)) > 2, "the tones must take turns"
    assert found == expected


def test_live_sound_is_preceded_by_its_past_unless_a_gap_lies_between() -> None:
    sound = tones().astype(np.float32)
    first = Sound(0.0, sound[: 2 * RATE], RATE)
    second = Sound(2.0, sound[2 * RATE : 4 * RATE], RATE)
    joined = second.preceded_by(first, 0.9)
    assert joined.start_seconds == pytest.approx(1.1)
    np.testing.assert_array_equal(joined.samples, sound[round(1.1 * RATE) : 4 * RATE])
    assert len(second.preceded_by(first, 5.0).samples) == 4 * RATE  # no more than there is
    assert second.preceded_by(first, 0.0) is second
    later = Sound(6.0, sound[6 * RATE :], RATE)
    assert later.preceded_by(second, 0.9) is later
