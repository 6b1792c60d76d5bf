"""Speech activity on sounds made here, whose speech is known, and on real speech where present."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import numpy as np
import pytest

from seamline.voice.activity import speech_activity

RATE_HZ = 16000
CLIPS = Path(__file__).parents[3] / "shared" / "data"


def seconds(duration: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.arange(int(duration * rate_hz)) / rate_hz


def babble(duration: float, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """Make vowel-like syllables: a buzz through two moving resonances, four syllables a second."""
    rng = np.random.default_rng(seed)
    time = seconds(duration, rate_hz)
    pieces = []
    for first in range(0, len(time), rate_hz // 4):
        part = time[first : first + rate_hz // 4]
        formants = rng.uniform((300, 900), (800, 2400))
        harmonics = np.arange(1, 30)[:, None] * rng.uniform(100, 180)
        strength = sum(np.exp(-(((harmonics - f) / 150.0) ** 2)) for f in formants)
        buzz = (strength * np.sin(2 * np.pi * harmonics * part)).sum(axis=0)
        pieces.append(buzz * np.sin(np.pi * np.arange(len(part)) / len(part)))
    sound = np.concatenate(pieces)
    return (0.1 * sound / sound.std()).astype(np.float32)


def not_speech() -> dict[str, np.ndarray]:
    rng, time = np.random.default_rng(3), seconds(6.0)
    hum = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in range(1, 20))
    white = rng.normal(size=len(time))
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(len(time) // 2 + 1) + 20.0))
    return {
        "digital silence": np.zeros(len(time)),
        "dither": 1e-4 * white,
        "white noise": 0.1 * white,
        "loud white noise": 0.5 * white,
        "pink noise": 0.1 * pink / pink.std(),
        "noise that swells": 0.1 * white * (time / 6.0) ** 2,
        "bursts of noise": 0.1 * white * (time % 0.5 < 0.25),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "tone in noise": 0.3 * np.sin(2 * np.pi * 1000 * time) + 0.01 * white,
        "mains hum": 0.1 * hum,
        "mains hum in noise": 0.1 * hum + 0.003 * white,
        "clicks": 0.9 * (np.arange(len(time)) % 8000 == 0),
    }


@pytest.mark.parametrize("name", list(not_speech()))
def test_no_speech_is_found_in(name: str) -> None:
    assert speech_activity(not_speech()[name].astype(np.float32), RATE_HZ) == []


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_syllables_between_silences_are_found_where_they_are(rate_hz: int) -> None:
    quiet = np.zeros(2 * rate_hz, np.float32)
    spans = speech_activity(np.concatenate([quiet, babble(3.0, rate_hz), quiet]), rate_hz)
    assert len(spans) == 1
    assert spans[0] == pytest.approx((2.0, 5.0), abs=0.35)


@pytest.mark.parametrize("snr_db", [30, 20, 10])
def test_noise_floor_adapts_so_that_syllables_are_found_in_noise(snr_db: int) -> None:
    rng = np.random.default_rng(5)
    sound = np.concatenate([np.zeros(2 * RATE_HZ), babble(3.0), np.zeros(2 * RATE_HZ)])
    noisy = sound + rng.normal(size=len(sound)) * 0.1 * 10 ** (-snr_db / 20)
    spans = speech_activity(noisy.astype(np.float32), RATE_HZ)
    assert sum(stop - start for start, stop in spans) == pytest.approx(3.0, abs=0.8)


@pytest.mark.parametrize("gain", [0.01, 0.1, 3.0])
def test_loudness_does_not_decide(gain: float) -> None:
    assert speech_activity(babble(3.0) * np.float32(gain), RATE_HZ)


def test_hangover_bridges_the_gaps_between_words() -> None:
    gap = np.zeros(int(0.25 * RATE_HZ), np.float32)
    assert len(speech_activity(np.concatenate([babble(1.0), gap, babble(1.0)]), RATE_HZ)) == 1


def test_pauses_longer_than_the_hangover_part_two_spans() -> None:
    gap = np.zeros(RATE_HZ, np.float32)
    spans = speech_activity(np.concatenate([babble(1.0), gap, babble(1.0)]), RATE_HZ)
    assert len(spans) == 2
    assert spans[0][1] < spans[1][0]


def test_spans_stay_within_the_recording() -> None:
    (start, stop) = speech_activity(babble(1.5), RATE_HZ)[0]
    assert start == 0.0
    assert stop <= 1.5


def test_sound_shorter_than_a_window_holds_no_speech() -> None:
    assert speech_activity(np.ones(100, np.float32), RATE_HZ) == []


def test_low_sample_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8000 Hz, not 4000"):
        speech_activity(np.zeros(4000, np.float32), 4000)


@pytest.mark.real_clips
def test_speech_is_found_in_nearly_all_real_speech() -> None:
    if not (CLIPS / "manifest.csv").exists():
        pytest.skip("the research clips are not beside this checkout (../shared/data)")
    with (CLIPS / "manifest.csv").open(newline="") as table:
        rows = [row["path"] for row in csv.DictReader(table) if row["kind"] == "audio"][::8]
    found = 0
    for path in rows:
        with av.open(str(CLIPS / path)) as source:
            pieces = [frame.to_ndarray().ravel() for frame in source.decode(audio=0)]
        samples = np.concatenate(pieces).astype(np.float32) / 32768.0
        found += bool(speech_activity(samples, RATE_HZ))
    assert found >= 0.98 * len(rows)
