"""Where someone speaks: mono samples in, half-open spans of seconds out.

A frame counts as speech when it stands out of a noise floor that follows the recording, its
spectrum has peaks (noise is flat), and that spectrum moves within a second (a tone or a hum
keeps its shape). It is a cheap gate before the model, not a recogniser: singing, plucked notes
and hard-edged beeps can pass it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from seamline.voice.logmel import LogMelSettings, log_mel, mel_filters

HOP_SECONDS = 0.016
WINDOW_SECONDS = 0.032
BANDS = 24
BAND_LIMITS_HZ = (100.0, 5000.0)
FLOOR_REACH_SECONDS = 1.5
"""The noise floor at a moment is the quietest frame this near to it, on either side."""
ABOVE_FLOOR_DB = 6.0
"""Frames quieter than this over the floor are noise: white noise itself strays about 2 dB."""
LEAST_LEVEL_DB = -65.0
"""Relative to full scale; dither and the hiss of a muted microphone lie below."""
BELOW_PEAK_DB = 35.0
"""Frames this far under the loudest within reach are echo or breath."""
LEAST_PEAKEDNESS_DB = 3.5
"""Arithmetic over geometric mean of the bands: white noise has under 1.5, vowels 6 and more."""
MOVEMENT_REACH_SECONDS = 0.6
LEAST_MOVEMENT_DB = 2.5
"""Mean over bands of the spectrum's standard deviation within reach; speech has 4 and more."""
HANGOVER_SECONDS = 0.2
"""Speech is taken to last this much longer either way: consonants are quiet and flat."""
LEAST_SPAN_SECONDS = 0.1
"""Spans shorter than this before the hangover are clicks."""


def speech_activity(
    samples: Float[np.ndarray, " sample"], sample_rate_hz: int
) -> list[tuple[float, float]]:
    """Find the spans in which someone speaks, in order, not touching, within the recording."""
    if sample_rate_hz < 8000:
        raise ValueError(
            f"speech_activity needs at least 8000 Hz, not {sample_rate_hz}. Resample first."
        )
    if len(samples) < round(WINDOW_SECONDS * sample_rate_hz):
        return []
    settings = _settings(sample_rate_hz)
    bands_db = _band_levels_db(samples, settings)
    hop_seconds = settings.hop_samples / sample_rate_hz
    spoken = _spoken_frames(bands_db, hop_seconds)
    return _spans(spoken, hop_seconds, len(samples) / sample_rate_hz)


def _settings(sample_rate_hz: int) -> LogMelSettings:
    window = round(WINDOW_SECONDS * sample_rate_hz)
    return LogMelSettings(
        sample_rate_hz=sample_rate_hz,
        window_samples=window,
        hop_samples=round(HOP_SECONDS * sample_rate_hz),
        fft_samples=1 << (window - 1).bit_length(),
        mels=BANDS,
        low_hz=BAND_LIMITS_HZ[0],
        high_hz=min(BAND_LIMITS_HZ[1], sample_rate_hz / 2),
        floor=1e-9,
        scale="htk",
    )


def _band_levels_db(
    samples: Float[np.ndarray, " sample"], settings: LogMelSettings
) -> Float[np.ndarray, "band frame"]:
    """Measure mean power per transform bin in each band, in dB of a full-scale sine's peak."""
    decibels = log_mel(samples, settings) * np.float32(10.0 / np.log(10.0))
    full_scale = (settings.window_samples / 4.0) ** 2  # Hann's sum is half its length
    area = mel_filters(settings).sum(axis=1)
    return decibels - 10.0 * np.log10(area * full_scale)[:, None].astype(np.float32)


def _spoken_frames(
    bands_db: Float[np.ndarray, "band frame"], hop_seconds: float
) -> Bool[np.ndarray, " frame"]:
    power = 10.0 ** (bands_db / 10.0)
    level_db = 10.0 * np.log10(_around(power.sum(axis=0), 1) + 1e-12)
    reach = round(FLOOR_REACH_SECONDS / hop_seconds)
    peak_db = _extreme(level_db, reach, np.maximum)
    loud = level_db > _extreme(level_db, reach, np.minimum) + ABOVE_FLOOR_DB
    loud &= level_db > peak_db - BELOW_PEAK_DB
    loud &= level_db > LEAST_LEVEL_DB
    peakedness_db = 10.0 * np.log10(power.mean(axis=0) + 1e-12) - bands_db.mean(axis=0)
    peaked = _around(peakedness_db, 1) > LEAST_PEAKEDNESS_DB
    moving = _movement_db(bands_db, loud, hop_seconds) > LEAST_MOVEMENT_DB
    return loud & peaked & moving


def _movement_db(
    bands_db: Float[np.ndarray, "band frame"],
    loud: Bool[np.ndarray, " frame"],
    hop_seconds: float,
) -> Float[np.ndarray, " frame"]:
    """Measure how much the spectrum's shape changes over the loud frames near each frame."""
    shape_db = np.maximum(bands_db - bands_db.max(axis=0), -30.0).astype(np.float64)
    reach = round(MOVEMENT_REACH_SECONDS / hop_seconds)
    weight = loud.astype(np.float64)
    count = np.maximum(_around(weight, reach), 1e-9)
    mean = _around(shape_db * weight, reach) / count
    square = _around(shape_db**2 * weight, reach) / count
    return np.sqrt(np.maximum(square - mean**2, 0.0)).mean(axis=0)


def _around(values: Float[np.ndarray, "*any frame"], reach: int) -> Float[np.ndarray, "*any frame"]:
    """Average over the frames within reach; past the ends nothing is counted."""
    count = values.shape[-1]
    total = np.concatenate(
        [np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1, dtype=np.float64)], axis=-1
    )
    first = np.maximum(np.arange(count) - reach, 0)
    last = np.minimum(np.arange(count) + reach + 1, count)
    return (total[..., last] - total[..., first]) / (last - first)


def _extreme(values: Float[np.ndarray, " frame"], reach: int, which: np.ufunc) -> np.ndarray:
    """Take the least or greatest value within reach of each frame."""
    padded = np.pad(values, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(which.reduce(windows, axis=1))


def _spans(
    spoken: Bool[np.ndarray, " frame"], hop_seconds: float, duration_seconds: float
) -> list[tuple[float, float]]:
    """Turn flags into spans: clicks dropped, the rest widened by the hangover and joined."""
    edges = np.flatnonzero(np.diff(np.pad(spoken.astype(np.int8), 1)))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    spans: list[tuple[float, float]] = []
    for first, last in runs:
        if (last - first) * hop_seconds < LEAST_SPAN_SECONDS:
            continue
        start = max(0.0, (first - 0.5) * hop_seconds - HANGOVER_SECONDS)
        stop = min(duration_seconds, (last - 0.5) * hop_seconds + HANGOVER_SECONDS)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    return spans
