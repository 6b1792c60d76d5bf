from __future__ import annotations

import gc
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from seamline.media.exif import exif_orientation
from seamline.media.probe import probe
from seamline.media.upright import RgbConverter, orientation
from seamline.media.video import stream_frames
from seamline.media.write import write_image, write_video

PATCHES = np.array(
    [[200, 40, 40], [40, 200, 40], [40, 40, 200], [224, 172, 150], [20, 20, 20], [240, 240, 240]],
    np.uint8,
)
BT601, BT709, BT2020, UNTAGGED = 6, 1, 9, 2  # ITU-T H.273
LIMITED, FULL = 1, 2


def card(width: int, height: int) -> np.ndarray:
    """Return two rows of three colour patches."""
    patches = PATCHES.reshape(2, 3, 3)
    return cv2.resize(patches, (width, height), interpolation=cv2.INTER_NEAREST)


def worst_error(path: Path) -> int:
    (frame, *_) = stream_frames(path, step_seconds=1.0)
    height, width = frame.rgb.shape[:2]
    seen = [
        frame.rgb[int((row + 0.5) * height / 2), int((column + 0.5) * width / 3)]
        for row in range(2)
        for column in range(3)
    ]
    return int(np.abs(np.array(seen, int) - PATCHES).max())


@pytest.mark.parametrize(
    ("tag", "full", "pixel_format", "size"),
    [
        (BT601, LIMITED, "yuv420p", (192, 144)),
        (BT601, FULL, "yuv420p", (192, 144)),
        (BT709, LIMITED, "yuv420p", (192, 144)),
        (BT709, FULL, "yuv420p", (192, 144)),
        (BT709, LIMITED, "yuv420p10", (192, 144)),
        (BT709, LIMITED, "yuv422p10", (192, 144)),
        (BT709, LIMITED, "yuv444p", (192, 144)),
        (BT2020, LIMITED, "yuv420p10", (192, 144)),
        (UNTAGGED, LIMITED, "yuv420p", (192, 144)),
        (UNTAGGED, LIMITED, "yuv420p", (1280, 720)),
    ],
)
def test_colours_survive_every_matrix_and_range(
    tag: int, full: int, pixel_format: str, size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "card.mp4"
    matrices = {BT601: Colorspace.ITU601, BT709: Colorspace.ITU709, BT2020: Colorspace.BT2020}
    usual = Colorspace.ITU709 if min(size) >= 720 else Colorspace.ITU601
    rgb = av.VideoFrame.from_ndarray(card(*size), format="rgb24")
    frame = VideoReformatter().reformat(
        rgb,
        format=pixel_format,
        dst_colorspace=matrices.get(tag, usual),
        dst_color_range=ColorRange(full),
        interpolation="ACCURATE_RND",
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt, stream.options = pixel_format, {"crf": "4"}
        if tag != UNTAGGED:
            stream.codec_context.colorspace, stream.codec_context.color_range = tag, full
        else:
            frame.colorspace, frame.color_range = UNTAGGED, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert worst_error(path) <= 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_colours_of_photos_survive(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"card.{suffix}"
    write_image(path, card(192, 144))
    assert worst_error(path) <= 3


@pytest.mark.parametrize(
    ("suffix", "codec", "more"),
    [
        ("mp4", "libx264", {}),
        ("mkv", "libx265", {"options": {"x265-params": "log-level=none"}}),
        ("webm", "libvpx-vp9", {}),
        ("avi", "mjpeg", {"pixel_format": "yuvj420p", "crf": None}),
    ],
)
def test_what_write_video_writes_reads_back_in_its_colours(
    suffix: str, codec: str, more: dict, tmp_path: Path
) -> None:
    for size in ((192, 144), (1280, 720)):
        path = tmp_path / f"card.{suffix}"
        write_video(path, [card(*size)] * 2, 10, codec=codec, **{"crf": 4, **more})
        assert worst_error(path) <= 6, size


def with_exif(path: Path, orientation_tag: int, order: str) -> Path:
    """Put an EXIF block that holds only the orientation into a JPEG file."""
    sign, mark = (">", b"MM\0*") if order == "big" else ("<", b"II*\0")
    tiff = mark + struct.pack(sign + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation_tag, 0, 0)
    block = b"Exif\0\0" + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:])
    return path


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_photo_lies_as_opencv_lays_it(tag: int, order: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    write_image(path, card(96, 64))
    with_exif(path, tag, order)
    assert exif_orientation(path) == tag
    (frame,) = stream_frames(path, step_seconds=1.0)
    truth = cv2.imread(str(path))[:, :, ::-1]  # OpenCV obeys EXIF by itself
    assert frame.rgb.shape == truth.shape
    assert np.abs(frame.rgb.astype(int) - truth).mean() < 3
    info = probe(path)
    assert info.video is not None
    assert (info.video.height, info.video.width) == truth.shape[:2]


def test_mirrored_film_is_mirrored_back(tmp_path: Path) -> None:
    path = tmp_path / "mirror.mp4"
    write_video(path, [card(96, 64)] * 2, 10)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    data[at : at + 36] = np.array(
        [-65536, 0, 0, 0, 65536, 0, 96 << 16, 0, 1 << 30], ">i4"
    ).tobytes()
    path.write_bytes(bytes(data))
    (frame, *_) = stream_frames(path, step_seconds=1.0)
    assert np.abs(frame.rgb.astype(int) - card(96, 64)[:, ::-1]).mean() < 4


def with_colour_profile(path: Path) -> Path:
    """Put a colour profile after the header of a PNG, as screenshots have it."""
    block = b"iCCP" + b"screen\0\0" + zlib.compress(bytes(132))
    chunk = struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block))
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


def test_png_with_a_colour_profile_does_not_bring_the_process_down(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    write_image(path, card(96, 64))
    with_colour_profile(path)
    code = (
        "import gc, sys; from seamline.media.probe import probe;"
        "from seamline.media.video import stream_frames; path = sys.argv[1]; probe(path);"
        "(frame,) = stream_frames(path, step_seconds=1.0); gc.collect(); print(frame.rgb.shape)"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "(64, 96, 3)\n"), ran.stderr


def test_looking_at_orientation_does_not_keep_frames_alive(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, [card(96, 64)] * 3, 10)
    gc.disable()
    try:
        with av.open(str(path)) as container:
            before = sum(type(o) is av.VideoFrame and o.width == 96 for o in gc.get_objects())
            convert = RgbConverter()
            for frame in container.decode(video=0):
                orientation(frame)
                convert(frame)
            del frame
            after = sum(type(o) is av.VideoFrame and o.width == 96 for o in gc.get_objects())
    finally:
        gc.enable()
    assert after == before
