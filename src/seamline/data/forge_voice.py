"""Forges a voice by copy synthesis: mono samples in, the same words resynthesised out.

The whole recording, or spans of 1 to 3 s whose times are returned exactly. A span is faded in and
out over 10 ms inside itself, so that outside of it every sample stays what it was.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from seamline.data.voice_augment import griffin_lim_copy
from seamline.voice.activity import speech_activity

Samples = Float32[np.ndarray, " sample"]
Span = tuple[float, float]

SPAN_SECONDS = (1.0, 3.0)
LEAST_SPLICED_SECONDS = 2.0  # of a recording: a span of a second, and as much left genuine
SECONDS_PER_SPAN = 8.0
FADE_SECONDS = 0.010
CONTEXT_SECONDS = 0.1  # resynthesised on either side and thrown away: edges come out badly
BLOCK_SECONDS = 30.0  # bounds the memory of an hour
QUIET_DB = -60.0  # root mean square under which there is no voice to forge


def is_silent(samples: Samples) -> bool:
    """Tell whether a recording holds nothing that could be forged."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return power < 10 ** (QUIET_DB / 10)


def copy_voice(samples: Samples, generator: np.random.Generator, sample_rate_hz: int) -> Samples:
    """Resynthesise a whole recording, in blocks of one and the same synthesiser."""
    seed = int(generator.integers(1 << 31))
    block, context = (round(s * sample_rate_hz) for s in (BLOCK_SECONDS, CONTEXT_SECONDS))
    copied = samples.copy()
    for start in range(0, len(samples), block):
        stop = min(start + block, len(samples))
        if stop - start > context or start == 0:
            copied[start:stop] = _copy_span(
                samples, start, stop, np.random.default_rng(seed), sample_rate_hz
            )
    return copied


def splice_voice(
    samples: Samples, generator: np.random.Generator, sample_rate_hz: int
) -> tuple[Samples, list[Span]]:
    """Resynthesise one span in about every 8 s; returns the samples and the spans in seconds."""
    spliced = samples.copy()
    fade = round(FADE_SECONDS * sample_rate_hz)
    ramp = ((np.arange(fade) + 0.5) / fade).astype(np.float32)
    spans = []
    for start, stop in _draw_spans(samples, generator, sample_rate_hz):
        copied = _copy_span(samples, start, stop, generator, sample_rate_hz)
        weight = np.ones(stop - start, np.float32)
        weight[:fade], weight[-fade:] = ramp, ramp[::-1]
        spliced[start:stop] = weight * copied + (1 - weight) * samples[start:stop]
        spans.append((start / sample_rate_hz, stop / sample_rate_hz))
    return spliced, spans


def _draw_spans(
    samples: Samples, generator: np.random.Generator, sample_rate_hz: int
) -> list[tuple[int, int]]:
    """Choose one span in each of a few equal slots, where most of it is speech."""
    seconds = len(samples) / sample_rate_hz
    if seconds < LEAST_SPLICED_SECONDS:
        raise ValueError(
            f"a splice needs {LEAST_SPLICED_SECONDS:g} s of sound at least, found {seconds:.2f} s"
        )
    slots = max(1, int(seconds / SECONDS_PER_SPAN))
    slot_seconds = seconds / slots
    spoken = speech_activity(samples, sample_rate_hz)
    spans = []
    for slot in range(slots):
        length = float(generator.uniform(SPAN_SECONDS[0], min(SPAN_SECONDS[1], slot_seconds / 2)))
        starts = slot * slot_seconds + generator.uniform(0, slot_seconds - length, 16)
        best = max(starts, key=lambda start: _overlap(spoken, start, start + length))
        start = round(best * sample_rate_hz)
        spans.append((start, min(start + round(length * sample_rate_hz), len(samples))))
    return spans


def _overlap(spoken: list[Span], start: float, stop: float) -> float:
    return sum(max(0.0, min(stop, b) - max(start, a)) for a, b in spoken)


def _copy_span(
    samples: Samples, start: int, stop: int, generator: np.random.Generator, sample_rate_hz: int
) -> Samples:
    """Resynthesise [start, stop) with some context, as loud as it was."""
    context = round(CONTEXT_SECONDS * sample_rate_hz)
    first, last = max(0, start - context), min(len(samples), stop + context)
    copied = griffin_lim_copy(samples[first:last], generator, sample_rate_hz)
    copied = copied[start - first : stop - first]
    loudness = [
        np.sqrt(np.mean(np.square(part, dtype=np.float64))) + 1e-9
        for part in (samples[start:stop], copied)
    ]
    return np.clip(copied * np.float32(loudness[0] / loudness[1]), -1.0, 1.0).astype(np.float32)
