"""Reads a file's sound: a path and time spans go in, mono float32 samples on the file's clock
come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from jaxtyping import Float

from seamline.errors import UnreadableMedia
from seamline.media.container import open_media


@dataclass(frozen=True)
class Sound:
    """A stretch of mono sound: sample i is heard at ``start_seconds + i / sample_rate_hz``."""

    start_seconds: float
    samples: Float[np.ndarray, " sample"]
    sample_rate_hz: int


def read_audio(
    path: str | Path,
    *,
    sample_rate_hz: int = 16000,
    spans: Sequence[tuple[float, float]] | None = None,
    warnings: list[str] | None = None,
) -> Iterator[Sound]:
    """Yield one ``Sound`` per span, or the whole stream as one."""
    notes = [] if warnings is None else warnings
    with open_media(path) as media:
        if media.audio is None:
            raise UnreadableMedia(path, "no audio stream")
        resampler = AudioResampler("flt", "mono", sample_rate_hz, options={"rematrix_maxval": "1"})
        blocks: list[np.ndarray] = []
        start = None
        for packet in media.container.demux(media.audio):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                notes.append("damaged audio")
                continue
            for frame in frames:
                if start is None:
                    start = (frame.time or 0.0) - media.origin_seconds
                blocks += [out.to_ndarray()[0] for out in resampler.resample(frame)]
        if start is None:
            raise UnreadableMedia(path, "no audio can be decoded")
        blocks += [out.to_ndarray()[0] for out in resampler.resample(None)]
        samples = np.concatenate(blocks).astype(np.float32, copy=False)
        for a, b in spans or [(start, start + len(samples) / sample_rate_hz)]:
            first = max(0, round((a - start) * sample_rate_hz))
            last = max(first, round((b - start) * sample_rate_hz))
            yield Sound(a, samples[first:last], sample_rate_hz)
