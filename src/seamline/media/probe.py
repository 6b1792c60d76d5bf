"""Tells what a media file holds: a path goes in, a ``MediaInfo`` comes out.

One frame of each chosen stream is decoded, so what is reported can really be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.stream import Stream
from av.video.frame import VideoFrame

from seamline.errors import UnreadableMedia
from seamline.media.container import Media, open_media
from seamline.media.upright import orientation


@dataclass(frozen=True)
class VideoInfo:
    """The picture stream; width and height are upright, after rotation."""

    codec: str
    width: int
    height: int
    frames_per_second: float | None
    rotation_degrees: int
    duration_seconds: float | None


@dataclass(frozen=True)
class AudioInfo:
    """The sound stream, as stored (it is read as mono at the rate asked for)."""

    codec: str
    sample_rate_hz: int
    channels: int
    duration_seconds: float | None


@dataclass(frozen=True)
class MediaInfo:
    """What a file holds; ``None`` where it has no such stream or does not tell."""

    path: str
    kind: Literal["video", "image", "audio"]
    duration_seconds: float | None
    video: VideoInfo | None
    audio: AudioInfo | None
    warnings: tuple[str, ...]


def probe(path: str | Path) -> MediaInfo:
    """Return what the file at ``path`` holds. Raises ``UnreadableMedia`` with a plain reason."""
    with open_media(path) as media:
        video = _video_info(media)
        audio = _audio_info(media)
        duration = None if media.is_still else _duration_seconds(media)
        kind: Literal["video", "image", "audio"]
        kind = "audio" if video is None else "image" if media.is_still else "video"
        return MediaInfo(media.path, kind, duration, video, audio, media.warnings)


def _video_info(media: Media) -> VideoInfo | None:
    if media.video is None:
        return None
    frame = _first_frame(media)
    turn, _ = orientation(frame)
    width, height = frame.width, frame.height
    if turn in (90, 270):
        width, height = height, width
    stream = media.video
    rate = None if media.is_still else stream.average_rate or stream.guessed_rate
    return VideoInfo(
        codec=stream.codec_context.name,
        width=width,
        height=height,
        frames_per_second=float(rate) if rate else None,
        rotation_degrees=turn,
        duration_seconds=None if media.is_still else _stream_seconds(stream),
    )


def _first_frame(media: Media) -> VideoFrame:
    try:
        for packet in media.container.demux(media.video):
            for frame in packet.decode():
                return frame
    except av.FFmpegError as error:
        raise UnreadableMedia(media.path, "no frame of its video can be decoded") from error
    raise UnreadableMedia(media.path, "no frame of its video can be decoded")


def _audio_info(media: Media) -> AudioInfo | None:
    if media.audio is None:
        return None
    context = media.audio.codec_context
    return AudioInfo(
        codec=context.name,
        sample_rate_hz=context.sample_rate,
        channels=context.channels,
        duration_seconds=_stream_seconds(media.audio),
    )


def _stream_seconds(stream: Stream) -> float | None:
    if not stream.duration or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def _duration_seconds(media: Media) -> float | None:
    length = media.container.duration
    return length / av.time_base if length else None
