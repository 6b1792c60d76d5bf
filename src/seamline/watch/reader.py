"""Reads a source in a thread of its own: an open container in, frames and sound into a `Feed`.

Every frame is decoded, for a stream cannot be sought; only those that are due are converted. Where
decoding itself is too slow, the decoder leaves frames out until it has caught up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from seamline.errors import UnreadableMedia
from seamline.media.clock import StreamClock
from seamline.media.container import (
    MOST_BARREN_PACKETS,
    check_size,
    open_media,
    refuse_oversized_frames,
    stream_seconds,
)
from seamline.media.frames import thread_count
from seamline.media.grid import SampleGrid
from seamline.media.probe import AudioInfo, MediaInfo, VideoInfo
from seamline.media.resample import MonoResampler
from seamline.media.upright import RgbConverter
from seamline.media.video import Frame
from seamline.watch.feed import Feed
from seamline.watch.pace import Pace, skipping
from seamline.watch.source import Kind, Source, why


class ContainerReader:
    """Reads one opening of a source; ``base_seconds`` is where its clock starts on the feed's."""

    def __init__(
        self,
        source: Source,
        feed: Feed,
        grid: SampleGrid,
        rate_hz: int,
        stop: threading.Event,
        base_seconds: float = 0.0,
    ) -> None:
        self._source, self._feed, self._grid = source, feed, grid
        self._stop, self._base = stop, base_seconds
        self._pace = Pace(source.is_live, stop)
        self._to_rgb = RgbConverter()
        self._resampler = MonoResampler(rate_hz)
        self._due_frame: int | None = None  # number of the grid time after the last one served
        self._barren = 0
        self._notes: list[str] = []

    def run(self) -> None:
        """Read until the end, or until stopped; raises `UnreadableMedia` if it fails."""
        if self._source.kind is Kind.FILE:
            with open_media(self._source.where) as media:
                if media.is_still:
                    raise UnreadableMedia(media.path, "it is a photo; `seamline scan` judges it")
                self._read(media.container, media.video, media.audio, media.origin_seconds)
            return
        with self._source.open() as container:
            video = next((s for s in container.streams.video if s.codec_context), None)
            audio = next((s for s in container.streams.audio if s.codec_context), None)
            self._read(container, video, audio, None)

    def _read(
        self,
        container: InputContainer,
        video: VideoStream | None,
        audio: AudioStream | None,
        origin_seconds: float | None,
    ) -> None:
        if video is None and audio is None:
            raise UnreadableMedia(self._source.shown, "no audio or video stream")
        self._describe(video, audio)
        if video is not None:
            refuse_oversized_frames(video)
            video.thread_type = "AUTO"
            video.codec_context.thread_count = thread_count(video)
        clocks: dict[int, StreamClock] = {}
        for packet in self._packets(container, video, audio):
            if origin_seconds is None:
                origin_seconds = _origin(packet, video, audio)
            if packet.stream.index not in clocks:
                clocks[packet.stream.index] = StreamClock(
                    origin_seconds - self._base, packet.stream.type, self._notes
                )
            clock = clocks[packet.stream.index]
            for frame in self._decoded(packet):
                if isinstance(frame, VideoFrame):
                    self._take_frame(frame, clock, packet)
                elif isinstance(frame, AudioFrame) and frame.samples and frame.sample_rate:
                    self._take_sound(frame, clock)
            self._tell()

    def _packets(
        self, container: InputContainer, video: VideoStream | None, audio: AudioStream | None
    ) -> Iterator[Packet]:
        try:
            asked = time.monotonic()
            for packet in container.demux([s for s in (video, audio) if s is not None]):
                self._pace.waited_for_source(time.monotonic() - asked)
                if self._stop.is_set():
                    return
                yield packet
                asked = time.monotonic()
        except (av.FFmpegError, OSError) as error:
            if self._source.is_end(error, container):
                return
            reason = why(error, self._source.timeout_seconds)
            at = self._feed.newest_seconds
            raise UnreadableMedia(
                self._source.shown, f"the source was lost after {at:.1f} s: {reason}"
            ) from error

    def _decoded(self, packet: Packet) -> list[VideoFrame | AudioFrame]:
        frames: list[VideoFrame | AudioFrame]
        try:
            frames = [f for f in packet.decode() if isinstance(f, (VideoFrame, AudioFrame))]
        except av.FFmpegError:
            frames = []
        self._barren = 0 if frames else self._barren + 1
        if self._barren > MOST_BARREN_PACKETS:
            raise UnreadableMedia(self._source.shown, "nothing of it can be decoded")
        return frames

    def _take_frame(self, frame: VideoFrame, clock: StreamClock, packet: Packet) -> None:
        stream = packet.stream
        rate = stream.average_rate or stream.guessed_rate if isinstance(stream, VideoStream) else 0
        seconds = clock.read(frame, float(1 / rate) if rate else 0.04)
        if seconds is None:
            return
        late = self._pace.wait(seconds)
        context = stream.codec_context
        context.skip_frame = skipping(late)
        self._feed.count_bytes(seconds, packet.size)
        if self._grid.takes(seconds) and not frame.is_corrupt:
            number = self._grid.index(seconds)
            if late > 0 and self._due_frame is not None and context.skip_frame != "DEFAULT":
                self._feed.drop(max(0, number - self._due_frame))
            self._due_frame = number + 1
            check_size(self._source.shown, (frame.width, frame.height))
            self._feed.put_frame(Frame(seconds, self._to_rgb(frame)))
        self._feed.reach(seconds)

    def _take_sound(self, frame: AudioFrame, clock: StreamClock) -> None:
        seconds = clock.read(frame, frame.samples / frame.sample_rate)
        if seconds is None:
            return
        self._pace.wait(seconds)
        for at, samples in self._resampler.feed(frame, seconds):
            self._feed.put_sound(at, samples)

    def _describe(self, video: VideoStream | None, audio: AudioStream | None) -> None:
        picture = sound = None
        if video is not None:
            context, rate = video.codec_context, video.average_rate or video.guessed_rate
            check_size(self._source.shown, (context.width, context.height))
            picture = VideoInfo(
                video.codec.canonical_name, context.width, context.height,
                float(rate) if rate else None, 0, None,
            )  # fmt: skip
        if audio is not None:
            codec = audio.codec_context
            sound = AudioInfo(audio.codec.canonical_name, codec.sample_rate, codec.channels, None)
        kind = "audio" if picture is None else "video"
        self._feed.describe(MediaInfo(self._source.shown, kind, None, picture, sound, ()))  # type: ignore[arg-type]

    def _tell(self) -> None:
        for note in self._notes:
            self._feed.note(note)
        self._notes.clear()


def _origin(packet: Packet, video: VideoStream | None, audio: AudioStream | None) -> float:
    """Tell when a stream's common clock starts: at its earliest stream, or at what comes first."""
    starts = [stream_seconds(s, s.start_time) for s in (video, audio) if s is not None]
    known = [start for start in starts if start is not None]
    first = stream_seconds(packet.stream, packet.pts)
    # What joined a running stream late starts where the first packet is.
    if first is not None and (not known or first - min(known) > 10.0):
        return first
    return min(known, default=0.0)
