"""Reads a camera: a device's number or path in, frames into a `Feed`; cameras have no sound."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any, Protocol

import cv2

from seamline.errors import UnreadableMedia
from seamline.media.grid import SampleGrid
from seamline.media.probe import MediaInfo, VideoInfo
from seamline.media.video import Frame
from seamline.watch.feed import Feed
from seamline.watch.source import Source


class Capture(Protocol):
    """What is needed of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...
    def get(self, prop: int) -> float: ...
    def grab(self) -> bool: ...
    def retrieve(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


def open_camera(where: str) -> Capture:
    """Open a device; what cannot be opened tells so when asked."""
    with suppress(AttributeError):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2.VideoCapture(int(where) if where.isdecimal() else where)


def read_camera(
    source: Source,
    capture: Capture,
    feed: Feed,
    grid: SampleGrid,
    stop: threading.Event,
    base_seconds: float = 0.0,
) -> None:
    """Read until stopped; raises `UnreadableMedia` for a camera that cannot be had or goes away."""
    try:
        if not capture.isOpened():
            raise UnreadableMedia(
                source.shown,
                "no such camera, or another program uses it. Cameras are numbered from 0; on Linux "
                "they are /dev/video0 and so on",
            )
        width, height = (
            int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        rate = capture.get(cv2.CAP_PROP_FPS) or None
        picture = VideoInfo("camera", width, height, rate, 0, None)
        feed.describe(MediaInfo(source.shown, "video", None, picture, None, ()))
        start = time.monotonic()
        while not stop.is_set():
            if not capture.grab():
                raise UnreadableMedia(
                    source.shown, f"the camera was lost after {feed.newest_seconds:.1f} s"
                )
            seconds = base_seconds + time.monotonic() - start
            feed.count_bytes(seconds, 2 * width * height)  # uncompressed, or nearly
            if grid.takes(seconds):
                there, bgr = capture.retrieve()
                if there:
                    feed.put_frame(Frame(seconds, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)))
            feed.reach(seconds)
    finally:
        capture.release()
