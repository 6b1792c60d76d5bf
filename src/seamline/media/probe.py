"""Tells what a media file holds: a path goes in, a ``MediaInfo`` comes out.

One frame of each chosen stream is decoded, so what is reported can really be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import av
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc
from av.video.stream import VideoStream

from seamline.errors import UnreadableMedia
from seamline.media.animated_webp import WebpAnimation, webp_animation
from seamline.media.container import (
    MOST_BARREN_PACKETS,
    Media,
    check_is_readable_file,
    check_size,
    open_media,
    refuse_oversized_frames,
    stream_seconds,
)
from seamline.media.duration import duration_seconds, is_guessed
from seamline.media.upright import orientation

_HDR_TRANSFERS = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)  # PQ and HLG
_NEARLY_SQUARE = 0.05


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
    check_is_readable_file(path)
    animation = webp_animation(path)
    if animation is not None:
        return _animation_info(path, animation)
    with open_media(path, quick=True) as media:
        notes: list[str] = []
        frames = [] if media.video is None else _first_frames(media, media.video)
        if media.video is not None and not frames:
            if media.audio is None:
                raise UnreadableMedia(path, "no frame of its video can be decoded")
            notes.append("no frame of its video can be decoded: only the sound is examined")
        is_photo = media.is_still or (_may_be_photo(media) and len(frames) == 1)
        video = _video_info(media, frames[0], is_photo) if frames else None
        notes += [*_colour_and_shape_notes(media, frames), *_track_notes(media)]
        audio = _audio_info(media)
        kind: Literal["video", "image", "audio"]
        kind = "image" if is_photo else "audio" if video is None else "video"
        duration = None if is_photo else duration_seconds(media, notes)
        return MediaInfo(media.path, kind, duration, video, audio, tuple(notes))


def _animation_info(path: str | Path, animation: WebpAnimation) -> MediaInfo:
    check_size(str(path), (animation.width, animation.height))
    count, seconds = len(animation.starts_seconds), animation.duration_seconds
    is_photo = count == 1
    video = VideoInfo(
        codec="webp",
        width=animation.width,
        height=animation.height,
        frames_per_second=count / seconds if seconds and not is_photo else None,
        rotation_degrees=0,
        duration_seconds=None if is_photo else seconds,
    )
    kind: Literal["image", "video"] = "image" if is_photo else "video"
    return MediaInfo(str(path), kind, video.duration_seconds, video, None, ())


def _first_frames(media: Media, stream: VideoStream) -> list[VideoFrame]:
    """Return the first frame, and for formats that may hold a photo also the second."""
    refuse_oversized_frames(stream)
    needed = 2 if _may_be_photo(media) else 1
    frames: list[VideoFrame] = []
    for packet in islice(media.container.demux(stream), MOST_BARREN_PACKETS):
        try:
            frames += [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except av.FFmpegError:
            continue  # a damaged start; what follows may do
        if len(frames) >= needed:
            break
    return frames


def _colour_and_shape_notes(media: Media, frames: list[VideoFrame]) -> list[str]:
    """Tell what is read as it is stored although players show it otherwise."""
    notes = []
    if frames and frames[0].color_trc in _HDR_TRANSFERS:
        notes.append("its colours are HDR and are read without tone mapping: they look pale")
    shape = media.video.codec_context.sample_aspect_ratio if media.video is not None else None
    if shape and abs(shape - 1) > _NEARLY_SQUARE:
        notes.append(f"its pixels are not square ({shape.numerator}:{shape.denominator})")
    return notes


def _track_notes(media: Media) -> list[str]:
    """Tell that there is sound that is not heard."""
    tracks = list(media.container.streams.audio)
    if media.audio is None or len(tracks) < 2:
        return []
    which = tracks.index(media.audio) + 1
    return [f"of its {len(tracks)} sound tracks only one is examined: number {which}"]


def _may_be_photo(media: Media) -> bool:
    return media.container.format.name in ("gif", "apng", "jpegxl_anim")


def _video_info(media: Media, frame: VideoFrame, is_photo: bool) -> VideoInfo:
    stream = media.video
    assert stream is not None
    turn, _ = orientation(frame, media.is_mirrored)
    width, height = frame.width, frame.height
    if turn in (90, 270):
        width, height = height, width
    rate = None if is_photo else stream.average_rate or stream.guessed_rate
    is_timeless = is_photo or is_guessed(media.container)
    return VideoInfo(
        codec=stream.codec.canonical_name,
        width=width,
        height=height,
        frames_per_second=float(rate) if rate else None,
        rotation_degrees=turn,
        duration_seconds=None if is_timeless else stream_seconds(stream, stream.duration or None),
    )


def _audio_info(media: Media) -> AudioInfo | None:
    stream = media.audio
    if stream is None:
        return None
    is_timeless = is_guessed(media.container)
    return AudioInfo(
        codec=stream.codec.canonical_name,
        sample_rate_hz=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels,
        duration_seconds=None if is_timeless else stream_seconds(stream, stream.duration or None),
    )
