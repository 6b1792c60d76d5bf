"""Tells how long a file really lasts: an open file goes in, seconds come out, nothing is decoded.

Headers may be silent (browsers' WebM), guesses (MPEG, raw streams) or promises that a file which
was cut off does not keep.
"""

from __future__ import annotations

from bisect import bisect_right

import av
from av.container import InputContainer

from seamline.media.container import Media, open_container, stream_seconds

# Formats without a duration of their own: FFmpeg guesses it from the bitrate or a few timestamps.
_GUESSING_FORMATS = frozenset(
    {"aac", "ac3", "amr", "dts", "eac3", "mp3", "mpeg"}
    | {"av1", "h261", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vc1", "vvc"}
)
_MEASURED_BYTES = 500_000_000  # walked through in a second or so; larger files stay a guess


def is_guessed(container: InputContainer) -> bool:
    """Tell whether the durations that FFmpeg gives for this file are guesses."""
    return not _GUESSING_FORMATS.isdisjoint(container.format.name.split(","))


def duration_seconds(media: Media, notes: list[str]) -> float | None:
    """Return when the last packet of ``media`` ends; tells in ``notes`` if the file is cut off."""
    container = media.container
    length = container.duration / av.time_base if container.duration else None
    if (length is None or is_guessed(container)) and container.size <= _MEASURED_BYTES:
        return _measured_seconds(media)
    held = _held_seconds(media)
    if held is not None and length is not None and held < length:
        notes.append(f"the file ends at {held:.2f} s of {length:.2f} s: it is cut off")
        return held
    return length


def _measured_seconds(media: Media) -> float | None:
    """Walk through all packets and return where the last one ends."""
    end, counted = 0.0, 0.0
    rate = (media.video and (media.video.average_rate or media.video.guessed_rate)) or 25
    with open_container(media.path) as container:
        streams = [container.streams[s.index] for s in (media.video, media.audio) if s is not None]
        try:
            for packet in container.demux(streams):
                start = stream_seconds(packet.stream, packet.pts)
                length = stream_seconds(packet.stream, packet.duration) or 0.0
                if start is not None:
                    end = max(end, start + length - media.origin_seconds)
                elif packet.size and packet.stream.type == "video":
                    counted += length or float(1 / rate)  # raw H.264 has no timestamps
        except av.FFmpegError:
            pass  # what was walked through is what can be read
    return max(end, counted) or None


def _held_seconds(media: Media) -> float | None:
    """Return up to when the file holds the frames that its index promises (MP4, MOV)."""
    if "mov" not in media.container.format.name:
        return None
    size, ends = media.container.size, []
    for stream in (media.video, media.audio):
        if stream is None or not len(stream.index_entries):
            continue
        entries = stream.index_entries
        held = bisect_right(
            range(len(entries)), size, key=lambda i: entries[i].pos + entries[i].size
        )
        if held == len(entries):
            return None
        ends.append(stream_seconds(stream, entries[held].timestamp) or 0.0)
    return max(0.0, max(ends) - media.origin_seconds) if ends else None
