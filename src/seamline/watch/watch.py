"""Watches a source: a source and a bundle in, a rolling verdict every window out.

The source is read in a thread of its own; whoever iterates does the judging, so a slow reader of
verdicts costs frames and never memory or the source's place in time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av

from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.grid import SampleGrid
from seamline.scoring.reference import Reference
from seamline.scoring.verdict import Verdict
from seamline.watch.camera import open_camera, read_camera
from seamline.watch.feed import Feed
from seamline.watch.reader import ContainerReader
from seamline.watch.rolling import RollingJudge
from seamline.watch.source import Kind, Source
from seamline.zoo.bundle import Bundle
from seamline.zoo.reference import read_reference, require_reference_branch

SCHEMA = 1
NEWS_SECONDS = 0.5  # how long to wait for a frame before looking at the clock again
LONGEST_PAUSE_SECONDS = 10.0  # between two tries to connect again


@dataclass(frozen=True)
class Moment:
    """What is known at one moment of a source."""

    source: str
    start_seconds: float
    stop_seconds: float
    verdict: Verdict
    lag_seconds: float
    """How far the source had gone on beyond ``stop_seconds`` when this was ready."""
    frames_examined: int
    frames_dropped: int

    def to_json(self) -> dict[str, Any]:
        """Give one line of ``watch --json``: a file's verdict with the moment's own keys."""
        found = self.verdict.to_json()
        kept = {key: found[key] for key in found if key not in ("schema", "path", "sha256")}
        del kept["seconds"]
        return {
            "schema": SCHEMA,
            "source": self.source,
            "start_seconds": round(self.start_seconds, 3),
            "stop_seconds": round(self.stop_seconds, 3),
            "lag_seconds": round(self.lag_seconds, 3),
            "frames_examined": self.frames_examined,
            "frames_dropped": self.frames_dropped,
            **kept,
        }


def read_live_references(
    paths: Sequence[str | Path], bundle: Bundle, finder: FaceDetector, *, min_face_px: float = 48.0
) -> tuple[Reference, ...]:
    """Measure genuine footage as live sources are judged, without motion; raises `BadReference`."""
    if not paths:
        return ()
    require_reference_branch(bundle)
    live = replace(bundle, branches={k: b for k, b in bundle.branches.items() if k != "motion"})
    return tuple(read_reference(path, live, finder, min_face_px=min_face_px) for path in paths)


def watch(
    source: Source,
    bundle: Bundle,
    *,
    span_seconds: float = 10.0,
    min_face_px: float = 48.0,
    reconnect: int = 0,
    finder: FaceDetector | None = None,
    references: Sequence[Reference] = (),
    stop: threading.Event | None = None,
) -> Iterator[Moment]:
    """Yield a `Moment` a window until the source ends or ``stop`` is set.

    People who are also seen in the ``references``, genuine footage that `read_reference` measured
    by the same bundle, are judged against it.

    Raises `UnreadableMedia` for a source that cannot be opened or is lost, after ``reconnect``
    tries in a row to have it back. Closing the generator closes the source.
    """
    stop = stop or threading.Event()
    feed = Feed(bundle.contract.mel.sample_rate_hz)
    reading = _Reading(source, feed, bundle, reconnect, stop)
    thread = threading.Thread(target=reading.run, name="seamline-watch", daemon=True)
    rolling = RollingJudge(
        bundle,
        finder or FaceDetector(),
        span_seconds=span_seconds,
        min_face_px=min_face_px,
        references=references,
    )
    thread.start()
    try:
        yield from _moments(source, feed, rolling, stop)
        if feed.error is not None and not stop.is_set():
            raise feed.error
    finally:
        stop.set()
        thread.join(timeout=2.0)  # a blocked read ends by its own timeout; nobody waits for it


def _moments(
    source: Source, feed: Feed, rolling: RollingJudge, stop: threading.Event
) -> Iterator[Moment]:
    is_over = False
    while not is_over and not stop.is_set():
        frames, settled, is_over = feed.take(NEWS_SECONDS)
        rolling.see(frames)
        if is_over:
            settled = feed.newest_seconds
        rolling.skip_to(settled)
        while rolling.window[1] <= settled or (is_over and rolling.window[0] < settled):
            if stop.is_set():
                return
            yield _close(source, feed, rolling, min(rolling.window[1], settled))


def _close(source: Source, feed: Feed, rolling: RollingJudge, stop_seconds: float) -> Moment:
    start, _ = rolling.window
    rolling.close_window(
        feed.cut_sound(start, stop_seconds),
        stop_seconds,
        feed.bytes_between(start, stop_seconds),
    )
    media = feed.media
    assert media is not None  # told before the first frame
    span_start, verdict = rolling.verdict(media, feed.take_notes())
    return Moment(
        source=source.shown,
        start_seconds=span_start,
        stop_seconds=stop_seconds,
        verdict=verdict,
        lag_seconds=max(0.0, feed.newest_seconds - stop_seconds),
        frames_examined=rolling.frames_examined,
        frames_dropped=feed.dropped,
    )


class _Reading:
    """The reader's thread: opens the source, and again if it is lost and that is wanted."""

    def __init__(
        self, source: Source, feed: Feed, bundle: Bundle, reconnect: int, stop: threading.Event
    ) -> None:
        self._source, self._feed, self._stop = source, feed, stop
        self._rate_hz = bundle.contract.mel.sample_rate_hz
        self._grid = SampleGrid(bundle.contract.frame_step_seconds)
        self._reconnect = 0 if source.kind is Kind.FILE else reconnect

    def run(self) -> None:
        began, tries, base = time.monotonic(), 0, 0.0
        while True:
            before = self._feed.newest_seconds
            try:
                self._open(base)
                self._feed.end()
                return
            except UnreadableMedia as error:
                failure = error
            except (av.FFmpegError, OSError, ValueError) as error:
                failure = UnreadableMedia(self._source.shown, str(error))
            tries = 1 if self._feed.newest_seconds > before else tries + 1
            if tries > self._reconnect or self._stop.is_set():
                self._feed.end(failure)
                return
            self._stop.wait(min(2.0 ** (tries - 1), LONGEST_PAUSE_SECONDS))
            base = max(self._feed.newest_seconds, time.monotonic() - began)
            self._feed.note(f"the source was lost and opened again at {base:.0f} s")

    def _open(self, base_seconds: float) -> None:
        if self._source.kind is Kind.CAMERA:
            capture = open_camera(self._source.where)
            read_camera(self._source, capture, self._feed, self._grid, self._stop, base_seconds)
            return
        ContainerReader(
            self._source, self._feed, self._grid, self._rate_hz, self._stop, base_seconds
        ).run()
