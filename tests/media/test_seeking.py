from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_factory import counting_frames, frame_number, sine, tiny_video
from seamline.media.audio import read_audio
from seamline.media.frames import FrameSource
from seamline.media.packets import PacketSource
from seamline.media.video import stream_frames
from seamline.media.write import write_video

SECONDS, RATE = 60, 10
SPANS = [(3.3, 4.3), (20.1, 21.0), (47.0, 48.0)]
X264 = "keyint=50:bframes=3:scenecut=0"
# how, whether seeking is worth it there
FILES = {
    "mp4": ("long.mp4", "libx264", {"x264-params": X264}, True),
    "mkv": ("long.mkv", "libx264", {"x264-params": X264}, True),
    "open-gop-ts": ("long.ts", "libx264", {"x264-params": X264 + ":open-gop=1"}, True),
    "flv": ("long.flv", "libx264", {"x264-params": X264}, True),
    "webm": ("long.webm", "libvpx", {"g": "50", "deadline": "realtime"}, True),
    "avi": ("long.avi", "mpeg4", {"g": "50"}, True),
    "raw": ("long.h264", "libx264", {"x264-params": X264}, False),
    "gif": ("long.gif", "gif", {}, False),
}


@pytest.fixture
def seeks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The targets of all seeks."""
    targets: list[float] = []
    seek = PacketSource.seek

    def noting_seek(source: PacketSource, seconds: float) -> bool:
        targets.append(seconds)
        return seek(source, seconds)

    monkeypatch.setattr(PacketSource, "seek", noting_seek)
    return targets


@pytest.mark.parametrize("kind", FILES)
def test_spans_reached_by_seeking_hold_the_same_frames(
    kind: str, tmp_path: Path, seeks: list[float]
) -> None:
    name, codec, options, may_seek = FILES[kind]
    more = {"pixel_format": "rgb8"} if codec == "gif" else {}
    path = tmp_path / name
    tiny_video(path, SECONDS, RATE, codec=codec, options=options, **more)
    everything = {frame.seconds: frame.rgb for frame in stream_frames(path, step_seconds=0.1)}
    assert not seeks
    frames = list(stream_frames(path, step_seconds=0.1, spans=SPANS))
    wanted = [t for t in everything if any(a - 1e-3 <= t < b - 1e-3 for a, b in SPANS)]
    assert [frame.seconds for frame in frames] == wanted
    assert len(wanted) >= 27 or codec == "libx264"
    for frame in frames:
        assert np.array_equal(frame.rgb, everything[frame.seconds])
    assert bool(seeks) == may_seek


def test_seeking_spares_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_video(tmp_path / "long.mp4", SECONDS, RATE, options={"x264-params": X264})
    packets = []
    decode = FrameSource._decode
    monkeypatch.setattr(
        FrameSource, "_decode", lambda self, packet: packets.append(packet) or decode(self, packet)
    )
    assert len(list(stream_frames(path, step_seconds=0.1, spans=SPANS))) == 30 - 1
    assert len(packets) < 0.45 * SECONDS * RATE


def test_close_spans_are_read_through(tmp_path: Path, seeks: list[float]) -> None:
    path = tiny_video(tmp_path / "long.mp4", 20, RATE, options={"x264-params": X264})
    spans = [(2.0, 2.5), (3.0, 3.5), (4.6, 4.9)]
    frames = list(stream_frames(path, step_seconds=0.1, spans=spans))
    assert [frame_number(frame.rgb) for frame in frames] == [
        number % 28 for number in (*range(20, 25), *range(30, 35), *range(46, 49))
    ]
    assert seeks == []


@pytest.mark.parametrize("suffix", ["ts", "mp4", "mkv", "flv"])
def test_last_second_is_reached_behind_the_last_key_frame(suffix: str, tmp_path: Path) -> None:
    options = {"x264-params": "keyint=100:bframes=3:scenecut=0"}
    path = tiny_video(tmp_path / f"long.{suffix}", 48, RATE, options=options)
    frames = list(stream_frames(path, step_seconds=0.1, spans=[(1.0, 1.3), (47.0, 48.0)]))
    first = next(stream_frames(path, step_seconds=1.0)).seconds
    shown = [(frame_number(frame.rgb), round((frame.seconds - first) * 10)) for frame in frames]
    assert shown == [(number % 28, number) for number in (10, 11, 12, *range(470, 480))]


def test_seek_that_fails_falls_back_to_reading_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_video(tmp_path / "long.mp4", 30, RATE, options={"x264-params": X264})
    monkeypatch.setattr(PacketSource, "seek", lambda *_: False)
    frames = list(stream_frames(path, step_seconds=0.5, spans=[(25.0, 27.0)]))
    assert [frame.seconds for frame in frames] == pytest.approx([25.0, 25.5, 26.0, 26.5])


def test_seek_that_lands_too_late_is_tried_again_further_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_video(tmp_path / "long.mp4", 60, RATE, options={"x264-params": X264})
    seek, targets = PacketSource.seek, []

    def overshooting_seek(source: PacketSource, seconds: float) -> bool:
        targets.append(seconds)
        return seek(source, seconds + 10 if seconds > 0 else 0)

    monkeypatch.setattr(PacketSource, "seek", overshooting_seek)
    frames = list(stream_frames(path, step_seconds=0.5, spans=[(40.0, 41.0), (52.0, 53.0)]))
    assert [frame.seconds for frame in frames] == pytest.approx([40.0, 40.5, 52.0, 52.5])
    assert targets[:3] == [40.0, 37.0, 28.0]


@pytest.mark.parametrize(
    ("name", "codec", "audio_codec", "rate_hz"),
    [
        ("long.mp4", "libx264", "aac", 16000),
        ("long.mkv", "libx264", "aac", 16000),
        ("long.webm", "libvpx", "libopus", 48000),
        ("long.ts", "libx264", "aac", 16000),
        ("long.avi", "mpeg4", "libmp3lame", 16000),
        ("long.mpg", "mpeg1video", "mp2", 16000),
    ],
)
def test_sound_reached_by_seeking_lies_where_it_lay(
    name: str, codec: str, audio_codec: str, rate_hz: int, tmp_path: Path
) -> None:
    seconds = 40
    beeps = np.zeros(seconds * rate_hz, np.float32)
    for second in range(seconds):  # in every second another tone, a fifth of a second long
        beep = sine(0.2, 300 + 40 * second, rate_hz)
        beeps[second * rate_hz : second * rate_hz + len(beep)] = beep
    options = {"x264-params": X264} if codec == "libx264" else {"g": "50"}
    write_video(
        tmp_path / name,
        counting_frames(seconds * 25, (32, 32)),
        25,
        samples=beeps,
        sample_rate_hz=rate_hz,
        codec=codec,
        audio_codec=audio_codec,
        crf=None,
        options=options,
    )
    (whole,) = read_audio(tmp_path / name)
    spans = [(2.0, 4.0), (15.5, 17.5), (33.25, 36.5), (34.0, 37.0)]
    sounds = list(read_audio(tmp_path / name, spans=spans))
    assert [sound.start_seconds for sound in sounds] == [start for start, _ in spans]
    for (start, stop), sound in zip(spans, sounds, strict=True):
        assert len(sound.samples) == round((stop - start) * 16000)
        first = round((start - whole.start_seconds) * 16000)
        assert differs_by(sound.samples, whole.samples, first) < 0.05, (start, stop)


def differs_by(part: np.ndarray, whole: np.ndarray, first: int) -> float:
    """Return the largest difference where ``part`` fits best within 1 ms, Matroska's rounding."""
    shifts = range(first - 16, first + 17)
    return min(float(np.abs(part - whole[at : at + len(part)]).max()) for at in shifts)
