"""Turns decoded sound into mono samples at one rate: frames go in, placed float32 samples out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from jaxtyping import Float

# Timestamps that stray less than this from the count of samples are rounding (FLV and Matroska
# count milliseconds) and a resampler's run goes on; well under a video frame's 40 ms.
_JITTER_SECONDS = 0.03
# Channels are averaged, never summed beyond full scale.
_OPTIONS = {"rematrix_maxval": "1.0"}

Placed = tuple[int, Float[np.ndarray, " sample"]]  # index of the first sample, counted from zero


# Two channels whose mean has less of their power than this are each other's inverse: a plug wired
# wrongly, or sound that somebody wants nobody to hear who listens in mono.
_INVERSE_SHARE = 0.01
_MEMORY_SECONDS = 0.5  # of both powers, so that a moment of wide stereo turns nothing


class MonoResampler:
    """Resamples run by run; a run is sound without a gap in time or a change of format.

    Channels are averaged; of two that are each other's inverse, whose mean would be silence, one is
    turned over first.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._resampler: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._due_seconds = 0.0  # when the run's next frame starts, by the count of samples
        self._at = 0  # where the run's next resampled sample belongs
        self._stereo = _Stereo()

    def feed(self, frame: AudioFrame, seconds: float) -> Iterator[Placed]:
        """Yield what is ready after ``frame``, which starts at ``seconds``."""
        if len(frame.layout.channels) == 2:
            frame = self._stereo.in_phase(frame)
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        strays = abs(seconds - self._due_seconds) > _JITTER_SECONDS
        if self._resampler is None or form != self._format or strays:
            yield from self.flush()
            self._resampler = AudioResampler("flt", "mono", self._rate_hz, options=_OPTIONS)
            self._format, self._due_seconds = form, seconds
            self._at = round(seconds * self._rate_hz)
        self._due_seconds += frame.samples / frame.sample_rate
        frame.pts, frame.time_base = None, Fraction(1, frame.sample_rate)
        yield from self._place(self._resampler.resample(frame))

    def flush(self) -> Iterator[Placed]:
        """Yield what the resampler still holds and end the run."""
        if self._resampler is not None:
            yield from self._place(self._resampler.resample(None))
        self._resampler = None

    def _place(self, frames: list[AudioFrame]) -> Iterator[Placed]:
        for frame in frames:
            samples = frame.to_ndarray()[0].astype(np.float32, copy=False)
            if not np.isfinite(samples).all():  # float PCM may hold anything
                samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
            yield self._at, np.clip(samples, -1.0, 1.0)
            self._at += len(samples)


class _Stereo:
    """Follows the power of two channels' mean and of their difference."""

    def __init__(self) -> None:
        self._mean = self._difference = 0.0
        self._is_inverse = False

    def in_phase(self, frame: AudioFrame) -> AudioFrame:
        """Return the frame, its second channel turned over if it is the first one's inverse."""
        left, right = _channels(frame)
        kept = math.exp(-frame.samples / (frame.sample_rate * _MEMORY_SECONDS))
        self._mean = kept * self._mean + (1 - kept) * _power(left + right)
        self._difference = kept * self._difference + (1 - kept) * _power(left - right)
        if self._mean > self._difference:
            self._is_inverse = False
        elif self._mean < _INVERSE_SHARE * self._difference:
            self._is_inverse = True
        if not self._is_inverse:
            return frame
        turned = AudioFrame.from_ndarray(np.stack([left, -right]), "fltp", "stereo")
        turned.sample_rate = frame.sample_rate
        return turned


def _channels(frame: AudioFrame) -> Float[np.ndarray, "2 sample"]:
    """Give both channels as float32; integers end at 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, 2).T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(2 ** (8 * samples.dtype.itemsize - 1))
    return np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)


def _power(samples: Float[np.ndarray, " sample"]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
