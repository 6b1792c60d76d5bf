"""Decodes a video stream: an open file goes in, decoded frames with their times come out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from seamline.media.clock import StreamClock
from seamline.media.container import Media, refuse_oversized_frames, stream_seconds
from seamline.media.packets import PacketSource
from seamline.media.skipping import LOOKAHEAD_PACKETS, SkipPlanner

# Decoders that can be told packet by packet to pass over frames that no other refers to.
# (dav1d takes the setting only when it is opened; VP8 and VP9 have few such frames.)
_SKIPPING_DECODERS = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"})
_PROGRESSIVE = (0, 1)  # AVFieldOrder unknown and progressive: one packet is one frame
# Each decoding thread holds frames of its own: at 8K (33 megapixels) only one is affordable.
_PIXELS_IN_FLIGHT = 64_000_000
_MOST_THREADS = 16
# Tried in turn when a seek lands behind its target (MPEG-TS: between two key frames).
_SEEK_BACK_SECONDS = (3.0, 12.0, 60.0)


class FrameSource:
    """The frames of a file's video in the order in which they are shown.

    ``grid_index`` maps seconds to the number of the last grid time reached: only the first frame
    to reach each number is sure to be decoded.
    """

    def __init__(
        self,
        media: Media,
        grid_index: Callable[[float], int],
        notes: list[str],
        threads: int = 0,
    ) -> None:
        assert media.video is not None
        self._notes = notes
        self._stream = media.video
        self._origin_seconds = media.origin_seconds
        self._packets = PacketSource(media, media.video, notes)
        self._clock = StreamClock(media.origin_seconds, "video", notes)
        self._plan = SkipPlanner(grid_index, media.origin_seconds)
        rate = media.video.average_rate or media.video.guessed_rate
        self._frame_seconds = float(1 / rate) if rate else 0.04
        self._seconds = 0.0
        self._is_at_end = False
        self._moves = 0  # counts seeks, so that frames of the place left behind are dropped
        self._landing: float | None = None  # where the first frame after a seek should be
        self._retries: list[float] = []
        self._sought: float | None = None  # the last target that was sought
        self._size: tuple[int, int] | None = None
        self._is_damaged = False
        context = media.video.codec_context
        refuse_oversized_frames(media.video)
        media.video.thread_type = "AUTO"
        context.thread_count = thread_count(media.video, threads)
        self._may_skip = context.name in _SKIPPING_DECODERS and context.field_order in _PROGRESSIVE

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield (seconds, frame); goes on at the new place after ``skip_to``."""
        while (packet := self._next_packet()) is not None or self._has_landed_beyond():
            if packet is None:
                continue
            move = self._moves
            for frame in self._decode(packet):
                seconds = self._clock.read(frame, self._frame_seconds)
                if self._landing is not None and self._has_landed_behind(seconds):
                    break
                if seconds is not None:
                    self._seconds = seconds
                    if self._is_whole(frame):
                        yield seconds, frame
                if move != self._moves:
                    break

    @property
    def has_moved(self) -> bool:
        """Whether parts of the stream were passed over by seeking."""
        return self._packets.has_moved

    def skip_to(self, seconds: float) -> None:
        """Allow that frames before ``seconds`` are left out: seeks if that is quicker."""
        is_new = self._sought is None or seconds > self._sought  # else we would go in circles
        if is_new and self._packets.seek_pays(seconds):
            self._sought = seconds
            self._retries = [seconds - back for back in _SEEK_BACK_SECONDS if seconds > back] + [0]
            self._landing = seconds
            self._move(seconds)

    def _move(self, seconds: float) -> None:
        if self._packets.seek(seconds):
            self._plan.clear()
            self._clock.moved_to(seconds)
            self._is_at_end = False
            self._moves += 1
        else:
            self._landing = None

    def _has_landed_behind(self, seconds: float | None) -> bool:
        """Check the first frame after a seek; if it is too late, seek again further back."""
        assert self._landing is not None
        if self._retries and (seconds is None or seconds > self._landing + self._frame_seconds):
            self._move(self._retries.pop(0))
            return True
        self._landing = None
        return False

    def _has_landed_beyond(self) -> bool:
        """At the end without a frame since a seek (no key frame came): seek again further back."""
        if self._landing is None or len(self._retries) < 2:  # the last is the start of the file
            return False
        self._move(self._retries.pop(0))
        return self._landing is not None

    def _next_packet(self) -> Packet | None:
        while len(self._plan) < LOOKAHEAD_PACKETS and not self._is_at_end:
            packet = self._packets.read()
            if packet is None:
                self._is_at_end = True
            else:
                self._plan.push(packet)
        if not len(self._plan):
            return None
        packet, is_needed = self._plan.pop()
        if self._may_skip:
            self._stream.codec_context.skip_frame = "DEFAULT" if is_needed else "NONREF"
        return packet

    def _decode(self, packet: Packet) -> list[VideoFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            at = stream_seconds(self._stream, packet.pts)
            self._note_damage(self._seconds if at is None else at - self._origin_seconds)
            return []
        return [frame for frame in frames if isinstance(frame, VideoFrame)]

    def _is_whole(self, frame: VideoFrame) -> bool:
        """Tell whether the frame is undamaged: what a decoder patches up could pass for a fake."""
        if frame.is_corrupt:
            self._note_damage(self._seconds)
            return False
        size = (frame.width, frame.height)
        if self._size not in (None, size):
            self._notes.append(f"the frames' size changes at {self._seconds:.2f} s")
        self._size = size
        return True

    def _note_damage(self, seconds: float) -> None:
        if not self._is_damaged:
            self._notes.append(f"the video is damaged near {seconds:.2f} s")
        self._is_damaged = True


def thread_count(stream: VideoStream, asked: int = 0) -> int:
    """Return how many threads decode ``stream``: fewer for large frames, to bound memory."""
    most = asked or min(_available_cores(), _MOST_THREADS)
    pixels = max(1, stream.codec_context.width * stream.codec_context.height)
    return max(1, min(most, _PIXELS_IN_FLIGHT // pixels))


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
