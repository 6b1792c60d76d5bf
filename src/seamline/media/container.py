"""Opens a local media file safely: a path goes in, its chosen streams and common clock come out.

A file from a stranger must not make us open other files, reach the network or allocate
gigabytes: demuxers are named one by one, and the decoders refuse oversized frames themselves.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from seamline.errors import OversizedMedia, UnreadableMedia
from seamline.media.declared_size import declared_size
from seamline.media.exif import MIRRORED, exif_orientation

MAX_SIDE_PX = 16384
MAX_PIXELS = 100_000_000
MAX_STREAMS = 64
MOST_BARREN_PACKETS = 1000  # without a frame, after which a stream counts as broken

# Demuxers that read one file and open no other. Playlists and scripts (hls, dash, concat, sdp,
# ffmetadata, lavfi, ...) are left out on purpose: a hostile file would use them to reach others.
_STILL_NAMES = """
    image2 bmp_pipe dds_pipe gem_pipe ico j2k_pipe jpeg_pipe jpegls_pipe jpegxl_pipe pam_pipe
    pbm_pipe pcx_pipe pgm_pipe pgmyuv_pipe png_pipe ppm_pipe psd_pipe qoi_pipe sgi_pipe
    sunrast_pipe tiff_pipe webp_pipe xbm_pipe xpm_pipe
"""
_MOVING_NAMES = """
    aac ac3 aiff amr ape apng asf au av1 avi caf dirac dnxhd dts dv eac3 flac flv gif h261 h263
    h264 hevc ivf jpegxl_anim m4v matroska webm mjpeg mov mp4 m4a 3gp 3g2 mj2 mp3 mpc mpc8 mpeg
    mpegts mpegvideo mxf nsv nut obu ogg rm swf tak tta vc1 vvc w64 wav wtv wv yuv4mpegpipe
"""
STILL_FORMATS = frozenset(_STILL_NAMES.split())
MOVING_FORMATS = frozenset(_MOVING_NAMES.split())
_OPTIONS = {
    "protocol_whitelist": "file",
    # FFmpeg looks for any of a demuxer's names ("mov,mp4,m4a,3gp,3g2,mj2") in this list.
    "format_whitelist": ",".join((_STILL_NAMES + _MOVING_NAMES).split()),
    "max_pixels": str(MAX_PIXELS),  # for the decoders that look for the streams' sizes
    "max_streams": str(MAX_STREAMS),
    "pattern_type": "none",  # image2: "face%03d.jpg" is a file's name, not a sequence
}
# Brands of files that hold one photo in an MP4-like box (AVIF, HEIC).
_STILL_BRANDS = frozenset({"avif", "heic", "heix", "heim", "heis", "mif1"})
# Pictures beside the film: cover art, chapter thumbnails, tiles of a larger photo.
_SIDE_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent
_UNDECODABLE = "not a media file that can be decoded"

_PNG_CODECS = ("png", "apng")

StreamKind = TypeVar("StreamKind", bound=Stream)


@dataclass(frozen=True)
class Media:
    """An open file, the streams that will be read, and where its common clock starts."""

    path: str
    container: InputContainer
    video: VideoStream | None
    audio: AudioStream | None
    origin_seconds: float  # container time at which the common clock shows zero
    is_still: bool  # a photo: its timestamps and frame rate mean nothing
    is_mirrored: bool | None  # stored as in a mirror; None: the frames of this film say


@contextmanager
def open_media(path: str | Path, *, quick: bool = False) -> Iterator[Media]:
    """Open ``path``, choose its streams, and close it afterwards.

    ``quick`` saves decoding a frame (40 ms at 1080p) for those who do not stream the video.
    Raises ``UnreadableMedia`` with a plain reason.
    """
    name = os.fspath(path)
    check_is_readable_file(name)
    with plain_reasons(name):
        check_size(name, declared_size(name))
    container = open_container(name, quick=quick and _is_mp4(name))
    if quick and not all(map(_is_complete, container.streams.video)):
        container.close()
        container = open_container(name)
    with container:
        if len(container.streams) >= MAX_STREAMS:  # FFmpeg stops counting at the limit
            raise UnreadableMedia(name, f"more than {MAX_STREAMS - 1} streams in one file")
        yield _choose_streams(name, container)


def stream_seconds(stream: Stream, ticks: int | None) -> float | None:
    """Return a time given in ``stream``'s ticks in seconds."""
    if ticks is None or stream.time_base is None:
        return None
    return float(ticks * stream.time_base)


def promised_seconds(media: Media, streams: Sequence[Stream]) -> float | None:
    """Return when the longest of ``streams`` ends on the common clock, if the file tells."""
    ends = []
    for stream in streams:
        start = stream_seconds(stream, stream.start_time) or 0.0
        length = stream_seconds(stream, stream.duration) or _tagged_seconds(stream)
        if length:
            ends.append(start + length - media.origin_seconds)
    length = media.container.duration
    if not ends and length and {media.video, media.audio} <= {None, *streams}:
        return length / av.time_base
    return max(ends, default=None)


def _tagged_seconds(stream: Stream) -> float | None:
    """Read Matroska's DURATION tag, such as 00:00:02.023000000."""
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if found is None:
        return None
    hours, minutes, seconds = (float(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def refuse_oversized_frames(stream: VideoStream) -> None:
    """Make the decoder itself stop at frames above the limit, even if they grow midway."""
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}


@contextmanager
def plain_reasons(path: str | Path) -> Iterator[None]:
    """Turn what the system says about a file into ``UnreadableMedia`` with a plain reason."""
    try:
        yield
    except FileNotFoundError:
        raise UnreadableMedia(path, "no such file") from None
    except PermissionError:
        raise UnreadableMedia(path, "no permission to read it") from None
    except OSError as error:
        raise UnreadableMedia(path, error.strerror or str(error)) from error


def check_is_readable_file(path: str | Path) -> None:
    """Raise ``UnreadableMedia`` with a plain reason unless ``path`` is a file with content."""
    with plain_reasons(path):
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise UnreadableMedia(path, "it is a folder, not a file")
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device could block for ever
            raise UnreadableMedia(path, "it is not a regular file")
        if found.st_size == 0:
            raise UnreadableMedia(path, "the file is empty")
        with open(path, "rb"):
            pass


def open_container(name: str, *, quick: bool = False) -> InputContainer:
    """Open the local file ``name`` with the demuxers and limits that are safe for strangers'."""
    options = {**_OPTIONS, "skip_frame": "all"} if quick else _OPTIONS
    try:
        return av.open("file:" + name, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        if _is_mp4(name):
            reason = "an MP4 file without a usable index (moov): it is cut off or damaged"
        else:
            reason = _UNDECODABLE
        raise UnreadableMedia(name, reason) from error


def _is_mp4(name: str) -> bool:
    with plain_reasons(name), open(name, "rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _is_complete(stream: VideoStream) -> bool:
    return stream.codec_context is None or (
        stream.codec_context.width > 0 and stream.start_time is not None
    )


def check_size(name: str, size: tuple[int, int] | None) -> None:
    """Refuse frames too large to be real before anything of that size is allocated."""
    width, height = size or (0, 0)
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise OversizedMedia(
            name,
            f"frames of {width}×{height} px are too large (at most {MAX_SIDE_PX} px a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels)",
        )


def _choose_streams(name: str, container: InputContainer) -> Media:
    pictures = []
    for stream in container.streams.video:
        if stream.codec_context is None or stream.disposition & _SIDE_PICTURES:
            continue
        check_size(name, (stream.codec_context.width, stream.codec_context.height))
        if stream.codec_context.width and stream.codec_context.height:
            pictures.append(stream)
    sounds = [s for s in container.streams.audio if s.codec_context and s.codec_context.rate]
    video = _first_that_decodes(name, pictures)
    audio = _first_that_decodes(name, sounds)
    if video is None and audio is None:
        if container.streams.video or container.streams.audio:
            raise UnreadableMedia(name, _UNDECODABLE)
        raise UnreadableMedia(name, "no audio or video stream")
    still = video is not None and _is_still(container, video)
    starts = [stream_seconds(s, s.start_time) for s in (video, audio) if s is not None]
    known = [start for start in starts if start is not None]
    return Media(
        path=name,
        container=container,
        video=video,
        audio=audio,
        origin_seconds=0.0 if still else min(known, default=0.0),
        is_still=still,
        is_mirrored=_mirrored(name, video, still),
    )


def _mirrored(name: str, video: VideoStream | None, still: bool) -> bool | None:
    if still:
        return exif_orientation(name) in MIRRORED
    # PyAV 18 crashes at the side data of a PNG with a colour profile; a matrix is seldom there.
    return False if video is not None and video.codec.name in _PNG_CODECS else None


def _is_still(container: InputContainer, video: VideoStream) -> bool:
    if container.format.name in STILL_FORMATS:
        return True
    return container.metadata.get("major_brand") in _STILL_BRANDS and video.frames <= 1


def _first_that_decodes(name: str, streams: Sequence[StreamKind]) -> StreamKind | None:
    """Return the stream marked as default, or else the first, passing over broken ones."""
    # An animated AVIF has two default streams: one still, and the film.
    ordered = sorted(
        streams, key=lambda s: (not s.disposition & Disposition.default, s.frames == 1)
    )
    if len(ordered) < 2:  # no choice: reading it will tell
        return ordered[0] if ordered else None
    return next((s for s in ordered if _one_frame_decodes(name, s.index)), ordered[0])


def _one_frame_decodes(name: str, index: int) -> bool:
    with open_container(name) as container:  # a second handle: the first stays at its start
        for packet in islice(container.demux(container.streams[index]), MOST_BARREN_PACKETS):
            with suppress(av.FFmpegError):
                if packet.decode():
                    return True
    return False
