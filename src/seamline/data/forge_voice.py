"""Forges a voice by copy synthesis: mono samples in, the same words resynthesised out.

The whole recording, or spans whose times are returned exactly. A span is faded in and out over
10 ms inside itself, so that outside of it every sample stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

from seamline.data.copy_synthesis import Vocoder
from seamline.data.forge_spans import Span, draw_spans
from seamline.data.voice_augment import griffin_lim_copy
from seamline.voice.activity import speech_activity

Samples = Float32[np.ndarray, " sample"]

FADE_SECONDS = 0.010
CONTEXT_SECONDS = 0.1  # resynthesised on either side and thrown away: edges come out badly
BLOCK_SECONDS = 30.0  # bounds the memory of an hour
QUIET_DB = -60.0  # root mean square under which there is no voice to forge


def is_silent(samples: Samples) -> bool:
    """Tell whether a recording holds nothing that could be forged."""
    return len(samples) == 0 or loudness(samples) < 10 ** (QUIET_DB / 20)


def loudness(samples: Samples) -> float:
    """Give the root mean square of samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def copy_voice(
    samples: Samples,
    generator: np.random.Generator,
    sample_rate_hz: int,
    vocoder: Vocoder = griffin_lim_copy,
) -> Samples:
    """Resynthesise a whole recording, in blocks of one and the same synthesiser."""
    seed = int(generator.integers(1 << 31))
    block, context = (round(s * sample_rate_hz) for s in (BLOCK_SECONDS, CONTEXT_SECONDS))
    copied = samples.copy()
    for start in range(0, len(samples), block):
        stop = min(start + block, len(samples))
        if stop - start > context or start == 0:
            copied[start:stop] = copy_span(
                samples, start, stop, np.random.default_rng(seed), sample_rate_hz, vocoder
            )
    return copied


def splice_voice(
    samples: Samples, generator: np.random.Generator, sample_rate_hz: int
) -> tuple[Samples, list[Span]]:
    """Resynthesise one span in about every 8 s; returns the samples and the spans in seconds."""
    spoken = speech_activity(samples, sample_rate_hz)
    spans = draw_spans(len(samples) / sample_rate_hz, generator, [spoken])
    return splice(
        samples,
        spans,
        lambda start, stop: copy_span(samples, start, stop, generator, sample_rate_hz),
        sample_rate_hz,
    )


def splice(
    samples: Samples,
    spans: Sequence[Span],
    forged: Callable[[int, int], Samples],
    sample_rate_hz: int,
) -> tuple[Samples, list[Span]]:
    """Put forged stretches in place of spans; returns the samples and the exact spans.

    ``forged`` gives what replaces the samples from a first to before a last one.
    """
    spliced = samples.copy()
    fade = round(FADE_SECONDS * sample_rate_hz)
    ramp = ((np.arange(fade) + 0.5) / fade).astype(np.float32)
    placed = []
    for start_seconds, stop_seconds in spans:
        start = round(start_seconds * sample_rate_hz)
        length = round((stop_seconds - start_seconds) * sample_rate_hz)
        stop = min(start + length, len(samples))
        weight = np.ones(stop - start, np.float32)
        weight[:fade], weight[-fade:] = ramp, ramp[::-1]
        spliced[start:stop] = weight * forged(start, stop) + (1 - weight) * samples[start:stop]
        placed.append((start / sample_rate_hz, stop / sample_rate_hz))
    return spliced, placed


def copy_span(
    samples: Samples,
    start: int,
    stop: int,
    generator: np.random.Generator,
    sample_rate_hz: int,
    vocoder: Vocoder = griffin_lim_copy,
) -> Samples:
    """Resynthesise [start, stop) with some context, as loud as it was."""
    context = round(CONTEXT_SECONDS * sample_rate_hz)
    first, last = max(0, start - context), min(len(samples), stop + context)
    copied = vocoder(samples[first:last], generator, sample_rate_hz)
    copied = copied[start - first : stop - first]
    gain = np.float32((loudness(samples[start:stop]) + 1e-9) / (loudness(copied) + 1e-9))
    return np.clip(copied * gain, -1.0, 1.0).astype(np.float32)
