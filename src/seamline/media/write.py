"""Writes media files: pixels and samples go in, a video, a sound file or a picture comes out.

Colours are stored by the matrix usual for the size, and tagged with it, so that they read back as
they were. The usual 4:2:0 sampling needs even sizes; odd sizes are kept, with 4:4:4 sampling.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import Float, UInt8

from seamline.media.upright import colour_matrix

_BT709, _BT601 = 1, 6  # codes of ITU-T H.273 for matrix, primaries and transfer alike


def write_video(
    path: str | Path,
    frames: Iterable[UInt8[np.ndarray, "height width 3"]],
    frames_per_second: float,
    *,
    samples: Float[np.ndarray, " sample"] | None = None,
    sample_rate_hz: int = 16000,
    codec: str = "libx264",
    crf: float | None = 18,
    pixel_format: str | None = None,
    audio_codec: str = "aac",
    options: Mapping[str, str] | None = None,
) -> None:
    """Write ``frames`` and, if given, mono ``samples`` from the same instant on.

    ``crf`` is the constant quality of x264, x265, VP9 and AV1 (``None``: the encoder's default);
    ``pixel_format`` overrides the sampling; ``options`` go to the video encoder.
    """
    pending = iter(frames)
    first = next(pending, None)
    if first is None:
        raise ValueError("write_video needs at least one frame, got none")
    rate = Fraction(frames_per_second).limit_denominator(1001)
    encoder_options = {**({} if crf is None else {"crf": str(crf)}), **(options or {})}
    with _same_scheduling(), av.open(str(path), "w") as container:
        # Streams must be there before the first packet.
        pictures = _PictureTrack(
            container, codec, rate, first.shape[:2], pixel_format, encoder_options
        )
        sound = None
        if samples is not None:
            sound = _SoundTrack(container, audio_codec, samples, sample_rate_hz)
        for index, rgb in enumerate(chain([first], pending)):
            pictures.write(rgb)
            if sound is not None:  # side by side, so that players and seeking find both together
                sound.write_until(float((index + 1) / rate))
        pictures.close()
        if sound is not None:
            sound.close()


@contextmanager
def _same_scheduling() -> Iterator[None]:
    """Give the thread back the priority that it had.

    SVT-AV1 makes the thread that opens it a real-time one (``SCHED_FIFO``, 99) where it may, such
    as root in a container, and leaves it so: every thread and process started from then on goes
    before all others of the machine, and one that spins for another can wait for ever.
    """
    if not hasattr(os, "sched_getscheduler"):  # macOS, Windows
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if (os.sched_getscheduler(0), os.sched_getparam(0)) != (policy, parameters):
            os.sched_setscheduler(0, policy, parameters)


class _PictureTrack:
    """A video stream being written."""

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        rate: Fraction,
        shape: tuple[int, int],
        pixel_format: str | None,
        options: Mapping[str, str],
    ) -> None:
        height, width = shape
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width, height
        is_odd = width % 2 or height % 2
        stream.pix_fmt = pixel_format or ("yuv444p" if is_odd else "yuv420p")
        stream.options = dict(options)
        self._is_rgb = stream.pix_fmt.startswith(("rgb", "bgr", "gbr", "pal", "gray", "mono"))
        is_jpeg = stream.pix_fmt.startswith("yuvj")  # JPEG (JFIF) is BT.601 in full range
        self._range = ColorRange.JPEG if is_jpeg else ColorRange.MPEG
        self._matrix = Colorspace.ITU601 if is_jpeg else colour_matrix(width, height)
        if not self._is_rgb:
            context = stream.codec_context
            context.color_range = self._range
            hd = self._matrix == Colorspace.ITU709
            context.colorspace = _BT709 if hd else _BT601
            context.color_primaries = context.color_trc = _BT709 if hd else _BT601
        self._container, self._stream = container, stream
        self._reformatter = VideoReformatter()

    def write(self, rgb: UInt8[np.ndarray, "height width 3"]) -> None:
        shape = (self._stream.height, self._stream.width, 3)
        if rgb.shape != shape:
            raise ValueError(f"frames of one video have one shape: {shape}, then {rgb.shape}")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = self._reformatter.reformat(
            frame,
            format=self._stream.pix_fmt,
            dst_colorspace=None if self._is_rgb else self._matrix,
            dst_color_range=None if self._is_rgb else self._range,
            threads=1,
        )
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))


class _SoundTrack:
    """An audio stream being written."""

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        samples: Float[np.ndarray, " sample"],
        rate_hz: int,
    ) -> None:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, AudioStream)
        self._container, self._stream, self._rate_hz = container, stream, rate_hz
        self._samples = np.ascontiguousarray(samples, dtype=np.float32)
        self._written = 0

    def write_until(self, seconds: float) -> None:
        stop = min(len(self._samples), round(seconds * self._rate_hz))
        if stop <= self._written:
            return
        block = self._samples[None, self._written : stop]
        frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
        frame.sample_rate, frame.pts = self._rate_hz, self._written
        frame.time_base = Fraction(1, self._rate_hz)
        self._container.mux(self._stream.encode(frame))
        self._written = stop

    def close(self) -> None:
        total = len(self._samples) / self._rate_hz
        while self._written < len(self._samples):  # longer than the pictures: second by second
            self.write_until(min(total, self._written / self._rate_hz + 1.0))
        self._container.mux(self._stream.encode(None))


def write_audio(
    path: str | Path, samples: Float[np.ndarray, " sample"], sample_rate_hz: int = 16000
) -> None:
    """Write mono ``samples`` in [-1, 1] as a 16-bit WAV file."""
    pcm = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(pcm.tobytes())


def write_image(path: str | Path, rgb: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write one picture in the format that the name's ending asks for (.jpg, .png, .webp, ...)."""
    if not cv2.haveImageWriter(str(path)):
        raise ValueError(f"cannot write a picture as {Path(path).suffix!r}: try .png or .jpg")
    _, data = cv2.imencode(Path(path).suffix, np.ascontiguousarray(rgb[:, :, ::-1]))
    Path(path).write_bytes(data.tobytes())  # cv2.imwrite cannot open non-ASCII names everywhere
