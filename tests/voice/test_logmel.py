"""Log-mel spectrograms, against SciPy's transform and a filterbank built one number at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from seamline.voice.logmel import LogMelSettings, log_mel, mel_filters


def naive_filters(settings: LogMelSettings) -> np.ndarray:
    """Build the triangles bin by bin from the definitions of the scales."""

    def mel(hz: float) -> float:
        return hz if settings.scale == "linear" else 1127.01048 * math.log(1.0 + hz / 700.0)

    def back(mel: float) -> float:
        return mel if settings.scale == "linear" else 700 * (math.exp(mel / 1127.01048) - 1)

    low, high = mel(settings.low_hz), mel(settings.high_hz)
    width = (high - low) / (settings.mels + 1)
    bins = settings.fft_samples // 2 + 1
    filters = np.zeros((settings.mels, bins))
    for band in range(settings.mels):
        edges = [back(low + width * (band + k)) for k in range(3)]
        for index in range(bins):
            hz = index * settings.sample_rate_hz / settings.fft_samples
            if edges[0] < hz <= edges[1]:
                filters[band, index] = (hz - edges[0]) / (edges[1] - edges[0])
            elif edges[1] < hz < edges[2]:
                filters[band, index] = (edges[2] - hz) / (edges[2] - edges[1])
    return filters


def independent_log_mel(samples: np.ndarray, settings: LogMelSettings) -> np.ndarray:
    half, frames = settings.window_samples // 2, len(samples) // settings.hop_samples + 1
    padded = np.pad(samples, (half, settings.window_samples))
    _, _, spectrum = scipy.signal.stft(
        padded,
        window=scipy.signal.get_window("hann", settings.window_samples),
        nperseg=settings.window_samples,
        noverlap=settings.window_samples - settings.hop_samples,
        nfft=settings.fft_samples,
        boundary=None,
        padded=False,
    )
    # scipy divides by the window's sum
    power = np.abs(spectrum[:, :frames] * (settings.window_samples / 2)) ** 2
    return np.log(np.maximum(naive_filters(settings) @ power, settings.floor))


@pytest.mark.parametrize(
    "settings",
    [
        LogMelSettings(),
        LogMelSettings(scale="htk"),
        LogMelSettings(mels=40, low_hz=100.0, high_hz=6000.0, scale="htk"),
        LogMelSettings(fft_samples=1024, mels=96, scale="htk"),
        LogMelSettings(8000, 200, 100, 256, 24, 0.0, 4000.0, 1e-6),
    ],
)
def test_log_mel_equals_scipys_transform_through_a_naive_filterbank(
    settings: LogMelSettings,
) -> None:
    rng = np.random.default_rng(0)
    seconds = np.arange(9000) / settings.sample_rate_hz
    samples = 0.2 * np.sin(2 * np.pi * 700 * seconds) + 0.01 * rng.normal(size=9000)
    found = log_mel(samples.astype(np.float32), settings)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, independent_log_mel(samples, settings), atol=2e-3)


def test_long_sound_is_transformed_in_blocks_without_seams() -> None:
    settings = LogMelSettings(mels=20)
    samples = np.random.default_rng(1).normal(size=160 * 4500).astype(np.float32)
    whole = log_mel(samples, settings)
    middle = log_mel(samples[160 * 2000 : 160 * 2100], settings)
    np.testing.assert_allclose(whole[:, 2003:2097], middle[:, 3:97], atol=1e-3)


def test_tone_is_loudest_in_the_band_around_its_frequency() -> None:
    settings = LogMelSettings()
    tone = np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000).astype(np.float32)
    band = int(log_mel(tone, settings)[:, 50].argmax())
    centre_bin = int(mel_filters(settings)[band].argmax())
    assert abs(centre_bin * 16000 / 512 - 2000) < 80


def test_silence_reads_as_the_floor_and_nothing_makes_no_columns() -> None:
    settings = LogMelSettings(floor=1e-5)
    silent = log_mel(np.zeros(1600, np.float32), settings)
    np.testing.assert_allclose(silent, math.log(1e-5), rtol=1e-6)
    assert log_mel(np.zeros(0, np.float32), settings).shape == (80, 0)


@given(length=st.integers(1, 4000))
@hypothesis_settings(max_examples=30, deadline=None)
def test_columns_are_counted_as_promised(length: int) -> None:
    settings = LogMelSettings(mels=8)
    mel = log_mel(np.full(length, 0.1, np.float32), settings)
    assert mel.shape == (8, settings.frames(length)) == (8, length // 160 + 1)
    assert np.isfinite(mel).all()


def test_bands_too_narrow_for_the_transform_are_refused() -> None:
    with pytest.raises(ValueError, match=r"mel bands hold no bin.*Try fewer mels"):
        log_mel(np.zeros(1600, np.float32), LogMelSettings(mels=200, scale="htk"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_samples": 600}, "hop_samples <= window_samples <= fft_samples"),
        ({"high_hz": 9000.0}, "sample_rate_hz / 2, not"),
        ({"floor": 0.0}, "floor > 0"),
        ({"scale": "bark"}, "Unknown scale 'bark'. Known: linear, htk"),
    ],
)
def test_contradicting_settings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogMelSettings(**change)  # type: ignore[arg-type]


def test_stereo_is_refused_with_its_shape() -> None:
    with pytest.raises(ValueError, match=r"mono samples of one axis, found shape \(2, 100\)"):
        log_mel(np.zeros((2, 100), np.float32), LogMelSettings())
