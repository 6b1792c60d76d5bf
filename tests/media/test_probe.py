from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import counting_frames, frame_number, photo, set_rotation, sine, tiny_video, tone
from seamline.media.audio import read_audio
from seamline.media.container import open_media
from seamline.media.probe import AudioInfo, MediaInfo, VideoInfo, probe
from seamline.media.video import stream_frames
from seamline.media.write import write_video


def test_video_with_sound_is_told_in_full(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "clip.mp4", seconds=2, audio=True)
    assert probe(path) == MediaInfo(
        path=str(path),
        kind="video",
        duration_seconds=2.0,
        video=VideoInfo("h264", 64, 48, 10.0, 0, 2.0),
        audio=AudioInfo("aac", 16000, 1, 2.0),
        warnings=(),
    )


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_size_is_told_upright(degrees: int, tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "turned.mov", seconds=0.3)
    set_rotation(path, degrees)
    video = probe(path).video
    assert video is not None
    size = (64, 48) if degrees % 180 == 0 else (48, 64)
    assert (video.width, video.height, video.rotation_degrees) == (*size, degrees)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "avif"])
def test_photo_has_no_rate_and_no_length(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo.{suffix}"
    if suffix == "avif":
        options = {"svtav1-params": "lp=1"}
        write_video(path, counting_frames(1), 1, codec="libsvtav1", crf=None, options=options)
    else:
        photo(path)
    info = probe(path)
    assert info.video is not None
    assert (info.kind, info.duration_seconds, info.audio) == ("image", None, None)
    assert (info.video.width, info.video.height) == (64, 48)
    assert (info.video.frames_per_second, info.video.duration_seconds) == (None, None)


def test_sound_file_is_told_as_stored(tmp_path: Path) -> None:
    info = probe(tone(tmp_path / "tone.wav", 1.5, sample_rate_hz=22050))
    assert (info.kind, info.duration_seconds, info.video) == ("audio", 1.5, None)
    assert info.audio == AudioInfo("pcm_s16le", 22050, 1, 1.5)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("c.m1v", "mpeg1video", 25),
        ("c.mpg", "mpeg1video", 25),
        ("c.h264", "libx264", 25),
        ("c.hevc", "libx265", 25),
    ],
)
def test_length_that_no_header_tells_is_measured(
    name: str, codec: str, rate: int, tmp_path: Path
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = tiny_video(tmp_path / name, 2.0, rate, codec=codec, options=options)
    assert probe(path).duration_seconds == pytest.approx(2.0, abs=0.05)


def test_length_of_a_browsers_webm_is_measured(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "c.webm", 2.0, codec="libvpx")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88")  # the Duration element, 8 bytes of float: make it a Void
    data[at : at + 11] = b"\xec\x89" + bytes(9)
    path.write_bytes(bytes(data))
    with av.open(str(path)) as container:
        assert container.duration is None
    assert probe(path).duration_seconds == pytest.approx(2.0)


def test_broken_first_video_stream_yields_to_one_that_decodes(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=10) for _ in range(2)]
        for stream, size in zip(streams, ((32, 32), (64, 48)), strict=True):
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for stream, size in zip(streams, ((32, 32), (64, 48)), strict=True):
            for rgb in counting_frames(5, size):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                for packet in stream.encode(frame):
                    if size == (32, 32):
                        broken = av.Packet(bytes(packet.size))
                        broken.stream, broken.pts, broken.dts = stream, packet.pts, packet.dts
                        broken.time_base = packet.time_base
                        packet = broken
                    container.mux(packet)
    video = probe(path).video
    assert video is not None
    assert (video.width, video.height) == (64, 48)
    frames = list(stream_frames(path, step_seconds=0.1))
    assert [frame_number(frame.rgb) for frame in frames] == list(range(5))


def test_sound_marked_as_default_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(2)]
        streams[0].disposition = av.stream.Disposition.comment
        streams[1].disposition = av.stream.Disposition.default
        for stream, loudness in zip(streams, (0.0, 1.0), strict=True):
            samples = (sine(0.5) * loudness * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(samples, "s16p", "mono")
            frame.sample_rate, frame.pts = 16000, 0
            container.mux(stream.encode(frame))
    (sound,) = read_audio(path)
    assert np.abs(sound.samples).max() > 0.45
    assert probe(path).warnings == ("of its 2 sound tracks only one is examined: number 2",)


def test_video_that_does_not_decode_leaves_the_sound(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "c.mkv", 1.0, codec="mpeg4", audio=True, audio_codec="pcm_s16le")
    hollow = tmp_path / "hollow.mkv"
    with av.open(str(path)) as source, av.open(str(hollow), "w") as target:
        pairs = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                empty = av.Packet(bytes(packet.size))
                empty.pts, empty.dts, empty.time_base = packet.pts, packet.dts, packet.time_base
                empty.stream = pairs[packet.stream.index]
                target.mux(empty)
            else:
                packet.stream = pairs[packet.stream.index]
                target.mux(packet)
    info = probe(hollow)
    assert (info.kind, info.video) == ("audio", None)
    assert info.warnings == ("no frame of its video can be decoded: only the sound is examined",)


def test_shared_clock_of_both_readers_is_the_same_however_the_file_was_opened(
    tmp_path: Path,
) -> None:
    for suffix in ("ts", "flv", "mkv", "mp4"):
        path = tiny_video(tmp_path / f"c.{suffix}", 1.0, audio=True, options={"bf": "2"})
        with open_media(path) as full, open_media(path, quick=True) as quick:
            assert full.origin_seconds == quick.origin_seconds


def test_hdr_and_oblong_pixels_are_told(tmp_path: Path) -> None:
    path = tmp_path / "c.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10"
        stream.codec_context.color_trc = 16
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for rgb in counting_frames(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    assert probe(path).warnings == (
        "its colours are HDR and are read without tone mapping: they look pale",
        "its pixels are not square (16:11)",
    )
