from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from media_factory import tiny_video
from seamline.media import video
from seamline.media.video import stream_frames

READ_ALL = """
import re, sys
from seamline.media.audio import read_audio
from seamline.media.video import stream_frames
path, seconds = sys.argv[1], int(sys.argv[2])
for frame in stream_frames(path, step_seconds=0.1, threads=1):
    pass
for sound in read_audio(path, spans=[(second, second + 4) for second in range(0, seconds, 2)]):
    pass
print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])  # not the parent's
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_long_clip_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    peaks = []
    for seconds in (6, 60):
        path = tiny_video(tmp_path / f"{seconds}.mp4", seconds, 10, size=(320, 240), audio=True)
        command = [sys.executable, "-c", READ_ALL, str(path), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        peaks.append(int(done.stdout) / 1024)
    # 60 s are 600 frames of 225 kB that must not pile up.
    assert peaks[1] - peaks[0] < 8, f"{peaks[0]:.0f} MB, then {peaks[1]:.0f} MB"


def test_only_the_frames_that_come_out_are_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = []

    class CountingConverter(video.RgbConverter):
        def __call__(self, frame):  # type: ignore[no-untyped-def]
            converted.append(frame.pts)
            return super().__call__(frame)

    monkeypatch.setattr(video, "RgbConverter", CountingConverter)
    path = tiny_video(tmp_path / "c.mp4", 4.0)
    assert len(list(stream_frames(path, step_seconds=0.5, spans=[(1.0, 3.0)]))) == 4
    assert len(converted) == 4
