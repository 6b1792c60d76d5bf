from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import photo, tiny_video, tone
from seamline.errors import UnreadableMedia
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import stream_frames


def reason(path: Path) -> str:
    with pytest.raises(UnreadableMedia) as caught:
        probe(path)
    assert caught.value.path == str(path)
    for read in (
        lambda: list(stream_frames(path, step_seconds=1.0)),
        lambda: list(read_audio(path)),
    ):
        with pytest.raises(UnreadableMedia):
            read()
    return caught.value.reason


def test_missing_file_folder_and_empty_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "nothing.mp4") == "no such file"
    assert reason(tmp_path) == "it is a folder, not a file"
    (tmp_path / "empty.mp4").touch()
    assert reason(tmp_path / "empty.mp4") == "the file is empty"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a Unix thing")
def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert reason(tmp_path / "pipe.mp4") == "it is not a regular file"


def test_missing_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tone(tmp_path / "locked.wav")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # file modes do not stop a superuser
    with pytest.raises(UnreadableMedia, match="no permission to read it"):
        probe(path)


def test_file_that_goes_away_while_it_is_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seamline.media.container.check_is_readable_file", lambda path: None)
    monkeypatch.setattr("seamline.media.probe.check_is_readable_file", lambda path: None)
    assert reason(tmp_path / "gone.mp4") == "no such file"


def test_file_that_shrinks_while_it_is_read_gives_what_was_read(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "c.ts", 20, size=(160, 120), options={"bf": "0"})
    frames = []
    for frame in stream_frames(path, step_seconds=0.1):
        frames.append(frame)
        if len(frames) == 5:
            os.truncate(path, os.path.getsize(path) // 2)
    assert 5 <= len(frames) < 200


def test_text_is_not_media_whatever_its_name(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.mp3", "a.jpg", "a.txt"):
        (tmp_path / name).write_text("It was a dark and stormy night.\n" * 200)
        assert reason(tmp_path / name) == "not a media file that can be decoded"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("concat.mp4", "ffconcat version 1.0\nfile '{clip}'\n"),
        ("dash.mpd", "<?xml version='1.0'?>\n<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>"),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n"),
        ("live.mp4", "http://127.0.0.1:9/clip.mp4\n"),
    ],
)
def test_files_that_point_to_others_are_refused(name: str, text: str, tmp_path: Path) -> None:
    clip = tiny_video(tmp_path / "clip.mp4", seconds=0.2)
    (tmp_path / name).write_text(text.format(clip=clip))
    assert reason(tmp_path / name) == "not a media file that can be decoded"


def test_paths_are_never_taken_for_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_video(tmp_path / "clip.ts", seconds=0.2)
    monkeypatch.chdir(tmp_path)
    assert reason(Path("concat:clip.ts")) == "no such file"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(path: Path, width: int, height: int) -> bytes:
    data = bytearray(photo(path).read_bytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif(path: Path, width: int, height: int) -> bytes:
    tiny_video(path, seconds=0.2, codec="gif", pixel_format="rgb8")
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def webp(path: Path, width: int, height: int) -> bytes:
    tiny_video(path, seconds=0.4, codec="libwebp_anim", pixel_format="bgra")
    data = bytearray(path.read_bytes())
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def vp8(width: int, height: int) -> bytes:
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(500)
    header = struct.pack("<4sHHIIII", b"VP80", width, height, 25, 1, 1, 0)
    return b"DKIF\0\0\x20\0" + header + struct.pack("<IQ", len(frame), 0) + frame


def test_headers_that_promise_huge_frames_are_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bombs = {
        "side.png": (png(50_000, 50_000), "50000×50000"),
        "area.png": (png(16_000, 16_000), "16000×16000"),
        "strip.png": (png(20_000, 10), "20000×10"),
        "bomb.jpg": (jpeg(tmp_path / "p.jpg", 50_000, 50_000), "50000×50000"),
        "bomb.gif": (gif(tmp_path / "g.gif", 50_000, 50_000), "50000×50000"),
        "bomb.webp": (webp(tmp_path / "w.webp", 50_000, 50_000), "50000×50000"),
        "bomb.ivf": (vp8(16_383, 16_383), "16383×16383"),
        "bomb.y4m": (b"YUV4MPEG2 W50000 H50000 F25:1 C420\nFRAME\n" + bytes(99), "50000×50000"),
    }

    def no_decoding(*_: object) -> None:
        raise AssertionError("a bomb was decoded")

    monkeypatch.setattr("seamline.media.probe._first_frames", no_decoding)
    monkeypatch.setattr("seamline.media.frames.FrameSource._decode", no_decoding)
    for name, (data, size) in bombs.items():
        (tmp_path / name).write_bytes(data)
        expected = f"frames of {size} px are too large (at most 16384 px a side and 100 megapixels)"
        assert reason(tmp_path / name) == expected, name


def test_frames_that_grow_too_large_midway_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tiny_video(tmp_path / "small.h264", seconds=0.2)
    large = tiny_video(tmp_path / "large.h264", seconds=0.2, size=(96, 80))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setattr("seamline.media.container.MAX_PIXELS", 4000)
    warnings: list[str] = []
    frames = list(stream_frames(both, step_seconds=0.01, warnings=warnings, threads=1))
    assert {frame.rgb.shape for frame in frames} == {(48, 64, 3)}
    assert any("damaged" in warning for warning in warnings)


def test_file_of_many_streams_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(70)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux(stream.encode(frame))
    assert "streams in one file" in reason(path)


def test_mp4_without_its_index_is_said_to_be_cut_off(tmp_path: Path) -> None:
    whole = tiny_video(tmp_path / "whole.mp4")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:2000])
    assert reason(cut) == "an MP4 file without a usable index (moov): it is cut off or damaged"


def test_video_stream_without_frames_is_refused(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "hollow.avi", codec="mpeg4")
    data = path.read_bytes()
    start = data.index(b"movi") + 4
    path.write_bytes(data[:start] + bytes(len(data) - start))
    assert reason(path) in (
        "no frame of its video can be decoded",
        "no audio or video stream that can be decoded",
    )


def test_subtitles_alone_are_no_media(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    assert reason(path) == "not a media file that can be decoded"


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "webm", "wav", "mp3", "jpg", "gif"])
def test_random_damage_gives_frames_or_a_plain_refusal(suffix: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "wav":
        tone(whole, 0.5)
    elif suffix == "mp3":
        with av.open(str(whole), "w") as container:
            stream = container.add_stream("libmp3lame", rate=16000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "flt", "mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    elif suffix == "jpg":
        photo(whole)
    else:
        codec = {"avi": "mpeg4", "webm": "libvpx", "gif": "gif"}.get(suffix, "libx264")
        more = {"pixel_format": "rgb8"} if suffix == "gif" else {}
        tiny_video(whole, seconds=0.5, codec=codec, **more)
    data = whole.read_bytes()
    broken = tmp_path / f"broken.{suffix}"
    for _ in range(12):
        damaged = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(damaged), max(1, len(damaged) // 200))
        damaged[places] = rng.integers(0, 256, len(places))
        broken.write_bytes(damaged.tobytes()[: int(rng.integers(1, len(data) + 1))])
        for read in (
            lambda: probe(broken),
            lambda: list(stream_frames(broken, step_seconds=0.1)),
            lambda: list(read_audio(broken)),
        ):
            with suppress(UnreadableMedia):  # anything else fails the test
                read()
