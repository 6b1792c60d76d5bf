"""The demo clips, as a newcomer makes them."""

from __future__ import annotations

from pathlib import Path

from seamline.data.demo_clips import make_demo


def test_the_demo_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = make_demo(tmp_path / "a"), make_demo(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes() != first[1].read_bytes()
