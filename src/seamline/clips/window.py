"""Which seconds of a file are examined: a duration in, half-open windows out.

A short file is examined whole. Of a long one evenly spread windows are taken, the first and the
last among them, so that the cost grows with what is examined and not with the length:

    0 s                                                          600 s
    |##|.................|##|.................|##|.................|##|
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

LEAST_DENSE_WINDOWS = 2
MIN_TAIL_SECONDS = 1.0  # a shorter rest joins the window before it


@dataclass(frozen=True)
class WindowPlan:
    """How much of a file to examine."""

    max_windows: int | None = 30
    """Most windows taken from one file; None examines everything (`--thorough`)."""
    first_seconds: float | None = None
    """Examine only one window of this length at the start, whatever the window length is."""

    def windows(
        self, duration_seconds: float | None, window_seconds: float
    ) -> list[tuple[float, float]]:
        """Lay windows over a file; an unknown duration gets the most windows from the start."""
        if self.first_seconds is not None:
            return [(0.0, self.first_seconds)]
        if duration_seconds is None or not math.isfinite(duration_seconds):
            count = self.max_windows or 30
            return [(i * window_seconds, (i + 1) * window_seconds) for i in range(count)]
        windows = tile(duration_seconds, window_seconds)
        if self.max_windows is None or len(windows) <= self.max_windows:
            return windows
        last = len(windows) - 1
        step = last / (self.max_windows - 1) if self.max_windows > 1 else 0.0
        return [windows[round(i * step)] for i in range(self.max_windows)]


def dense_windows(count: int) -> list[int]:
    """Choose the windows whose motion is judged: a third, two at least, spread evenly.

    Faces are cut out of their frames one by one, and flow is measured between them.
    """
    chosen = min(count, max(LEAST_DENSE_WINDOWS, math.ceil(count / 3)))
    step = (count - 1) / (chosen - 1) if chosen > 1 else 0.0
    return [round(i * step) for i in range(chosen)]


def tile(duration_seconds: float, window_seconds: float) -> list[tuple[float, float]]:
    """Cut [0, duration) into windows; a tail shorter than a second joins the last one."""
    if window_seconds <= 0:
        raise ValueError(f"window_seconds must be positive, got {window_seconds}")
    full = int(duration_seconds / window_seconds + 1e-9)
    edges = [i * window_seconds for i in range(full + 1)]
    tail = duration_seconds - edges[-1]
    if full == 0:
        return [(0.0, max(duration_seconds, 1e-3))]
    if tail >= MIN_TAIL_SECONDS:
        edges.append(duration_seconds)
    else:
        edges[-1] = duration_seconds
    return list(itertools.pairwise(edges))
