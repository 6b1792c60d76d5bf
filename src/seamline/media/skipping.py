"""Finds packets that need no decoding: packets go in, in file order, and come out with a verdict.

shown at     0.00  0.04  0.08  0.12  0.16  0.20  0.24  0.28     step 0.2: frames of 0.00 and
picture       I     b     B     b     P     b     B     b       0.20 are wanted; of the others,
decoded       x           x           x     x     x             those that no other refers to
                                                                (b) are passed over
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

from av.packet import Packet

from seamline.media.container import stream_seconds

# Packets come in decoding order; a frame is shown at most 16 frames later (H.264, H.265), so with
# this many packets in view the neighbour before each in time is known.
LOOKAHEAD_PACKETS = 20
_REMEMBERED = 4 * LOOKAHEAD_PACKETS


class SkipPlanner:
    """A queue of packets that knows which ones show the first frame to reach a grid time."""

    def __init__(self, grid_index: Callable[[float], int], origin_seconds: float) -> None:
        self._grid_index = grid_index
        self._origin_seconds = origin_seconds
        self.clear()

    def clear(self) -> None:
        """Forget everything: what comes next is from another place in the file."""
        self._queue: deque[tuple[Packet, float | None]] = deque()
        self._times: list[float] = []  # of the packets in the queue and some before it, sorted

    def __len__(self) -> int:
        """Return how many packets wait."""
        return len(self._queue)

    def push(self, packet: Packet) -> None:
        """Add the next packet of the file."""
        seconds = stream_seconds(packet.stream, packet.pts)
        if seconds is not None:
            seconds -= self._origin_seconds
            insort(self._times, seconds)
            if len(self._times) > _REMEMBERED:
                del self._times[: _REMEMBERED // 2]
        self._queue.append((packet, seconds))

    def pop(self) -> tuple[Packet, bool]:
        """Return the oldest packet and whether its frame must be decoded."""
        packet, seconds = self._queue.popleft()
        if seconds is None:
            return packet, True
        before = bisect_left(self._times, seconds) - 1
        if before < 0:
            return packet, True
        return packet, self._grid_index(self._times[before]) != self._grid_index(seconds)
