from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest

from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.upright import RgbConverter
from seamline.media.video import stream_frames

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video"


@pytest.mark.real_clips
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the research clips are not beside the checkout")
def test_real_clips_give_the_frames_and_sound_of_a_full_decode() -> None:
    clips = sorted(path for path in CLIPS.rglob("*") if path.is_file())
    for path in random.Random(0).sample(clips, 12):
        warnings: list[str] = []
        info = probe(path)
        frames = list(stream_frames(path, step_seconds=0.2, warnings=warnings))
        assert warnings == [], path.name
        expected, last, convert = [], -1, RgbConverter()
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            starts = [s.start_time * s.time_base for s in (stream, *container.streams.audio)]
            for frame in container.decode(stream):
                seconds = float(frame.pts * frame.time_base - min(starts))
                if int((seconds + 1e-3) / 0.2) > last:
                    last = int((seconds + 1e-3) / 0.2)
                    expected.append((seconds, convert(frame)))
        assert [f.seconds for f in frames] == pytest.approx([seconds for seconds, _ in expected])
        for frame, (_, rgb) in zip(frames, expected, strict=True):
            assert np.array_equal(frame.rgb, rgb), path.name
        assert info.video is not None
        assert frames[0].rgb.shape[:2] == (info.video.height, info.video.width)
        if info.audio is not None:
            (sound,) = read_audio(path)
            assert info.duration_seconds is not None
            heard = sound.start_seconds + len(sound.samples) / 16000
            assert heard == pytest.approx(info.duration_seconds, abs=0.5)
