"""Log-mel spectrograms in NumPy: mono samples in, natural logs of band powers out.

Frames are centred on whole hops (the ends padded with zeros), so that column ``t`` of the result
is the sound around ``t * hop_samples``. The bands are triangles of peak 1, not normalised by
their area, evenly spaced either on HTK's mel scale, mel(f) = 2595 log10(1 + f / 700)
(O'Shaughnessy 1987), or in Hz. Vocoders leave more traces above 4 kHz than mel bands resolve, so
evenly spaced bands tell synthetic speech better (Sahidullah et al., Interspeech 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32

FRAMES_PER_BLOCK = 1024
"""Frames transformed at once: bounds the memory of an hour of sound to a few megabytes."""


@dataclass(frozen=True)
class LogMelSettings:
    """How a log-mel spectrogram is cut; a bundle carries these as part of its contract."""

    sample_rate_hz: int = 16000
    """Rate that the samples must have."""
    window_samples: int = 400
    """Length of the periodic Hann window."""
    hop_samples: int = 160
    """Step from one frame to the next."""
    fft_samples: int = 512
    """Length that each windowed frame is padded to with zeros."""
    mels: int = 80
    """Bands."""
    low_hz: float = 20.0
    """Lower edge of the first band."""
    high_hz: float = 8000.0
    """Upper edge of the last band."""
    floor: float = 1e-8
    """Least band power; anything quieter reads as its log. Full-scale sine: about 1e4."""
    scale: Literal["linear", "htk"] = "linear"
    """Where the bands lie: evenly in Hz, or evenly on HTK's mel scale."""

    def __post_init__(self) -> None:
        if not 0 < self.hop_samples <= self.window_samples <= self.fft_samples:
            raise ValueError(
                "A log-mel needs 0 < hop_samples <= window_samples <= fft_samples, not "
                f"{self.hop_samples}, {self.window_samples}, {self.fft_samples}."
            )
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                "A log-mel needs 0 <= low_hz < high_hz <= sample_rate_hz / 2, not "
                f"{self.low_hz}, {self.high_hz}, {self.sample_rate_hz / 2}."
            )
        if self.scale not in ("linear", "htk"):
            raise ValueError(f"Unknown scale {self.scale!r}. Known: linear, htk.")
        if self.mels < 1 or self.floor <= 0:
            raise ValueError(
                f"A log-mel needs mels >= 1 and floor > 0, not {self.mels}, {self.floor}."
            )

    def frames(self, samples: int) -> int:
        """Count the columns that so many samples make."""
        return samples // self.hop_samples + 1 if samples else 0


def hz_to_mel(hz: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Map frequencies to HTK's mel scale."""
    return 2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0)


def mel_to_hz(mel: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Map HTK mels back to frequencies."""
    return 700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0)


@lru_cache(maxsize=8)
def mel_filters(settings: LogMelSettings) -> Float32[np.ndarray, "mel bin"]:
    """Build the triangles: each rises from its left neighbour's centre and falls to the right's.

    A band narrower than one bin of the transform would be empty; it is refused.
    """
    if settings.scale == "linear":
        edges_hz = np.linspace(settings.low_hz, settings.high_hz, settings.mels + 2)
    else:
        low, high = hz_to_mel(np.array([settings.low_hz, settings.high_hz]))
        edges_hz = mel_to_hz(np.linspace(low, high, settings.mels + 2))
    bins_hz = np.fft.rfftfreq(settings.fft_samples, 1.0 / settings.sample_rate_hz)
    left, centre, right = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (bins_hz - left) / (centre - left)
    falling = (right - bins_hz) / (right - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    empty = int(np.sum(filters.sum(axis=1) == 0))
    if empty:
        raise ValueError(
            f"{empty} of {settings.mels} mel bands hold no bin of a {settings.fft_samples}-sample "
            "transform. Try fewer mels or a longer fft_samples."
        )
    filters.setflags(write=False)
    return filters


@lru_cache(maxsize=8)
def _band_bins(settings: LogMelSettings) -> list[slice]:
    """Tell for each band the bins under its triangle, which are neighbours."""
    found = (np.flatnonzero(triangle) for triangle in mel_filters(settings))
    return [slice(int(bins[0]), int(bins[-1]) + 1) for bins in found]


@lru_cache(maxsize=8)
def hann_window(length_samples: int) -> Float32[np.ndarray, " sample"]:
    """Return the periodic Hann window, whose shifted copies add up evenly."""
    phase = 2.0 * np.pi * np.arange(length_samples) / length_samples
    window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    window.setflags(write=False)
    return window


def log_mel(
    samples: Float[np.ndarray, " sample"], settings: LogMelSettings
) -> Float32[np.ndarray, "mel time"]:
    """Return ln(max(band power, floor)), one column a hop; no samples make no columns."""
    if samples.ndim != 1:
        raise ValueError(f"log_mel takes mono samples of one axis, found shape {samples.shape}.")
    filters = mel_filters(settings)
    count = settings.frames(len(samples))
    mel = np.empty((settings.mels, count), dtype=np.float32)
    if count == 0:
        return mel
    half = settings.window_samples // 2
    padded = np.pad(samples.astype(np.float32, copy=False), (half, settings.window_samples))
    windows = np.lib.stride_tricks.sliding_window_view(padded, settings.window_samples)
    frames = windows[:: settings.hop_samples][:count]
    window = hann_window(settings.window_samples)
    for start in range(0, count, FRAMES_PER_BLOCK):
        block = slice(start, start + FRAMES_PER_BLOCK)
        spectrum = np.fft.rfft(frames[block] * window, settings.fft_samples, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        power = power.astype(np.float32, copy=False)
        # Band by band: one product of the whole would be mostly zeros, and large enough for the
        # linear algebra to wake threads, which cost more than they do on a machine that is busy.
        for band, bins in enumerate(_band_bins(settings)):
            np.matmul(power[:, bins], filters[band, bins], out=mel[band, block])
    np.maximum(mel, np.float32(settings.floor), out=mel)
    return np.log(mel, out=mel)
