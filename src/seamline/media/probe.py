"""Tells what a media file holds: a path goes in, a ``MediaInfo`` comes out.

One frame of each chosen stream is decoded, so what is reported can really be read.
"""

from __future__ import annotations

from bisect import bisect_right
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
    open_container,
    open_media,
    refuse_oversized_frames,
    stream_seconds,
)
from seamline.media.upright import orientation

# Formats without a duration of their own: FFmpeg guesses it from the bitrate or a few timestamps.
_GUESSING_FORMATS = frozenset(
    {"aac", "ac3", "amr", "dts", "eac3", "mp3", "mpeg"}
    | {"av1", "h261", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vc1", "vvc"}
)
_MEASURED_BYTES = 500_000_000  # read through in a second or so; larger files stay a guess


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
    with open_media(path, quick=True) as media:
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
    """Return how long the file really lasts, as far as that can be told without decoding."""
    container = media.container
    length = container.duration / av.time_base if container.duration else None
    guessed = length is None or not _GUESSING_FORMATS.isdisjoint(container.format.name.split(","))
    if guessed and container.size <= _MEASURED_BYTES:
        return _measured_seconds(media)
    held = _held_seconds(media)
    if held is not None and length is not None and held < length:
        notes.append(f"the file ends at {held:.2f} s of {length:.2f} s: it is cut off")
        return held
    return length


def _measured_seconds(media: Media) -> float | None:
    """Walk through all packets, without decoding, and return where the last one ends."""
    end, counted = 0.0, 0.0
    with open_container(media.path) as container:
        streams = [container.streams[s.index] for s in (media.video, media.audio) if s is not None]
        rate = (media.video and (media.video.average_rate or media.video.guessed_rate)) or 25
        try:
            for packet in container.demux(streams):
                start = stream_seconds(packet.stream, packet.pts)
                length = stream_seconds(packet.stream, packet.duration) or 0.0
                if start is not None:
                    end = max(end, start + length - media.origin_seconds)
                elif packet.size and packet.stream.type == "video":
                    counted += length or float(1 / rate)
        except av.FFmpegError:
            pass  # what was walked through is what can be read
    return max(end, counted) or None


def _held_seconds(media: Media) -> float | None:
    """Return up to when the file holds the frames that its index promises (MP4, MOV)."""
    ends = []
    for stream in (media.video, media.audio):
        if stream is None or not len(stream.index_entries):
            continue
        entries, size = stream.index_entries, media.container.size
        missing = bisect_right(
            range(len(entries)), size, key=lambda i: entries[i].pos + entries[i].size
        )
        if missing == len(entries):
            return None
        ends.append(stream_seconds(stream, entries[missing].timestamp) or 0.0)
    return max(ends) - media.origin_seconds if ends else None
