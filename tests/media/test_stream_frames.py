from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import counting_frames, frame_number, photo, set_rotation, tiny_video, tone
from seamline.errors import UnreadableMedia
from seamline.media.frames import FrameSource, thread_count
from seamline.media.video import Frame, stream_frames

FINE = {"flags": "+qscale", "global_quality": "118"}  # the finest quantiser of the MPEG encoders
# suffix, encoder, more arguments: what people's files are made of
KINDS = {
    "h264": ("mp4", "libx264", {}),
    "h264-b-frames": ("mp4", "libx264", {"options": {"bf": "5", "b_strategy": "0"}}),
    "h264-in-ts": ("ts", "libx264", {"options": {"bf": "3"}}),
    "h264-in-flv": ("flv", "libx264", {}),
    "h264-10-bit": ("mp4", "libx264", {"pixel_format": "yuv420p10"}),
    "hevc": ("mkv", "libx265", {"options": {"x265-params": "log-level=none:bframes=4"}}),
    "hevc-10-bit": (
        "mkv",
        "libx265",
        {"pixel_format": "yuv420p10", "options": {"x265-params": "log-level=none"}},
    ),
    "vp8": ("webm", "libvpx", {}),
    "vp9": ("webm", "libvpx-vp9", {}),
    "av1": ("mp4", "libsvtav1", {"options": {"svtav1-params": "lp=1"}}),
    "mpeg4": ("avi", "mpeg4", {}),
    "mpeg4-b-frames": ("mkv", "mpeg4", {"options": {"bf": "2", **FINE}}),
    "mpeg2": ("ts", "mpeg2video", {"options": {"bf": "2", **FINE}}),
    "prores": ("mov", "prores", {"pixel_format": "yuv422p10le"}),
    "motion-jpeg": ("avi", "mjpeg", {"pixel_format": "yuvj420p"}),
    "animated-avif": ("avif", "libsvtav1", {"options": {"svtav1-params": "lp=1"}}),
    "animated-png": ("apng", "apng", {"pixel_format": "rgb24"}),
    "odd-size": ("mp4", "libx264", {"size": (63, 47)}),
}


def numbers(frames: list[Frame]) -> list[int]:
    return [frame_number(frame.rgb) for frame in frames]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_video_gives_each_frame_at_its_time(kind: str, tmp_path: Path) -> None:
    suffix, codec, more = KINDS[kind]
    path = tiny_video(tmp_path / f"clip.{suffix}", codec=codec, **more)
    warnings: list[str] = []
    frames = list(stream_frames(path, step_seconds=0.1, warnings=warnings))
    first = frames[0].seconds
    assert numbers(frames) == list(range(20))
    assert [frame.seconds - first for frame in frames] == pytest.approx(
        np.arange(20) / 10, abs=2e-3
    )
    assert warnings == []


@pytest.mark.parametrize(("suffix", "codec"), [("m1v", "mpeg1video"), ("mpg", "mpeg1video")])
def test_mpeg1_without_frame_count_or_duration_is_read_to_its_end(
    suffix: str, codec: str, tmp_path: Path
) -> None:
    path = tiny_video(tmp_path / f"clip.{suffix}", seconds=1.0, fps=25, codec=codec)
    assert numbers(list(stream_frames(path, step_seconds=0.04))) == list(range(25))


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_raw_stream_without_timestamps_is_timed_by_its_rate(codec: str, tmp_path: Path) -> None:
    suffix = {"libx264": "h264", "libx265": "hevc"}[codec]
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = tiny_video(tmp_path / f"c.{suffix}", seconds=1, fps=25, codec=codec, options=options)
    frames = list(stream_frames(path, step_seconds=0.04))
    assert numbers(frames) == list(range(25))
    assert frames[-1].seconds == pytest.approx(0.96)


def test_gif_keeps_the_long_pause_between_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "pause.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
        for pts, rgb in zip((0, 1, 20, 21), counting_frames(4), strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="rgb8")
            frame.pts = pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames = list(stream_frames(path, step_seconds=0.1))
    assert [frame.seconds for frame in frames] == pytest.approx([0.0, 0.1, 2.0, 2.1])


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("step", [0.05, 0.25, 0.8])
def test_variable_frame_rate_gives_exactly_the_frames_of_a_full_decode(
    step: float, codec: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    times = np.cumsum([0, *rng.choice([20, 33, 100, 400], 90)])
    path = tmp_path / "vfr.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": "2"}
        for pts, rgb in zip(times.tolist(), counting_frames(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        decoded = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    expected, last = [], -1
    for seconds, rgb in decoded:
        if int((seconds + 1e-3) / step) > last:
            last = int((seconds + 1e-3) / step)
            expected.append((seconds, frame_number(rgb)))
    frames = list(stream_frames(path, step_seconds=step))
    assert [frame.seconds for frame in frames] == pytest.approx([time for time, _ in expected])
    assert numbers(frames) == [number for _, number in expected]


def test_frames_that_nobody_needs_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"x264-params": "bframes=3:b-adapt=0:b-pyramid=none:scenecut=0:weightp=0"}
    path = tiny_video(tmp_path / "clip.mp4", seconds=4, fps=25, options=options)
    decode, counts = FrameSource._decode, []

    def counting_decode(source: FrameSource, packet: av.Packet) -> list[av.VideoFrame]:
        frames = decode(source, packet)
        counts.append(len(frames))
        return frames

    monkeypatch.setattr(FrameSource, "_decode", counting_decode)
    assert len(list(stream_frames(path, step_seconds=0.5))) == 8
    assert sum(counts) < 40  # of 100: one in four, and those wanted


@pytest.mark.parametrize(
    ("degrees", "bright"),
    [(0, "left upper"), (90, "right upper"), (180, "right lower"), (270, "left lower")],
)
def test_turned_video_comes_upright(degrees: int, bright: str, tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "turned.mp4", seconds=0.5)
    set_rotation(path, degrees)
    (frame, *_) = stream_frames(path, step_seconds=1.0)
    height, width = frame.rgb.shape[:2]
    assert (width, height) == ((64, 48) if degrees % 180 == 0 else (48, 64))
    assert frame.rgb.flags.c_contiguous
    assert frame.rgb.dtype == np.uint8
    corners = {
        f"{side} {level}": frame.rgb[y : y + 8, x : x + 8].mean()
        for level, y in (("upper", 4), ("lower", height - 12))
        for side, x in (("left", 4), ("right", width - 12))
    }
    assert max(corners, key=lambda corner: corners[corner]) == bright


def test_only_frames_inside_the_half_open_spans_come(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "clip.mp4", seconds=2)
    frames = list(stream_frames(path, step_seconds=0.1, spans=[(1.2, 1.5), (0.3, 0.6)]))
    assert numbers(frames) == [3, 4, 5, 12, 13, 14]


def test_clock_starts_with_the_earlier_of_picture_and_sound(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), "s16", "mono")
        sound.sample_rate, sound.pts = 16000, 5 * 16000
        container.mux(audio.encode(sound))
        for index, rgb in enumerate(counting_frames(5)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = 52 + index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    frames = list(stream_frames(path, step_seconds=0.1))
    assert [frame.seconds for frame in frames] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6])


def test_clip_of_one_frame_and_of_one_pixel(tmp_path: Path) -> None:
    one = tiny_video(tmp_path / "one.mp4", seconds=0.1)
    assert numbers(list(stream_frames(one, step_seconds=0.25))) == [0]
    pixel = tiny_video(tmp_path / "pixel.mp4", seconds=0.1, size=(1, 1))
    (frame,) = stream_frames(pixel, step_seconds=0.25)
    assert frame.rgb.shape == (1, 1, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff"])
def test_photo_is_one_frame_at_zero(suffix: str, tmp_path: Path) -> None:
    path = photo(tmp_path / f"photo.{suffix}")
    (frame,) = stream_frames(path, step_seconds=0.25)
    assert (frame.seconds, frame.rgb.shape) == (0.0, (48, 64, 3))
    assert frame_number(frame.rgb) == 20


def test_names_with_pattern_signs_spaces_and_other_scripts_are_plain_names(tmp_path: Path) -> None:
    for name in ("face%03d.jpg", "a*b?.jpg", "каток 猫.jpg", "http:x.jpg", "-i.jpg"):
        path = photo(tmp_path / name)
        assert len(list(stream_frames(path, step_seconds=1.0))) == 1, name


def test_size_that_changes_midway_is_followed_and_told(tmp_path: Path) -> None:
    small = tiny_video(tmp_path / "small.h264", seconds=0.4)
    large = tiny_video(tmp_path / "large.h264", seconds=0.4, size=(96, 80))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    warnings: list[str] = []
    frames = list(stream_frames(both, step_seconds=0.01, warnings=warnings))
    assert {frame.rgb.shape for frame in frames} == {(48, 64, 3), (80, 96, 3)}
    assert warnings == ["the frames' size changes at 0.16 s"]


def test_sound_file_has_no_frames_to_stream(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="no video stream"):
        list(stream_frames(tone(tmp_path / "tone.wav"), step_seconds=0.25))


def test_wrong_step_is_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="step_seconds"):
        stream_frames(tmp_path / "any.mp4", step_seconds=0)


def test_large_frames_are_decoded_by_fewer_threads(tmp_path: Path) -> None:
    with av.open(str(tiny_video(tmp_path / "c.mp4", seconds=0.1))) as container:
        stream = container.streams.video[0]
        assert thread_count(stream, 16) == 16
        for width, height, most in ((1920, 1080, 16), (3840, 2160, 7), (7680, 4320, 1)):
            stream.codec_context.width, stream.codec_context.height = width, height
            assert thread_count(stream, 16) == most


def test_asking_for_one_thread_gives_the_same_frames(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "clip.mp4", seconds=1)
    assert numbers(list(stream_frames(path, step_seconds=0.1, threads=1))) == list(range(10))
