"""Decodes a sound stream: an open file goes in, mono samples with their places come out."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.audio.frame import AudioFrame
from av.packet import Packet

from seamline.media.clock import StreamClock
from seamline.media.container import Media
from seamline.media.packets import PacketSource
from seamline.media.resample import MonoResampler, Placed

# Opus asks for 80 ms of sound before the first sample wanted (RFC 7845, 4.6), MP3 and AAC for two
# frames; half a second is cheap and enough for all.
_PREROLL_SECONDS = 0.5
_SEEK_BACK_SECONDS = 10.0  # tried when a seek landed behind its target; then the start


class SoundSource:
    """The resampled sound of a file in order, in pieces with their places."""

    def __init__(self, media: Media, rate_hz: int, notes: list[str]) -> None:
        assert media.audio is not None
        self._notes = notes
        self._rate_hz = rate_hz
        self._packets = PacketSource(media, media.audio, notes)
        self._clock = StreamClock(media.origin_seconds, "sound", notes)
        self._resampler = MonoResampler(rate_hz)
        self._pieces = self._resampled()
        self._landing: float | None = None  # where the first frame after a seek should be
        self._retries: list[float] = []
        self._seconds = 0.0
        self._is_damaged = False
        self.has_decoded = False

    def __iter__(self) -> Iterator[Placed]:
        """Yield (index of the first sample, samples) up to the end."""
        while (placed := self.read()) is not None:
            yield placed

    def read(self) -> Placed | None:
        """Return the next piece; ``None`` at the end."""
        return next(self._pieces, None)

    @property
    def has_moved(self) -> bool:
        """Whether parts of the stream were passed over by seeking."""
        return self._packets.has_moved

    def skip_to(self, seconds: float) -> None:
        """Allow that sound before ``seconds`` is left out: seeks if that is quicker."""
        target = seconds - _PREROLL_SECONDS
        if self._packets.seek_pays(target):
            self._landing = seconds
            self._retries = [max(0.0, target - _SEEK_BACK_SECONDS), 0.0]
            self._move(target)

    def _move(self, seconds: float) -> None:
        if self._packets.seek(seconds):
            self._clock.moved_to(seconds)
            self._resampler = MonoResampler(self._rate_hz)
            self._pieces = self._resampled()
        else:
            self._landing = None

    def _resampled(self) -> Iterator[Placed]:
        resampler = self._resampler
        while (packet := self._packets.read()) is not None:
            for frame in self._decode(packet):
                seconds = self._clock.read(frame, frame.samples / frame.sample_rate)
                if self._landing is not None and self._has_landed_behind(seconds):
                    yield from self._pieces  # the new place's
                    return
                if seconds is not None:
                    self.has_decoded = True
                    self._seconds = seconds
                    yield from resampler.feed(frame, seconds)
        yield from resampler.flush()

    def _has_landed_behind(self, seconds: float | None) -> bool:
        assert self._landing is not None
        if self._retries and (seconds is None or seconds > self._landing):
            self._move(self._retries.pop(0))
            return self._landing is not None
        self._landing = None
        return False

    def _decode(self, packet: Packet) -> list[AudioFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            if not self._is_damaged:
                self._notes.append(f"the sound is damaged near {self._seconds:.2f} s")
            self._is_damaged = True
            return []
        return [f for f in frames if isinstance(f, AudioFrame) and f.samples and f.sample_rate]
