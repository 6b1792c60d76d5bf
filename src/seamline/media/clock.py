"""Puts a stream's timestamps on the file's common clock: frames go in, seconds come out."""

from __future__ import annotations

from av.frame import Frame as AvFrame

# Time running back by this much, or forward by an hour, is a splice of two recordings (common in
# broadcast captures) or damage, not a pause: the clock then simply runs on.
_BACKWARD_SECONDS = 1.0
_FORWARD_SECONDS = 3600.0


class StreamClock:
    """Follows one stream's frames and mends missing and jumping timestamps."""

    def __init__(self, origin_seconds: float, what: str, notes: list[str]) -> None:
        self._origin = origin_seconds
        self._what = what
        self._notes = notes
        self._next: float | None = 0.0  # when the next frame is due; None just after a seek

    def read(self, frame: AvFrame, length_seconds: float) -> float | None:
        """Return the time of ``frame``, which lasts ``length_seconds``.

        ``None`` where that cannot be known: a frame without timestamp after a seek.
        """
        stamp = self._stamp(frame)
        if self._next is None:
            if stamp is None:
                return None
        elif stamp is None:
            stamp = self._next
        elif not -_BACKWARD_SECONDS <= stamp - self._next <= _FORWARD_SECONDS:
            self._notes.append(
                f"the {self._what}'s timestamps jump from {self._next:.2f} s to {stamp:.2f} s; "
                "time is counted on from there"
            )
            self._origin += stamp - self._next
            stamp = self._next
        self._next = stamp + length_seconds
        return stamp

    def _stamp(self, frame: AvFrame) -> float | None:
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - self._origin

    def moved_to(self, seconds: float) -> None:
        """Accept any time next, for the stream was moved on purpose; at the start, begin anew."""
        self._next = None if seconds > 0 else 0.0
