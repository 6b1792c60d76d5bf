"""Opens a local media file safely: a path goes in, its chosen streams and common clock come out.

A file from a stranger must not make us open other files, reach the network or allocate
gigabytes, so demuxers are named one by one and frame sizes are checked before any decoding.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from seamline.errors import UnreadableMedia

MAX_SIDE_PX = 16384
MAX_PIXELS = 100_000_000
MAX_STREAMS = 64

# Demuxers that read one file and open no other. Playlists and scripts (hls, dash, concat, sdp,
# ffmetadata, lavfi, ...) are left out on purpose: a hostile file would use them to reach others.
STILL_FORMATS = frozenset(
    [
        "image2",
        "bmp_pipe",
        "dds_pipe",
        "gem_pipe",
        "j2k_pipe",
        "jpeg_pipe",
        "jpegls_pipe",
        "jpegxl_pipe",
        "pam_pipe",
        "pbm_pipe",
        "pcx_pipe",
        "pgm_pipe",
        "pgmyuv_pipe",
        "png_pipe",
        "ppm_pipe",
        "psd_pipe",
        "qoi_pipe",
        "sgi_pipe",
        "sunrast_pipe",
        "tiff_pipe",
        "webp_pipe",
        "xbm_pipe",
        "xpm_pipe",
        "ico",
    ]
)
MOVING_FORMATS = frozenset(
    [
        "aac",
        "ac3",
        "aiff",
        "amr",
        "ape",
        "apng",
        "asf",
        "au",
        "av1",
        "avi",
        "caf",
        "dirac",
        "dnxhd",
        "dts",
        "dv",
        "eac3",
        "f4v",
        "flac",
        "flv",
        "gif",
        "h261",
        "h263",
        "h264",
        "hevc",
        "ivf",
        "m4v",
        "matroska",
        "webm",
        "mjpeg",
        "mov",
        "mp4",
        "m4a",
        "3gp",
        "3g2",
        "mj2",
        "mp3",
        "mpeg",
        "mpegts",
        "mpegvideo",
        "mpc",
        "mpc8",
        "mxf",
        "nsv",
        "nut",
        "obu",
        "ogg",
        "rm",
        "swf",
        "tak",
        "tta",
        "vc1",
        "vvc",
        "w64",
        "wav",
        "webp_anim",
        "wtv",
        "wv",
        "yuv4mpegpipe",
        "jpegxl_anim",
    ]
)
_OPTIONS = {
    "protocol_whitelist": "file",
    # FFmpeg compares the whitelist with each of the names of a demuxer ("mov,mp4,m4a,...").
    "format_whitelist": ",".join(sorted(STILL_FORMATS | MOVING_FORMATS)),
    "max_streams": str(MAX_STREAMS),
    "pattern_type": "none",  # image2: "face%03d.jpg" is a file's name, not a sequence
}


@dataclass(frozen=True)
class Media:
    """An open file, the streams that will be read, and where its common clock starts."""

    path: str
    container: InputContainer
    video: VideoStream | None
    audio: AudioStream | None
    origin_seconds: float  # container time at which the common clock shows zero
    is_still: bool  # a photo: timestamps and frame rate mean nothing
    warnings: tuple[str, ...]


@contextmanager
def open_media(path: str | Path) -> Iterator[Media]:
    """Open ``path``, choose its streams and close it afterwards.

    Raises ``UnreadableMedia`` with a plain reason.
    """
    name = os.fspath(path)
    _check_is_readable_file(name)
    try:
        container = av.open("file:" + name, options=_OPTIONS, metadata_errors="replace")
    except av.FFmpegError as error:
        raise UnreadableMedia(name, _why_not_opened(name, error)) from error
    with container:
        yield _choose(name, container)


def seconds_of(stream: Stream, pts: int | None) -> float | None:
    """A timestamp of ``stream`` in seconds of the container's own clock."""
    if pts is None or stream.time_base is None:
        return None
    return float(pts * stream.time_base)


def _check_is_readable_file(name: str) -> None:
    try:
        found = os.stat(name)
        if stat.S_ISDIR(found.st_mode):
            raise UnreadableMedia(name, "it is a folder, not a file")
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device could block for ever
            raise UnreadableMedia(name, "it is not a regular file")
        if found.st_size == 0:
            raise UnreadableMedia(name, "the file is empty")
        with open(name, "rb"):
            pass
    except FileNotFoundError:
        raise UnreadableMedia(name, "no such file") from None
    except PermissionError:
        raise UnreadableMedia(name, "no permission to read it") from None
    except OSError as error:
        raise UnreadableMedia(name, error.strerror or str(error)) from error


def _why_not_opened(name: str, error: av.FFmpegError) -> str:
    with open(name, "rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "the file is cut off: its index (moov) is missing, so nothing can be decoded"
    del error
    return "not a media file that can be decoded"


def _choose(name: str, container: InputContainer) -> Media:
    if len(container.streams) > MAX_STREAMS:
        found = len(container.streams)
        raise UnreadableMedia(name, f"{found} streams in one file (at most {MAX_STREAMS} are read)")
    still = container.format.name in STILL_FORMATS
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    video = _first_decodable([s for s in pictures if s.codec_context and s.codec_context.width])
    audio = _first_decodable([s for s in container.streams.audio if s.codec_context])
    if video is None and audio is None:
        raise UnreadableMedia(name, "no audio or video stream that can be decoded")
    if video is not None:
        check_size(name, video.codec_context.width, video.codec_context.height)
    starts = [seconds_of(s, s.start_time) for s in (video, audio) if s is not None]
    known = [start for start in starts if start is not None]
    origin = 0.0 if still or not known else min(known)
    return Media(name, container, video, audio, origin, still, ())


def _first_decodable(streams: Sequence) -> Stream | None:  # type: ignore[type-arg]
    marked = [s for s in streams if s.disposition & Disposition.default]
    return next(iter([*marked, *streams]), None)


def check_size(name: str, width: int, height: int) -> None:
    """Refuse frames too large to be real before anything of that size is allocated."""
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise UnreadableMedia(
            name,
            f"frames of {width}×{height} px are too large (at most {MAX_SIDE_PX} px a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels)",
        )
