"""Walks through a file's packets: an open file and one of its streams go in, packets come out.

Knows when moving ahead by seeking pays, and whether the file ends before it should.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.packet import Packet
from av.stream import Discard, Stream

from seamline.media.container import Media, promised_seconds, stream_seconds

# Containers whose seeking lands where it says. Elementary streams, MP3 and ADTS go by bitrate.
_SEEKABLE = frozenset(
    {"mov", "matroska", "avi", "asf", "mpegts", "flv", "mxf", "ogg", "wtv"}
    | {"wav", "w64", "flac", "caf", "aiff"}
)
_LEAST_GAIN_SECONDS = 2.0
_INDEXED = frozenset({"mov", "matroska", "avi"})  # others' indexes hold only what was come across
# Without an index, a seek may land a whole group of pictures back (x264: up to 250 frames, 10 s).
_BLIND_SEEK_SECONDS = 12.0
_CUT_SECONDS, _CUT_SHARE = 1.0, 0.02  # ending so much early is a cut; less is rounding


class PacketSource:
    """The packets of ``stream`` in file order, and last an empty one that flushes its decoder."""

    def __init__(self, media: Media, stream: Stream, notes: list[str]) -> None:
        self._media = media
        self._stream = stream
        self._notes = notes
        formats = media.container.format.name.split(",")
        self._can_seek = not _SEEKABLE.isdisjoint(formats)
        self._is_indexed = not _INDEXED.isdisjoint(formats)
        self.position_seconds = 0.0  # on the common clock: how far ``stream`` was read
        self._reached_seconds = 0.0  # how far any stream was read
        self.has_moved = False
        self._is_bare = False  # no packet has come since the last seek
        # Reading sound along costs little and tells where the file ends; pictures would cost much.
        self._read = [s for s in (stream, media.audio) if s is not None]
        for other in media.container.streams:
            if other not in self._read:
                other.discard = Discard.all
        self._demuxer = self._demux()

    def read(self) -> Packet | None:
        """Return the next packet; ``None`` at the end (a ``seek`` leads back from there)."""
        return next(self._demuxer, None)

    def seek_pays(self, seconds: float) -> bool:
        """Tell whether seeking to ``seconds`` is quicker than reading on."""
        gap = seconds - self.position_seconds
        if not self._can_seek or gap < _LEAST_GAIN_SECONDS:
            return False
        entries, ticks = self._stream.index_entries, self._ticks(self._stream, seconds)
        if not self._is_indexed or not len(entries) or entries[-1].timestamp < ticks:
            return gap > _BLIND_SEEK_SECONDS
        found = entries.search_timestamp(ticks)
        key = stream_seconds(self._stream, entries[found].timestamp) if found >= 0 else None
        if key is None:
            return False
        return key - self._media.origin_seconds > self.position_seconds + _LEAST_GAIN_SECONDS

    def seek(self, seconds: float) -> bool:
        """Move to a key frame at or before ``seconds``; tell whether that was possible."""
        if not self._can_seek:
            return False
        guide: Stream = self._stream
        if self._media.video is not None and "mov" not in self._media.container.format.name:
            guide = self._media.video  # Matroska, among others, indexes the video only
            guide.discard = Discard.default
        try:
            self._media.container.seek(self._ticks(guide, seconds), stream=guide)
        except av.FFmpegError:
            self._can_seek = False  # whoever asked reads on from here instead
            return False
        self._demuxer = self._demux()
        self.position_seconds = seconds
        self.has_moved = self._is_bare = True
        return True

    def _ticks(self, stream: Stream, seconds: float) -> int:
        assert stream.time_base is not None
        return int((max(0.0, seconds) + self._media.origin_seconds) / stream.time_base)

    def _demux(self) -> Iterator[Packet]:
        try:
            for packet in self._media.container.demux(self._read):
                self._follow(packet)
                # (An empty packet's own stream_index is 0, whichever stream it is to flush.)
                if packet.stream.index == self._stream.index:
                    self._is_bare = self._is_bare and not packet.size
                    yield packet
        except av.FFmpegError:
            self._notes.append(f"the file is damaged from {self._reached_seconds:.2f} s on")
            flush = Packet()  # empty: the decoder gives what it still holds
            flush.stream = self._stream
            yield flush
        else:
            self._note_if_cut()

    def _follow(self, packet: Packet) -> None:
        at = stream_seconds(packet.stream, packet.pts)
        if at is None:
            return
        at -= self._media.origin_seconds
        length = stream_seconds(packet.stream, packet.duration) or 0.0
        self._reached_seconds = max(self._reached_seconds, at + length)
        if packet.stream.index == self._stream.index:
            self.position_seconds = max(self.position_seconds, at)

    def _note_if_cut(self) -> None:
        promised = promised_seconds(self._media, self._read)
        if promised is None or self.position_seconds >= promised:
            return
        if self._is_bare:
            self._notes.append(
                f"nothing of the file can be read from {self.position_seconds:.2f} s on"
            )
            return
        if promised - self._reached_seconds > max(_CUT_SECONDS, _CUT_SHARE * promised):
            self._notes.append(
                f"the file ends at {self._reached_seconds:.2f} s of {promised:.2f} s: it is cut off"
            )
