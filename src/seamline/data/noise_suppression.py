"""Cleans a voice as calls and editors do: mono samples in, the same speech after suppression out.

Suppressors weigh the bands of a short-time spectrum and hold those low that are noise: a few dozen
wide bands (Valin, "A hybrid DSP/deep learning approach to real-time full-band speech enhancement",
MMSP 2018) or single bins (Braun & Tashev, "Data augmentation and loss normalization for deep noise
suppression", SPECOM 2020). What is left is a person's speech, and yet gains that move by whole
bands look like a machine's making. Here speech and noise are known apart, so that gains need no
network; they err at random, as estimated ones do.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32
from numpy.random import Generator

from seamline.data.voice_augment import add_noise
from seamline.voice.logmel import hann_window

Samples = Float32[np.ndarray, " sample"]
Power = Float[np.ndarray, "frame bin"]

SNR_DB = (5.0, 35.0)
"""Least and most ratio of speech to the noise that is added and taken out again."""
BANDED_SHARE = 0.75
"""Of the suppressors; the others weigh single bins."""
BANDS = (14, 64)
WINDOW_SECONDS = (0.016, 0.02, 0.032, 0.04)
FLOOR_DB = (-60.0, -12.0)
"""What is left of a band that holds noise alone."""
MOST_OVERWEIGHT = 8.0
"""Of the noise, where a suppressor had rather lose speech than let noise pass."""
MOST_ERROR_DB = 4.0
MOST_RELEASE = 0.7
"""Of a gain that stays from one frame to the next where it falls."""
OWN_NOISE_QUANTILE = 0.1
_BARK_LIKE = 1.7


def suppress_noise(samples: Samples, rng: Generator, sample_rate_hz: int = 16000) -> Samples:
    """Add noise of a random colour, take it out together with the recording's own; same length."""
    if not samples.any():
        return samples.copy()
    noise = add_noise(samples, rng, float(rng.uniform(*SNR_DB))) - samples
    window = int(rng.choice(WINDOW_SECONDS) * sample_rate_hz) // 2 * 2
    speech, added = _spectrum(samples, window), _spectrum(noise, window)
    power = np.abs(speech) ** 2
    own_noise = np.quantile(power, OWN_NOISE_QUANTILE, axis=0)
    gains = _gains(power, np.abs(added) ** 2 + own_noise, rng)
    return _samples((speech + added) * gains, window)[: len(samples)].astype(np.float32)


def _gains(speech: Power, noise: Power, rng: Generator) -> Power:
    """Draw a suppressor and give its gain of every frame and bin, at most 1."""
    bins = speech.shape[1]
    centres = None
    if rng.random() < BANDED_SHARE:
        count = int(rng.integers(*BANDS))
        centres = np.linspace(0.0, 1.0, count) ** _BARK_LIKE * (bins - 1)
        weights = _triangles(centres, bins)
        speech, noise = speech @ weights, noise @ weights
    overweight = np.exp(rng.uniform(0.0, np.log(MOST_OVERWEIGHT)))
    gains = (speech / (speech + overweight * noise + 1e-12)) ** rng.uniform(0.5, 1.0)
    gains *= 10.0 ** (rng.normal(0.0, rng.uniform(0.0, MOST_ERROR_DB), gains.shape) / 20.0)
    floor = 10.0 ** (rng.uniform(*FLOOR_DB) / 20.0)
    gains = np.clip(gains, floor, 1.0)
    release = rng.uniform(0.0, MOST_RELEASE)
    for before, now in pairwise(gains):
        np.maximum(now, release * before, out=now)
    if centres is None:
        return gains
    place = np.arange(bins)
    return np.stack([np.interp(place, centres, frame) for frame in gains])


def _triangles(centres: Float[np.ndarray, " band"], bins: int) -> Float[np.ndarray, "bin band"]:
    """Weigh each bin in the bands beside it; a band's weights sum to 1."""
    width = np.maximum(1.0, np.gradient(centres))
    far = np.abs(np.arange(bins)[:, None] - centres) / width
    weights = np.maximum(0.0, 1.0 - far)
    total: Float[np.ndarray, "bin band"] = weights / (weights.sum(axis=0) + 1e-12)
    return total


def _spectrum(samples: np.ndarray, window: int) -> np.ndarray:
    hop = window // 2
    padded = np.pad(samples, (hop, window + -len(samples) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return np.fft.rfft(frames * np.sqrt(hann_window(window)), axis=1)


def _samples(spectrum: np.ndarray, window: int) -> np.ndarray:
    hop = window // 2
    frames = np.fft.irfft(spectrum, window, axis=1) * np.sqrt(hann_window(window))
    added = np.zeros((len(frames) + 1, hop))
    added[:-1] += frames[:, :hop]
    added[1:] += frames[:, hop:]
    return added.ravel()[hop:]
