"""Keeps a source's clock beside the wall's: seconds of a frame in, how late it is out.

What comes too early (a file, a server's burst) is held back to its own speed. What comes late is
the source's fault if we had to wait for it, and then its clock is set anew; else it is ours, and
frames must be left out.
"""

from __future__ import annotations

import threading
import time

LATE_SECONDS = 0.5  # then frames that no other refers to are not decoded
VERY_LATE_SECONDS = 1.5  # then key frames alone are
WAITED_SECONDS = 0.01  # a read that took so long had nothing to give: we are at the live edge
DRIFT = 1e-3  # a live source may run so much faster than the wall's clock without piling up


class Pace:
    """The clock of one opening of a source; ``is_live`` where the source sets the speed itself."""

    def __init__(self, is_live: bool, stop: threading.Event) -> None:
        self._is_live = is_live
        self._stop = stop
        self._start: float | None = None  # wall time at which second 0 is, or would have been, due
        self._last = 0.0
        self._is_at_edge = False

    def waited_for_source(self, seconds: float) -> None:
        """Note how long the source let us wait for what comes next."""
        if self._is_live and seconds >= WAITED_SECONDS:
            self._is_at_edge = True

    def wait(self, seconds: float) -> float:
        """Return how late the frame of ``seconds`` is; one that is early is first waited for."""
        now = time.monotonic()
        if self._start is None:
            self._start, self._last = now - seconds, now
        elif self._is_live:
            self._start -= DRIFT * (now - self._last)
            self._last = now
            if self._is_at_edge:
                self._start = max(self._start, now - seconds)
        self._is_at_edge = False
        early = self._start + seconds - now
        if early > 0:
            self._stop.wait(early)
        return max(0.0, -early)


def skipping(late_seconds: float) -> str:
    """Choose what a decoder may leave out, by FFmpeg's names."""
    if late_seconds > VERY_LATE_SECONDS:
        return "NONKEY"
    return "NONREF" if late_seconds > LATE_SECONDS else "DEFAULT"
