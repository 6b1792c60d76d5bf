"""Writes media files: pixels and samples go in, a video, a sound file or a picture comes out.

Colours are stored as BT.709 with its tag, so that they read back as they were. H.264 and its like
need even sizes for the usual 4:2:0 sampling; odd sizes are kept as they are, with 4:4:4 sampling.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Mapping
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

_AUDIO_BLOCK_SAMPLES = 16000


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
    ``pixel_format`` overrides 4:2:0; ``options`` go to the video encoder.
    """
    pending = iter(frames)
    first = next(pending, None)
    if first is None:
        raise ValueError("write_video needs at least one frame, got none")
    height, width = first.shape[:2]
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            codec, rate=Fraction(frames_per_second).limit_denominator(1001)
        )
        assert isinstance(video, VideoStream)
        video.width, video.height = width, height
        odd = width % 2 or height % 2
        video.pix_fmt = pixel_format or ("yuv444p" if odd else "yuv420p")
        context = video.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = 1, 1  # BT.709
        video.options = {**({} if crf is None else {"crf": str(crf)}), **(options or {})}
        audio = None
        if samples is not None:  # streams must be there before the first packet is written
            audio = container.add_stream(audio_codec, rate=sample_rate_hz, layout="mono")
        _encode_frames(container, video, chain([first], pending))
        if samples is not None and isinstance(audio, AudioStream):
            _encode_samples(container, audio, samples, sample_rate_hz)


def _encode_frames(
    container: OutputContainer,
    stream: VideoStream,
    frames: Iterable[UInt8[np.ndarray, "height width 3"]],
) -> None:
    reformatter = VideoReformatter()
    for rgb in frames:
        if rgb.shape != (stream.height, stream.width, 3):
            size = (stream.height, stream.width, 3)
            raise ValueError(f"frames of one video have one shape: {size}, then {rgb.shape}")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = reformatter.reformat(
            frame,
            format=stream.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_samples(
    container: OutputContainer,
    stream: AudioStream,
    samples: Float[np.ndarray, " sample"],
    sample_rate_hz: int,
) -> None:
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    for start in range(0, len(samples), _AUDIO_BLOCK_SAMPLES):
        block = samples[None, start : start + _AUDIO_BLOCK_SAMPLES]
        frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
        frame.sample_rate, frame.pts = sample_rate_hz, start
        frame.time_base = Fraction(1, sample_rate_hz)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


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
    done, data = cv2.imencode(Path(path).suffix, np.ascontiguousarray(rgb[:, :, ::-1]))
    if not done:
        raise ValueError(f"cannot encode a picture of shape {rgb.shape} as {Path(path).suffix}")
    Path(path).write_bytes(data.tobytes())  # cv2.imwrite cannot open non-ASCII names everywhere
