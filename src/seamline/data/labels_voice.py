"""How far a voice is from its original: two recordings in, their lag and their distances out.

Lossy coding keeps the waveform nearly in place; synthesis makes a new one. So the recordings are
laid over each other and correlated window by window, within a few milliseconds of play: what was
only re-encoded stays alike in every window in which something is heard, at a few bits a sample,
another loudness, or another sampling rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from seamline.voice.logmel import LogMelSettings, log_mel

Samples = Float32[np.ndarray, " sample"]

MOST_LAG_SECONDS = 1.0
LAG_FROM_SECONDS = 60.0
REFINE_SECONDS = 0.03  # around the lag of the log-mel envelopes, whose step is 10 ms
PLAY_SECONDS = 0.006  # a window may lie this much off the common lag
BAND_HZ = (100.0, 4000.0)  # what every speech codec keeps
WINDOW_SECONDS, HOP_SECONDS = 0.4, 0.1
LEAST_OVERLAP_SECONDS = 0.5
LOUD_DB = 30.0  # below the loudest window; quieter ones are mostly the codecs' own noise
SILENT_RMS = 1e-4
STEADY_WINDOWS = 3  # the worst stretch is judged by the median of three successive windows
MEL = LogMelSettings(mels=40, high_hz=4000.0, low_hz=100.0)
DB_PER_LN = 10 / np.log(10)


@dataclass(frozen=True)
class VoiceDistance:
    """What was measured between a recording and its original."""

    lag_seconds: float
    """How much later the recording is than its original."""
    correlation: float
    """Median over the windows in which something is heard; 1 is the same waveform."""
    worst_correlation: float
    """Of the most unlike stretch of half a second."""
    log_mel_db: float
    """Mean difference of the log-mel spectra over loud windows, level apart."""
    worst_log_mel_db: float
    """Of the most unlike stretch of half a second."""
    window_seconds: Float[np.ndarray, " window"]
    """Starts of the windows heard, in the recording."""
    window_correlations: Float[np.ndarray, " window"]
    """Of each."""

    def unlike_spans(self, least_correlation: float) -> list[tuple[float, float]]:
        """Return the stretches whose windows correlate less, joined; half a window is blur."""
        spans: list[tuple[float, float]] = []
        pairs = zip(self.window_seconds, self.window_correlations, strict=True)
        for start, correlation in pairs:
            if correlation >= least_correlation:
                continue
            centre = float(start) + WINDOW_SECONDS / 2
            reach = (centre - HOP_SECONDS / 2, centre + HOP_SECONDS / 2)
            if spans and reach[0] <= spans[-1][1] + HOP_SECONDS:
                spans[-1] = (spans[-1][0], reach[1])
            else:
                spans.append(reach)
        return spans


def compare_voices(
    recording: Samples, original: Samples, sample_rate_hz: int = 16000
) -> VoiceDistance | None:
    """Measure a recording against its original; None if too little of both is heard together."""
    lag = find_lag(recording, original, sample_rate_hz)
    first = max(0, lag)
    ours, theirs = recording[first:], original[max(0, -lag) :]
    length = min(len(ours), len(theirs))
    if length < LEAST_OVERLAP_SECONDS * sample_rate_hz:
        return None
    ours, theirs = ours[:length], theirs[:length]
    window = round(WINDOW_SECONDS * sample_rate_hz)
    starts = np.arange(0, length - window + 1, round(HOP_SECONDS * sample_rate_hz))
    banded = band_pass(ours, sample_rate_hz), band_pass(theirs, sample_rate_hz)
    heard = _heard(banded[1], starts, window) | _heard(banded[0], starts, window)
    if not heard.any():
        return None
    play = round(PLAY_SECONDS * sample_rate_hz)
    starts = starts[heard]
    correlations = np.array([best_correlation(*banded, s, window, play) for s in starts])
    mel_db = _mel_distances_db(ours, theirs, starts, window, sample_rate_hz)
    return VoiceDistance(
        lag_seconds=lag / sample_rate_hz,
        correlation=float(np.median(correlations)),
        worst_correlation=float(_steady(correlations).min()),
        log_mel_db=float(np.mean(mel_db)),
        worst_log_mel_db=float(_steady(mel_db).max()),
        window_seconds=(starts + first) / sample_rate_hz,
        window_correlations=correlations,
    )


def find_lag(recording: Samples, original: Samples, sample_rate_hz: int) -> int:
    """Return by how many samples the recording is later than its original, within a second.

    The log-mel spectra, which synthesis keeps, give the lag to 10 ms; the waveforms refine it.
    """
    settings = _mel_settings(sample_rate_hz)
    recording, original = _loudest_minute(recording, original, sample_rate_hz)
    mels = [log_mel(part, settings) for part in (recording, original)]
    floor = max(float(mel.max()) for mel in mels) - 60 / DB_PER_LN
    mels = [np.maximum(mel, floor) for mel in mels]
    mels = [mel - mel.mean(axis=1, keepdims=True) for mel in mels]
    reach = round(MOST_LAG_SECONDS * sample_rate_hz / settings.hop_samples)
    coarse = _peak(*mels, centre=0, reach=reach) * settings.hop_samples
    reach = round(REFINE_SECONDS * sample_rate_hz)
    return _peak(recording[None], original[None], centre=coarse, reach=reach)


def best_correlation(ours: Samples, theirs: Samples, start: int, window: int, play: int) -> float:
    """Return the best correlation of our window with theirs, shifted by up to ``play`` samples."""
    low, high = max(0, start - play), min(len(theirs), start + window + play)
    piece, field = ours[start : start + window].astype(np.float64), theirs[low:high]
    size = 1 << (len(field) + window - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(field, size) * np.conj(np.fft.rfft(piece, size)), size)
    products = products[: len(field) - window + 1]
    sums = np.concatenate([[0.0], np.cumsum(np.square(field, dtype=np.float64))])
    energies = sums[window:] - sums[:-window]
    scale = np.sqrt(np.maximum(energies, 1e-12) * max(float(np.dot(piece, piece)), 1e-12))
    return float((products / scale).max())


def band_pass(samples: Samples, sample_rate_hz: int) -> Samples:
    """Keep the frequencies of speech that every codec keeps."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / sample_rate_hz)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _heard(samples: Samples, starts: np.ndarray, window: int) -> Bool[np.ndarray, " window"]:
    sums = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    rms = np.sqrt((sums[starts + window] - sums[starts]) / window)
    return np.asarray(rms > max(SILENT_RMS, float(rms.max()) * 10 ** (-LOUD_DB / 20)))


def _mel_distances_db(
    ours: Samples, theirs: Samples, starts: np.ndarray, window: int, sample_rate_hz: int
) -> Float[np.ndarray, " window"]:
    """Mean difference of log-mel columns a window, after the windows' common level is taken out."""
    settings = _mel_settings(sample_rate_hz)
    mels = [log_mel(part, settings) for part in (ours, theirs)]
    floor = float(mels[1].max()) - 50 / DB_PER_LN
    mels = [np.maximum(mel - (mel.max() - mels[1].max()), floor) for mel in mels]
    change = (mels[0] - mels[1]) * DB_PER_LN
    columns = starts // settings.hop_samples, (starts + window) // settings.hop_samples
    parts = [change[:, a:b] for a, b in zip(*columns, strict=True)]
    return np.array([np.abs(part - np.median(part)).mean() for part in parts])


def _loudest_minute(
    recording: Samples, original: Samples, sample_rate_hz: int
) -> tuple[Samples, Samples]:
    """Cut both at the same place, where the original is loudest: enough to tell a lag."""
    length = round(LAG_FROM_SECONDS * sample_rate_hz)
    if len(original) <= length:
        return recording[: 2 * length], original
    sums = np.concatenate([[0.0], np.cumsum(np.square(original, dtype=np.float64))])
    starts = np.arange(0, len(original) - length + 1, length // 4)
    start = int(starts[np.argmax(sums[starts + length] - sums[starts])])
    return recording[start : start + length], original[start : start + length]


def _mel_settings(sample_rate_hz: int) -> LogMelSettings:
    if sample_rate_hz != MEL.sample_rate_hz:
        raise ValueError(f"voices are compared at {MEL.sample_rate_hz} Hz, not {sample_rate_hz}")
    return MEL


def _steady(values: Float[np.ndarray, " window"]) -> Float[np.ndarray, " window"]:
    """Median of successive windows; fewer of them than three give their median."""
    if len(values) < STEADY_WINDOWS:
        return np.array([np.median(values)])
    return np.median(np.lib.stride_tricks.sliding_window_view(values, STEADY_WINDOWS), axis=1)


def _peak(
    ours: Float[np.ndarray, "row time"],
    theirs: Float[np.ndarray, "row time"],
    *,
    centre: int,
    reach: int,
) -> int:
    """Return the lag within ``centre ± reach`` at which the rows correlate most."""
    length = ours.shape[1] + theirs.shape[1]
    size = 1 << length.bit_length()
    product = np.fft.rfft(ours, size, axis=1) * np.conj(np.fft.rfft(theirs, size, axis=1))
    correlation = np.fft.irfft(product.sum(axis=0), size)
    lags = np.arange(centre - reach, centre + reach + 1)
    return int(lags[np.argmax(correlation[lags % size])])
