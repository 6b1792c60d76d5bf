from __future__ import annotations

from pathlib import Path

import pytest

from media_factory import frame_number, photo, tiny_video
from seamline.errors import UnreadableMedia
from seamline.media import animated_webp
from seamline.media.animated_webp import webp_animation
from seamline.media.probe import probe
from seamline.media.video import stream_frames


def animation(path: Path, **more: object) -> Path:
    return tiny_video(path, 2.0, codec="libwebp_anim", pixel_format="bgra", **more)


def test_animated_webp_plays_as_a_video(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp")
    info = probe(path)
    assert info.video is not None
    assert (info.kind, info.duration_seconds) == ("video", 2.0)
    assert (info.video.codec, info.video.width, info.video.height) == ("webp", 64, 48)
    assert info.video.frames_per_second == pytest.approx(10.0)
    frames = list(stream_frames(path, step_seconds=0.1))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 10 for n in range(20)])
    assert [frame_number(frame.rgb) for frame in frames] == list(range(20))


def test_frames_decoded_in_small_lots_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = animation(tmp_path / "a.webp")
    monkeypatch.setattr(animated_webp, "_PIXELS_AT_ONCE", 3 * 64 * 48)
    frames = list(stream_frames(path, step_seconds=0.5, spans=[(0.5, 1.6)]))
    assert [frame_number(frame.rgb) for frame in frames] == [5, 10, 15]


def test_still_webp_is_no_animation(tmp_path: Path) -> None:
    assert webp_animation(photo(tmp_path / "p.webp")) is None


def test_animation_cut_off_keeps_its_complete_frames(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    cut = webp_animation(path)
    assert cut is not None
    assert 2 <= len(cut.starts_seconds) < 12
    path.write_bytes(data[:50])
    with pytest.raises(UnreadableMedia, match="an animated WebP without frames"):
        probe(path)
