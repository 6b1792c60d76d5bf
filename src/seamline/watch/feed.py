"""Hands frames and sound from the thread that reads a source to the one that judges it.

Bounded on every side: where the judge is slower than the source, the oldest frames are dropped and
counted; sound is kept for as long as a verdict may still ask for it.

    reader ──put_frame──▶ [ 8 frames, 64 MB at most ] ──take──▶ judge
           ──put_sound──▶ [ the last seconds        ] ──cut───▶
"""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from jaxtyping import Float

from seamline.errors import UnreadableMedia
from seamline.media.audio import Sound
from seamline.media.probe import MediaInfo
from seamline.media.tape import Tape
from seamline.media.video import Frame

MOST_FRAMES = 8  # two seconds of a quarter-second grid
MOST_BYTES = 64 << 20  # fewer frames than that at 8K
MOST_TAKEN = 4  # frames at once: keeps the lag of a slow judge small
KEPT_SECONDS = 8.0  # of sound; a window of two seconds is asked for soon after its end
SILENT_SECONDS = 2.0  # a stream this far behind the other is not waited for
MOST_NOTES = 4


class Feed:
    """What one source has given and nobody has judged yet; every method is safe between threads."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._news = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._held_bytes = 0
        self._tape = Tape()
        self._reached: dict[str, float] = {}
        self._packets: deque[tuple[float, int]] = deque()
        self._notes: deque[str] = deque(maxlen=MOST_NOTES)
        self._media: MediaInfo | None = None
        self._is_over = False
        self._error: UnreadableMedia | None = None
        self.dropped = 0
        """Frames that were due and not judged."""

    # The reader's side.

    def describe(self, media: MediaInfo) -> None:
        """Tell what the source holds."""
        with self._news:
            self._media = media

    def put_frame(self, frame: Frame) -> None:
        """Add a frame; the oldest go where there is no room."""
        with self._news:
            self._frames.append(frame)
            self._held_bytes += frame.rgb.nbytes
            while len(self._frames) > 1 and (
                len(self._frames) > MOST_FRAMES or self._held_bytes > MOST_BYTES
            ):
                self._held_bytes -= self._frames.popleft().rgb.nbytes
                self.dropped += 1
            self._news.notify_all()

    def put_sound(self, at: int, samples: Float[np.ndarray, " sample"]) -> None:
        """Add mono samples that start at sample number ``at`` of the source's clock."""
        with self._news:
            self._tape.write(at, samples)
            self._tape.forget_before(self._tape.stop - round(KEPT_SECONDS * self._rate_hz))
            self._reached["audio"] = self._tape.stop / self._rate_hz

    def reach(self, seconds: float) -> None:
        """Tell how far the picture has been read."""
        with self._news:
            self._reached["video"] = seconds
            self._news.notify_all()

    def count_bytes(self, seconds: float, size_bytes: int) -> None:
        """Note what a stretch of the picture weighs, compressed."""
        with self._news:
            self._packets.append((seconds, size_bytes))
            while self._packets[0][0] < seconds - KEPT_SECONDS:
                self._packets.popleft()

    def drop(self, frames: int) -> None:
        """Count frames that were due and not even decoded."""
        with self._news:
            self.dropped += frames

    def note(self, text: str) -> None:
        """Keep a remark for the next verdict."""
        with self._news:
            self._notes.append(text)

    def end(self, error: UnreadableMedia | None = None) -> None:
        """Say that nothing more comes, and why if that was no proper end."""
        with self._news:
            self._is_over, self._error = True, error
            self._news.notify_all()

    # The judge's side.

    @property
    def media(self) -> MediaInfo | None:
        """What the source holds, once it is open."""
        return self._media

    @property
    def error(self) -> UnreadableMedia | None:
        """Why the source ended before its time."""
        return self._error

    def take(self, timeout_seconds: float) -> tuple[list[Frame], float, bool]:
        """Wait for news; give the next frames, up to when all was given, and whether it is over."""
        with self._news:
            if not self._frames and not self._is_over:
                self._news.wait(timeout_seconds)
            frames = [self._frames.popleft() for _ in range(min(MOST_TAKEN, len(self._frames)))]
            self._held_bytes -= sum(frame.rgb.nbytes for frame in frames)
            return frames, self._settled(), self._is_over and not self._frames

    def _settled(self) -> float:
        """Before this second nothing more will come."""
        newest = self.newest_seconds
        slowest = min((s for s in self._reached.values() if s > newest - SILENT_SECONDS), default=0)
        return min(slowest, self._frames[0].seconds) if self._frames else slowest

    @property
    def newest_seconds(self) -> float:
        """How far the source has been read."""
        return max(self._reached.values(), default=0.0)

    def cut_sound(self, start_seconds: float, stop_seconds: float) -> Sound | None:
        """Give the sound of a stretch; None where there is none."""
        with self._news:
            start, stop = (round(s * self._rate_hz) for s in (start_seconds, stop_seconds))
            if self._tape.stop <= start or self._tape.start >= stop:
                return None
            return Sound(start_seconds, self._tape.cut(start, stop), self._rate_hz)

    def bytes_between(self, start_seconds: float, stop_seconds: float) -> int:
        """Give what the picture of a stretch weighed."""
        with self._news:
            return sum(size for at, size in self._packets if start_seconds <= at < stop_seconds)

    def take_notes(self) -> list[str]:
        """Give the remarks since the last call."""
        with self._news:
            notes = list(self._notes)
            self._notes.clear()
            return notes
