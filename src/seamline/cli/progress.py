"""Shows on stderr how far a long run is: a bar in a terminal, a plain line now and then elsewhere.

A run of less than a second shows nothing.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

QUIET_SECONDS = 1.0
BAR_EVERY_SECONDS = 0.1
LINE_EVERY_SECONDS = 5.0
_BAR_CELLS = 24


class Progress:
    """Counts files; the file at hand may count by its share."""

    def __init__(self, files: int, stream: TextIO | None = None) -> None:
        self._files = files
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty()
        self._start = time.monotonic()
        self._next = self._start + QUIET_SECONDS
        self._done = 0
        self._shown = False

    def part(self, share: float) -> None:
        """Notes how much of the file at hand is done, 0 to 1."""
        self._show(self._done + min(max(share, 0.0), 1.0))

    def file_done(self) -> None:
        """Notes that one more file is done."""
        self._done += 1
        self._show(float(self._done))

    def clear(self) -> None:
        """Takes the bar away, so that other text can be written."""
        if self._shown and self._tty:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._shown = False

    def _show(self, done: float) -> None:
        now = time.monotonic()
        if now < self._next or self._files == 0:
            return
        self._next = now + (BAR_EVERY_SECONDS if self._tty else LINE_EVERY_SECONDS)
        text = self._text(done / self._files, now - self._start)
        self._stream.write(f"\r{text}\x1b[K" if self._tty else f"{text}\n")
        self._stream.flush()
        self._shown = True

    def _text(self, share: float, spent_seconds: float) -> str:
        text = f"{100 * share:3.0f} %"
        if self._files > 1:
            text += f", {self._done} of {self._files} files"
        if 0.02 < share < 1:
            text += f", {_clock(spent_seconds * (1 - share) / share)} to go"
        if not self._tty:
            return text
        full = round(share * _BAR_CELLS)
        return f"[{'#' * full}{'.' * (_BAR_CELLS - full)}] {text}"


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
