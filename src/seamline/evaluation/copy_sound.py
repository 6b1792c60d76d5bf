"""Joins new pictures with a file's own sound: two files in, one out, the sound's packets untouched.

Nothing of the sound is decoded, and it keeps its place in time, so a judge hears what it heard.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from seamline.media.container import open_container, open_media

_FIT_FOR_MP4 = frozenset({"aac", "ac3", "eac3", "mp3"})
"""Other sounds go into Matroska, which holds nearly all of them."""

Timed = tuple[float, int, Packet]


def copy_sound(
    pictures: Path, sound: Path, stem: Path, *, picture_starts_seconds: float = 0.0
) -> Path:
    """Writes both into one file beside ``stem`` and returns its path; MP4, else Matroska.

    ``picture_starts_seconds`` is when the first picture is shown on the clock of ``sound``, which
    may hold no sound at all: then the pictures stand alone.
    """
    with open_media(sound, quick=True) as media, open_container(str(pictures)) as shown:
        fits = media.audio is None or media.audio.codec_context.name in _FIT_FOR_MP4
        target = stem.with_name(stem.name + (".mp4" if fits else ".mkv"))
        try:
            with av.open(str(target), "w") as out:
                streams: list[Stream] = [out.add_stream_from_template(shown.streams.video[0])]
                sides = [_packets(shown.streams.video[0], picture_starts_seconds, 0)]
                if media.audio is not None:
                    streams.append(out.add_stream_from_template(media.audio))
                    sides.append(_packets(media.audio, -media.origin_seconds, 1))
                # By time, so that players and seeking find both together.
                for _, side, packet in heapq.merge(*sides, key=lambda timed: timed[:2]):
                    packet.stream = streams[side]
                    out.mux_one(packet)
        except BaseException:  # half a file must not pass for a whole one
            target.unlink(missing_ok=True)
            raise
    return target


def _packets(stream: Stream, later_seconds: float, side: int) -> Iterator[Timed]:
    """Yields a stream's packets with their time, moved; ends where the file is damaged."""
    assert isinstance(stream.container, InputContainer)
    assert stream.time_base is not None
    ticks = round(later_seconds / stream.time_base)
    try:
        for packet in stream.container.demux(stream):
            if packet.size == 0 or packet.dts is None:
                continue
            packet.dts += ticks
            if packet.pts is not None:
                packet.pts += ticks
            yield float(packet.dts * stream.time_base), side, packet
    except av.FFmpegError:
        return  # what was read can be heard
