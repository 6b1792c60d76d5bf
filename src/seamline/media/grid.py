"""Decides which frames are sampled: frame times go in, one by one, a yes or no comes out."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

# Matroska and FLV round timestamps to a millisecond: a frame that early is still in time.
TOLERANCE_SECONDS = 1e-3


class SampleGrid:
    """The grid times ``k * step_seconds`` that lie in half-open spans, served in order.

    A frame serves all grid times that it has reached, so after a pause in the video only one
    frame is taken.
    """

    def __init__(
        self, step_seconds: float, spans: Sequence[tuple[float, float]] | None = None
    ) -> None:
        if not step_seconds > 0:
            raise ValueError(f"step_seconds must be above zero, got {step_seconds}")
        for start, stop in spans or ():
            if not start <= stop:
                raise ValueError(f"a span must not end before it starts, got ({start}, {stop})")
        self._step = step_seconds
        self._spans = sorted([(0.0, math.inf)] if spans is None else spans, reverse=True)
        self._all = self._spans[::-1]
        self._last = [
            math.ceil(stop / step_seconds) - 1 if stop < math.inf else None for _, stop in self._all
        ]
        self._next: int | None = 0
        self._advance(0)

    @property
    def next_seconds(self) -> float | None:
        """The next grid time to serve; ``None`` when all are served."""
        return None if self._next is None else self._next * self._step

    def index(self, seconds: float) -> int:
        """Return the number of the last grid time reached at ``seconds``."""
        return math.floor((seconds + TOLERANCE_SECONDS) / self._step)

    def reached(self, seconds: float) -> int:
        """Like `index`, but a number that stands still where no span is; spans must not overlap."""
        span = bisect_right(self._all, seconds + TOLERANCE_SECONDS, key=lambda s: s[0]) - 1
        if span < 0:
            return -1
        last = self._last[span]
        return self.index(seconds) if last is None else min(self.index(seconds), last)

    def takes(self, seconds: float) -> bool:
        """Tell whether the frame shown at ``seconds`` is the first to reach a wanted grid time."""
        while self._spans and seconds >= self._spans[-1][1]:
            self._spans.pop()
        if self._next is not None:
            self._advance(self._next)
        if self._next is None or self.index(seconds) < self._next:
            return False
        self._advance(self.index(seconds) + 1)
        return True

    def _advance(self, index: int) -> None:
        """Set the next grid time: the first from ``index`` on that lies in a span."""
        while self._spans:
            start, stop = self._spans[-1]
            candidate = max(index, math.ceil((start - TOLERANCE_SECONDS) / self._step))
            if candidate * self._step < stop:
                self._next = candidate
                return
            self._spans.pop()
        self._next = None
