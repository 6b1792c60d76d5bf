"""Tells what a media file holds: a path goes in, a ``MediaInfo`` comes out.

One frame of each chosen stream is decoded, so what is reported can really be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from seamline.errors import UnreadableMedia
from seamline.media.container import (
    Media,
    open_media,
    refuse_oversized_frames,
    stream_seconds,
)
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
        notes: list[str] = []
        frames = [] if media.video is None else _first_frames(media, media.video)
        is_photo = media.is_still or (_is_picture_format(media) and len(frames) == 1)
        video = None if media.video is None else _video_info(media.video, frames[0], is_photo)
        audio = None if media.audio is None else _audio_info(media.audio)
        kind: Literal["video", "image", "audio"]
        kind = "image" if is_photo else "audio" if video is None else "video"
        duration = None if is_photo else _duration_seconds(media, notes)
        return MediaInfo(media.path, kind, duration, video, audio, tuple(notes))


def _first_frames(media: Media, stream: VideoStream) -> list[VideoFrame]:
    """Return the first frame, and for formats that may hold a photo also the second."""
    refuse_oversized_frames(stream)
    needed = 2 if _is_picture_format(media) and not media.is_still else 1
    frames: list[VideoFrame] = []
    try:
        for packet in media.container.demux(stream):
            frames += [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
            if len(frames) >= needed:
                break
    except av.FFmpegError:
        pass  # told below if nothing came before the damage, else while streaming
    if not frames:
        raise UnreadableMedia(media.path, "no frame of its video can be decoded")
    return frames


def _is_picture_format(media: Media) -> bool:
    return media.container.format.name in ("gif", "apng", "jpegxl_anim")


def _video_info(stream: VideoStream, frame: VideoFrame, is_photo: bool) -> VideoInfo:
    turn, _ = orientation(frame)
    width, height = frame.width, frame.height
    if turn in (90, 270):
        width, height = height, width
    rate = None if is_photo else stream.average_rate or stream.guessed_rate
    return VideoInfo(
        codec=stream.codec.canonical_name,
        width=width,
        height=height,
        frames_per_second=float(rate) if rate else None,
        rotation_degrees=turn,
        duration_seconds=None if is_photo else stream_seconds(stream, stream.duration or None),
    )


def _audio_info(stream: AudioStream) -> AudioInfo:
    context = stream.codec_context
    return AudioInfo(
        codec=stream.codec.canonical_name,
        sample_rate_hz=context.sample_rate,
        channels=context.channels,
        duration_seconds=stream_seconds(stream, stream.duration or None),
    )


def _duration_seconds(media: Media, notes: list[str]) -> float | None:
    length = media.container.duration
    return length / av.time_base if length else None
