"""Hides the channel of speech in its log-mel: the spectrogram in, another channel's out.

What filters, loudness, noise and rooms do to the powers of bands is done to them directly, a
hundred times quicker than to samples and without moving the sound in time.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy.random import Generator

LogMel = Float32[np.ndarray, "mel column"]


def hide_mel_channel(log_mel: LogMel, rng: Generator) -> LogMel:
    """Send a log-mel (natural logs of power) through a random channel."""
    mel: np.ndarray = log_mel.astype(np.float32)
    bands, columns = mel.shape
    if rng.random() < 0.4:
        mel = _in_room(mel, rng)
    if rng.random() < 0.6:
        points = rng.normal(0.0, 1.6, 6)
        mel = mel + np.interp(np.linspace(0, 5, bands), np.arange(6), points)[:, None]
    if rng.random() < 0.4:
        mel[int(bands * rng.uniform(0.42, 0.98)) :] = -18.0  # a band limit from 3.4 kHz up
    if rng.random() < 0.6:
        loud = float(np.log(np.mean(np.exp(mel))))
        colour = np.linspace(0.0, rng.uniform(-5.0, 1.0), bands)[:, None]
        # Powers of noise in a band of some bins: a few squares of normal numbers, averaged.
        grain = np.log(rng.gamma(3.0, 1 / 3.0, (bands, columns)) + 1e-3)
        mel = np.logaddexp(mel, loud - rng.uniform(1.5, 10.0) + colour + grain)
    return np.asarray(mel + rng.uniform(-3.0, 3.0), np.float32)


def _in_room(mel: LogMel, rng: Generator) -> LogMel:
    """Add to each band's power what is left of its past: 60 dB less after 0.1 to 0.6 s."""
    decay = 10.0 ** (-6.0 / (100.0 * rng.uniform(0.1, 0.6)))
    share = 10.0 ** (-rng.uniform(0.2, 1.2)) * (1.0 - decay)
    power, past = np.exp(mel), np.zeros(len(mel), np.float32)
    wet = np.empty_like(power)
    for column in range(power.shape[1]):
        wet[:, column] = power[:, column] + past
        past = past * decay + share * power[:, column]
    return np.log(wet)
