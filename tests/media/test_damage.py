from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import frame_number, tiny_video, tone
from seamline.errors import UnreadableMedia
from seamline.media.audio import read_audio
from seamline.media.clock import StreamClock
from seamline.media.probe import probe
from seamline.media.video import stream_frames


def index_first(path: Path) -> Path:
    """Copy an mp4 so that its index comes first, as on the web: it can then be cut off."""
    target = path.with_name("index-first.mp4")
    with (
        av.open(str(path)) as source,
        av.open(str(target), "w", options={"movflags": "faststart"}) as copy,
    ):
        pairs = {s.index: copy.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = pairs[packet.stream.index]
                copy.mux(packet)
    return target


def cut(path: Path, share: float) -> Path:
    target = path.with_name("cut" + path.suffix)
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def test_mp4_cut_off_in_the_middle_gives_its_first_part_and_says_so(tmp_path: Path) -> None:
    whole = tiny_video(tmp_path / "whole.mp4", seconds=20, fps=10, size=(160, 120), audio=True)
    path = cut(index_first(whole), 0.6)
    info = probe(path)
    assert info.duration_seconds is not None
    assert 5 < info.duration_seconds < 16
    (told,) = info.warnings
    assert told == f"the file ends at {info.duration_seconds:.2f} s of 20.00 s: it is cut off"
    warnings: list[str] = []
    frames = list(stream_frames(path, step_seconds=0.1, warnings=warnings))
    assert abs(frames[-1].seconds - info.duration_seconds) < 1.0
    shown = [frame_number(frame.rgb) for frame in frames[:-1]]
    assert shown == [number % 28 for number in range(len(shown))]
    assert any("cut off" in warning or "damaged" in warning for warning in warnings)
    warnings.clear()
    (sound,) = read_audio(path, warnings=warnings)
    assert abs(len(sound.samples) / 16000 - info.duration_seconds) < 1.0
    assert warnings


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi", "flv", "webm", "gif"])
def test_other_files_cut_off_give_their_first_part(suffix: str, tmp_path: Path) -> None:
    codec = {"avi": "mpeg4", "webm": "libvpx", "gif": "gif"}.get(suffix, "libx264")
    more = {"pixel_format": "rgb8"} if suffix == "gif" else {"options": {"g": "10"}}
    path = tiny_video(tmp_path / f"whole.{suffix}", 10, 10, codec=codec, **more)
    frames = list(stream_frames(cut(path, 0.5), step_seconds=0.1))
    assert 10 < len(frames) < 80
    if suffix != "gif":
        shown = [frame_number(frame.rgb) for frame in frames[:-2]]
        assert shown == [number % 28 for number in range(len(shown))]


def test_matroska_that_ends_early_is_told(tmp_path: Path) -> None:
    path = cut(tiny_video(tmp_path / "whole.mkv", 10, 10, options={"g": "10"}), 0.5)
    warnings: list[str] = []
    frames = list(stream_frames(path, step_seconds=0.1, warnings=warnings))
    assert f"{frames[-1].seconds:.1f}"[:2] == warnings[-1].split(" at ")[1][:2]
    assert warnings[-1].endswith("of 10.00 s: it is cut off")


def test_whole_files_give_no_warning(tmp_path: Path) -> None:
    for suffix, codec in (
        ("mp4", "libx264"),
        ("mkv", "libx264"),
        ("ts", "libx264"),
        ("avi", "mpeg4"),
    ):
        path = tiny_video(tmp_path / f"c.{suffix}", 4, 10, codec=codec, audio=True, audio_seconds=3)
        warnings: list[str] = []
        list(stream_frames(path, step_seconds=0.5, warnings=warnings))
        list(read_audio(path, warnings=warnings))
        assert (warnings, probe(path).warnings) == ([], ()), suffix


def test_damage_in_the_middle_costs_only_the_middle(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "c.mp4", 10, 10, codec="libx264", options={"g": "10"})
    data = bytearray(path.read_bytes())
    start, stop = data.index(b"mdat"), data.index(b"moov")
    middle, length = (start + stop) // 2, (stop - start) // 20
    data[middle : middle + length] = bytes(length)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        hit = next(p.pts * p.time_base for p in packets if p.pos + p.size > middle)
    path.write_bytes(bytes(data))
    warnings: list[str] = []
    frames = list(stream_frames(path, step_seconds=0.1, warnings=warnings))
    assert frames[-1].seconds == pytest.approx(9.9)
    assert len(frames) > 60
    first = frames[0].seconds
    right = [frame_number(f.rgb) == round((f.seconds - first) * 10) % 28 for f in frames]
    assert sum(right) >= len(frames) - 10  # at most the group of pictures that was hit
    told = float(warnings[0].removeprefix("the video is damaged near ").removesuffix(" s"))
    assert told == pytest.approx(float(hit), abs=1.0)


def test_spans_behind_the_cut_are_empty_and_told(tmp_path: Path) -> None:
    whole = tiny_video(tmp_path / "whole.mp4", 40, 10, size=(160, 120), options={"g": "20"})
    path = cut(index_first(whole), 0.5)
    warnings: list[str] = []
    assert list(stream_frames(path, step_seconds=0.5, spans=[(36, 38)], warnings=warnings)) == []
    assert warnings


def test_wav_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    path = cut(tone(tmp_path / "whole.wav", 10.0), 0.5)
    warnings: list[str] = []
    (sound,) = read_audio(path, warnings=warnings)
    assert len(sound.samples) / 16000 == pytest.approx(5.0, abs=0.01)


def test_sound_without_a_decodable_packet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + bytes(len(data)))
    (sound,) = read_audio(path)
    assert len(sound.samples) < 16000
    path.write_bytes(b"\xff\xfb\x90\x00" + bytes(4000))
    with pytest.raises(UnreadableMedia):
        list(read_audio(path))


class Stamped:
    """A frame of which only the timestamp matters."""

    time_base = Fraction(1, 1000)

    def __init__(self, pts: int | None) -> None:
        self.pts = pts


def test_clock_runs_on_where_recordings_were_spliced() -> None:
    notes: list[str] = []
    clock = StreamClock(5.0, "video", notes)
    stamps = (5000, 5040, None, 5120, 1000, 1040, 90_000_000, 90_000_040)
    seconds = [clock.read(Stamped(pts), 0.04) for pts in stamps]  # type: ignore[arg-type]
    assert seconds == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28])
    assert len(notes) == 2
    assert "timestamps jump from 0.16 s to -4.00 s" in notes[0]


def test_clock_takes_any_time_after_a_seek_but_needs_one() -> None:
    clock = StreamClock(0.0, "sound", [])
    clock.moved_to(70.0)
    assert clock.read(Stamped(None), 0.04) is None  # type: ignore[arg-type]
    assert clock.read(Stamped(7_200_000), 0.04) == 7200.0  # type: ignore[arg-type]
    clock.moved_to(0.0)
    assert clock.read(Stamped(None), 0.04) == 0.0  # type: ignore[arg-type]


def test_transport_stream_of_two_recordings_is_read_to_the_end(tmp_path: Path) -> None:
    first = tiny_video(tmp_path / "a.ts", 2.0)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() * 2)
    warnings: list[str] = []
    frames = list(stream_frames(both, step_seconds=0.1, warnings=warnings))
    assert frames[-1].seconds == pytest.approx(3.9, abs=0.25)
    assert len(frames) >= 36
    assert any("timestamps jump" in warning for warning in warnings)
