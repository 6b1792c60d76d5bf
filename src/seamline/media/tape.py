"""A stretch of sound with places: placed samples go in, stretches by sample number come out."""

from __future__ import annotations

from collections import deque

import numpy as np
from jaxtyping import Float


class Tape:
    """Holds samples from one index on; places that nobody wrote are silent."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Float[np.ndarray, " sample"]]] = deque()
        self.stop = 0  # one past the last sample written

    def write(self, at: int, samples: Float[np.ndarray, " sample"]) -> None:
        """Put ``samples`` at index ``at``; where something was written, that stays."""
        skipped = max(0, self.stop - at)
        if skipped < len(samples):
            self._blocks.append((at + skipped, samples[skipped:]))
            self.stop = at + len(samples)

    def forget_before(self, index: int) -> None:
        """Free the blocks that end at or before ``index``."""
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= index:
            self._blocks.popleft()

    @property
    def start(self) -> int:
        """Return the index of the first sample held."""
        return self._blocks[0][0] if self._blocks else self.stop

    def cut(self, start: int, stop: int) -> Float[np.ndarray, " sample"]:
        """Return a copy of the samples from ``start`` to ``stop``, or less at the end."""
        samples = np.zeros(max(0, min(stop, self.stop) - start), np.float32)
        for at, block in self._blocks:
            first, last = max(at, start), min(at + len(block), start + len(samples))
            if first < last:
                samples[first - start : last - start] = block[first - at : last - at]
        return samples
