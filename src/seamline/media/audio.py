"""Reads a file's sound: a path and time spans go in, mono float32 samples come out, placed by
their timestamps on the same clock as the video's frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float

from seamline.errors import UnreadableMedia
from seamline.media.container import open_media
from seamline.media.resample import Placed
from seamline.media.sounds import SoundSource
from seamline.media.tape import Tape


@dataclass(frozen=True)
class Sound:
    """A stretch of mono sound: sample i is heard at ``start_seconds + i / sample_rate_hz``."""

    start_seconds: float
    samples: Float[np.ndarray, " sample"]
    sample_rate_hz: int

    def preceded_by(self, past: Sound, seconds: float) -> Sound:
        """Put the last ``seconds`` of what was heard before it; unchanged if a gap lies between."""
        rate = self.sample_rate_hz
        gap = self.start_seconds * rate - past.start_seconds * rate - len(past.samples)
        count = min(round(seconds * rate), len(past.samples))
        if abs(gap) > 1 or not count or past.sample_rate_hz != rate:
            return self
        samples = np.concatenate([past.samples[-count:], self.samples])
        return Sound(self.start_seconds - count / rate, samples, rate)


def read_audio(
    path: str | Path,
    *,
    sample_rate_hz: int = 16000,
    spans: Sequence[tuple[float, float]] | None = None,
    warnings: list[str] | None = None,
) -> Iterator[Sound]:
    """Yield one ``Sound`` per span, or the whole stream as one, from its first sample on.

    Spans are half-open seconds, sorted by their starts; they may overlap. A sound is shorter than
    its span where the stream ends inside it, and silent where the stream has a gap. Damage is told
    in ``warnings``; a file of which no sound decodes raises ``UnreadableMedia``.
    """
    wanted = None if spans is None else [(float(start), float(stop)) for start, stop in spans]
    if wanted is not None:
        if any(start > stop for start, stop in wanted):
            raise ValueError(f"a span must not end before it starts, got {wanted}")
        if any(before[0] > after[0] for before, after in pairwise(wanted)):
            raise ValueError(f"spans must be sorted by their starts, got {wanted}")
    return _read(path, sample_rate_hz, wanted, [] if warnings is None else warnings)


def _read(
    path: str | Path,
    rate_hz: int,
    spans: list[tuple[float, float]] | None,
    notes: list[str],
) -> Iterator[Sound]:
    with open_media(path, quick=True) as media:
        if media.audio is None:
            raise UnreadableMedia(path, "no audio stream")
        source = SoundSource(media, rate_hz, notes)
        sounds = _read_all(source) if spans is None else _read_spans(source, spans, rate_hz)
        for start, samples in sounds:
            if not source.has_decoded and not source.has_moved:
                raise UnreadableMedia(path, "no sound of it can be decoded")
            yield Sound(start / rate_hz, samples, rate_hz)


def _read_all(source: SoundSource) -> Iterator[Placed]:
    tape = Tape()
    for at, samples in source:
        tape.write(at, samples)
    start = tape.start
    yield start, tape.cut(start, tape.stop)


def _read_spans(
    source: SoundSource, spans: list[tuple[float, float]], rate_hz: int
) -> Iterator[Placed]:
    tape = Tape()
    for start_seconds, stop_seconds in spans:
        start, stop = round(start_seconds * rate_hz), round(stop_seconds * rate_hz)
        tape.forget_before(start)
        if tape.stop < start:
            source.skip_to(start_seconds)
        while tape.stop < stop and (placed := source.read()) is not None:
            tape.write(*placed)
            tape.forget_before(start)
        yield start, tape.cut(start, stop)
