"""Suppressed speech: noise goes, speech and length stay, chance comes by argument alone."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.data import noise_suppression
from seamline.data.noise_suppression import suppress_noise
from seamline.data.voice_augment import add_noise

RATE_HZ = 16000


def talk(seconds: float = 2.0) -> np.ndarray:
    """A voice-like buzz that is on for a quarter second and off for as long."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 40))
    return (0.1 * buzz * (time % 0.5 < 0.25)).astype(np.float32)


def pauses(samples: np.ndarray) -> np.ndarray:
    time = np.arange(len(samples)) / RATE_HZ
    return samples[(time % 0.5 > 0.32) & (time % 0.5 < 0.48)]


@pytest.mark.parametrize("seed", range(6))
def test_noise_goes_and_speech_stays(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(noise_suppression, "SNR_DB", (10.0, 10.0))
    monkeypatch.setattr(noise_suppression, "FLOOR_DB", (-60.0, -40.0))
    monkeypatch.setattr(noise_suppression, "MOST_RELEASE", 0.3)
    clean = talk()
    cleaned = suppress_noise(clean, np.random.default_rng(seed))
    noisy = add_noise(clean, np.random.default_rng(seed), 10.0)
    assert cleaned.shape == clean.shape
    assert cleaned.dtype == np.float32
    assert np.std(pauses(cleaned)) < 0.1 * np.std(pauses(noisy))
    assert np.corrcoef(cleaned, clean)[0, 1] > 0.9


def test_gains_of_one_keep_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise_suppression, "SNR_DB", (200.0, 200.0))
    monkeypatch.setattr(noise_suppression, "OWN_NOISE_QUANTILE", 0.0)
    monkeypatch.setattr(noise_suppression, "MOST_ERROR_DB", 0.0)
    clean = (0.1 * np.random.default_rng(0).normal(size=RATE_HZ + 7)).astype(np.float32)
    monkeypatch.setattr(noise_suppression, "FLOOR_DB", (0.0, 0.0))
    cleaned = suppress_noise(clean, np.random.default_rng(0))
    np.testing.assert_allclose(cleaned, clean, atol=1e-6)


def test_banded_gains_are_alike_within_a_band(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = np.abs(np.random.default_rng(0).normal(size=(30, 161))) ** 2
    noise = np.full_like(speech, 0.5)
    rough = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(noise_suppression, "BANDED_SHARE", share)
        gains = noise_suppression._gains(speech, noise, np.random.default_rng(1))
        assert gains.shape == speech.shape
        assert gains.max() <= 1.0
        rough[share] = np.abs(np.diff(gains, axis=1)).mean()
    assert rough[1.0] < 0.5 * rough[0.0]


def test_same_seed_same_sound() -> None:
    once, again, other = (suppress_noise(talk(0.5), np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("length", [1, 100, 333])
def test_short_and_silent_sounds(length: int) -> None:
    for samples in (np.zeros(length, np.float32), np.full(length, 0.1, np.float32)):
        cleaned = suppress_noise(samples, np.random.default_rng(0))
        assert cleaned.shape == samples.shape
        assert np.isfinite(cleaned).all()
