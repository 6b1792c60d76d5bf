from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import photo, tiny_video, tone
from seamline.errors import UnreadableMedia, WrongUsage
from seamline.evaluation.copy_sound import copy_sound
from seamline.evaluation.corruptions import (
    CORRUPTIONS,
    choose_corruptions,
    corrupt_file,
    corrupt_files,
)
from seamline.evaluation.spoil import (
    NOISE_SIGMA_LEVELS,
    RESHOT_CORNER_SHARE,
    RESHOT_GAMMA,
    RESHOT_ROWS,
    RESHOT_STRIPES,
    RESHOT_SURROUND,
    blurred,
    brightened,
    coloured,
    moire,
    noisy,
    reshot,
    reshot_matrix,
    resized,
)
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import stream_frames
from seamline.media.write import write_video

SIZE = (64, 48)


def texture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    width, height = size
    return np.random.default_rng(seed).integers(40, 200, (height, width, 3)).astype(np.uint8)


def frames_of(path: Path) -> list[tuple[float, np.ndarray]]:
    return [(f.seconds, f.rgb) for f in stream_frames(path, step_seconds=0.001)]


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    moving = (np.roll(texture(size=(128, 96)), 3 * i, axis=1) for i in range(12))
    sound = np.sin(np.arange(19200) / 7).astype(np.float32) / 2
    write_video(path, moving, 10.0, samples=sound, options={"preset": "veryfast", "threads": "1"})
    return path


@pytest.mark.parametrize(("name", "crf"), [("crf-23", 23), ("crf-40", 40), ("blur", 18)])
def test_the_encoder_itself_writes_down_the_quality_asked_for(film, tmp_path, name, crf):
    made = corrupt_file(film, tmp_path / "b", CORRUPTIONS[name], seed=0)
    assert f"crf={crf}.0".encode() in made.read_bytes()  # x264's note of its settings


def test_more_compression_leaves_less_of_the_picture(film, tmp_path):
    clean = frames_of(film)
    errors, sizes = [], []
    for name in ("recoded", "crf-23", "crf-28", "crf-35", "crf-40"):
        made = corrupt_file(film, tmp_path / name, CORRUPTIONS[name], seed=0)
        shown = frames_of(made)
        assert [s for s, _ in shown] == pytest.approx([s for s, _ in clean], abs=1e-3)
        pairs = zip(clean, shown, strict=True)
        errors.append(np.mean([(a - b.astype(float)) ** 2 for (_, a), (_, b) in pairs]))
        sizes.append(made.stat().st_size)
    assert errors == sorted(errors)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("name", ["crf-35-half-size", "noise", "reshot"])
def test_a_seed_gives_the_same_bytes_and_another_seed_other_noise(film, tmp_path, name):
    first, again, other = (
        corrupt_file(film, tmp_path / f"{i}", CORRUPTIONS[name], seed=seed).read_bytes()
        for i, seed in enumerate((0, 0, 1))
    )
    assert first == again
    assert (first != other) == (name != "crf-35-half-size")  # which has no randomness


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "pcm_s16le")])
def test_the_sound_is_copied_packet_by_packet_and_stays_in_its_place(tmp_path, suffix, codec):
    source = tiny_video(tmp_path / f"a{suffix}", 1.0, audio=True, audio_codec=codec)
    made = corrupt_file(source, tmp_path / "b", CORRUPTIONS["half-size"], seed=0)
    assert packets(made) == packets(source)
    (before,), (after,) = (list(read_audio(path)) for path in (source, made))
    assert after.start_seconds == before.start_seconds
    np.testing.assert_array_equal(after.samples, before.samples)


def test_pictures_that_start_late_stay_late_against_the_sound(tmp_path):
    pictures, sound = (tiny_video(tmp_path / f"{i}.mp4", 1.0, audio=bool(i)) for i in (0, 1))
    late = copy_sound(pictures, sound, tmp_path / "late", picture_starts_seconds=0.3)
    made = corrupt_file(late, tmp_path / "b", CORRUPTIONS["crf-28"], seed=0)
    starts = [frames_of(path)[0][0] for path in (late, made)]
    assert starts == pytest.approx([0.3, 0.3], abs=0.002)


def test_frames_keep_their_time_when_the_rate_varies(tmp_path):
    source = tmp_path / "varying.mkv"
    levels, times_ms = [20, 70, 120, 170, 220], [0, 100, 500, 600, 1000]
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"threads": "1", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level, time_ms in zip(levels, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")
            frame.pts, frame.time_base = time_ms // 100, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    made = corrupt_file(source, tmp_path / "b", CORRUPTIONS["recoded"], seed=0)
    shown = frames_of(made)
    step = 1 / probe(made).video.frames_per_second
    for level, time_ms in zip(levels, times_ms, strict=True):
        first = next(s for s, rgb in shown if abs(float(rgb.mean()) - level) < 15)
        assert first == pytest.approx(time_ms / 1000, abs=step / 2 + 1e-3)


def test_a_photo_becomes_png_and_odd_sizes_lose_one_line(tmp_path):
    made = corrupt_file(
        photo(tmp_path / "a.jpg", (65, 47)), tmp_path / "b", CORRUPTIONS["crf-23"], seed=0
    )
    info = probe(made)
    assert (made.name, info.kind) == ("b.png", "image")
    assert (info.video.width, info.video.height) == (64, 46)


def test_what_cannot_be_rewritten_is_a_name_without_a_file(tmp_path):
    (tmp_path / "torn.mp4").write_bytes(b"nothing")
    files = [tiny_video(tmp_path / "a.mp4", 0.5), tmp_path / "torn.mp4", tone(tmp_path / "c.wav")]
    made = corrupt_files(files, tmp_path, CORRUPTIONS["dark"], seed=0, jobs=2)
    assert [path.exists() for path in made] == [True, False, False]
    with pytest.raises(UnreadableMedia, match="no picture in it to corrupt"):
        corrupt_file(files[2], tmp_path / "d", CORRUPTIONS["dark"], seed=0)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.mp4", "torn.mp4", "c.wav", made[0].name}  # no scratch of ours


def test_halving_takes_the_mean_of_four_pixels():
    rgb = texture()
    expected = rgb.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resized(1 / 2)(SIZE, rng())(rgb), expected, atol=0.51)
    assert resized(1 / 4)((200, 50), rng())(texture(size=(200, 50))).shape == (12, 50, 3)


def test_blur_spreads_a_point_with_the_sigma_that_it_names():
    rgb = np.zeros((41, 41, 3), np.uint8)
    rgb[18:23, 18:23] = 255
    spread = blurred((41, 41), rng())(rgb)[..., 0].astype(float)
    x = np.arange(41) - 20
    variance = (spread.sum(0) * x**2).sum() / spread.sum()
    assert variance == pytest.approx(2.0**2 + 2.0, rel=0.05)  # of a five-pixel box: (5² - 1) / 12


def test_noise_has_the_strength_that_it_names_and_is_new_in_every_frame():
    grey = np.full((96, 128, 3), 128, np.uint8)
    spoil = noisy((128, 96), rng())
    first, second = (spoil(grey).astype(float) - 128 for _ in range(2))
    assert first.std() == pytest.approx(NOISE_SIGMA_LEVELS, rel=0.02)
    assert abs(first.mean()) < 0.3
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_brightness_multiplies_and_stops_at_white(gain):
    rgb = texture()
    expected = np.minimum(np.rint(rgb * gain), 255)
    np.testing.assert_array_equal(brightened(gain)(SIZE, rng())(rgb), expected)


def test_coloured_light_multiplies_each_channel():
    rgb = texture()
    expected = np.minimum(np.rint(rgb * np.array([1.5, 1.0, 0.5])), 255)
    lit = coloured((1.5, 1.0, 0.5))(SIZE, rng())(rgb)
    np.testing.assert_array_equal(lit, expected)
    assert lit.dtype == np.uint8


def solved_matrix(size: tuple[int, int], moved: np.ndarray) -> np.ndarray:
    """Solves the eight equations of a homography, corner by corner."""
    width, height = size
    rows, right = [], []
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    for (x, y), (u, v) in zip(corners, moved, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), right), 1.0).reshape(3, 3)


def test_the_reshot_screen_lies_inside_the_frame_where_its_corners_say():
    matrix = reshot_matrix(SIZE, rng())
    shares = rng().uniform(0, RESHOT_CORNER_SHARE, (4, 2)) * SIZE
    moved = np.array([
        shares[0], [64 - shares[1][0], shares[1][1]], [64, 48] - shares[2],
        [shares[3][0], 48 - shares[3][1]],
    ])  # fmt: skip
    np.testing.assert_allclose(matrix, solved_matrix(SIZE, moved), atol=1e-4)


def test_the_reshot_picture_is_a_pixel_by_pixel_camera():
    rgb, matrix = texture(), reshot_matrix(SIZE, rng())
    shown = reshot(SIZE, rng())(rgb)
    back, misses = np.linalg.inv(matrix), 0
    for y, x in [(0, 0), (10, 12), (23, 40), (30, 7), (40, 60), (44, 33), (20, 20), (5, 50)]:
        u, v, w = back @ (x, y, 1)
        u, v = u / w, v / w
        inside = 0 <= u < 63 and 0 <= v < 47
        for colour in range(3):
            level = float(RESHOT_SURROUND)
            gain = 1.0
            if inside:
                i, j, a, b = int(u), int(v), u % 1, v % 1
                upper = (1 - a) * rgb[j, i, colour] + a * rgb[j, i + 1, colour]
                lower = (1 - a) * rgb[j + 1, i, colour] + a * rgb[j + 1, i + 1, colour]
                level = (1 - b) * upper + b * lower
                gain = 1 + RESHOT_STRIPES * np.cos(2 * np.pi * (u - colour / 3))
                gain += RESHOT_ROWS * np.cos(2 * np.pi * v)
            expected = 255 * (level / 255) ** RESHOT_GAMMA * gain
            misses += abs(shown[y, x, colour] - expected) > 6  # OpenCV places to 1/32 pixel
    assert misses == 0


def test_moire_is_slow_fringes_and_not_the_stripes_themselves():
    size = (256, 192)
    gains = moire(size, reshot_matrix(size, rng()))[..., 0]
    spectrum = np.abs(np.fft.rfft2(gains - gains.mean()))
    y, x = np.unravel_index(int(spectrum.argmax()), spectrum.shape)
    cycles = np.hypot(min(y, 192 - y), x)
    assert 1 <= cycles < 0.15 * 256  # the stripes are one a pixel: 256 across
    assert gains.std() > 0.04


def test_the_list_of_corruptions_is_chosen_by_name():
    assert [c.name for c in choose_corruptions(" blur, crf-35,blur ")] == ["blur", "crf-35"]
    assert choose_corruptions("all") == list(CORRUPTIONS.values())
    asked = {"crf-23", "crf-28", "crf-35", "crf-40", "half-size", "quarter-size", "blur", "noise",
             "dark", "bright", "warm", "violet", "reshot", "crf-35-half-size"}  # fmt: skip
    assert asked <= set(CORRUPTIONS)
    with pytest.raises(WrongUsage, match=r"no corruption is named fog\. Choose from: all, recoded"):
        choose_corruptions("blur,fog")
    with pytest.raises(WrongUsage, match="no corruption is named ''"):
        choose_corruptions("")


def test_a_stream_that_changes_its_size_keeps_its_first(tmp_path: Path) -> None:
    source = tmp_path / "changing.mkv"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for index, size in enumerate((SIZE, SIZE, (96, 64), (96, 64))):
            encoder = av.VideoCodecContext.create("mjpeg", "w")
            (encoder.width, encoder.height), encoder.pix_fmt = size, "yuvj420p"
            encoder.time_base = Fraction(1, 10)
            frame = av.VideoFrame.from_ndarray(texture(index, size), format="rgb24")
            for packet in encoder.encode(frame.reformat(format="yuvj420p")):
                packet.stream, packet.time_base = stream, Fraction(1, 10)
                packet.pts = packet.dts = index
                out.mux(packet)
    shapes = [rgb.shape for _, rgb in frames_of(source)]
    assert len(set(shapes)) == 2, "the source changes its size"
    (made,) = corrupt_files([source], tmp_path, CORRUPTIONS["recoded"], seed=0)
    assert {rgb.shape for _, rgb in frames_of(made)} == {shapes[0]}


def test_half_a_file_does_not_pass_for_a_rewritten_one(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[object]:
        raise av.FFmpegError(22, "Invalid argument")

    monkeypatch.setattr("seamline.evaluation.copy_sound.heapq.merge", broken)
    (made,) = corrupt_files([film], tmp_path, CORRUPTIONS["recoded"], seed=0)
    assert not made.exists()
    assert list(tmp_path.iterdir()) == []
