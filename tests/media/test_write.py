from __future__ import annotations

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import counting_frames, sine, tiny_video
from seamline.media.write import write_audio, write_image, write_video


def test_odd_sizes_are_kept_with_full_colour_sampling(tmp_path: Path) -> None:
    for size, sampling in (((63, 48), "yuv444p"), ((64, 47), "yuv444p"), ((64, 48), "yuv420p")):
        path = tiny_video(tmp_path / "c.mp4", 0.2, size=size)
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            assert (context.width, context.height, context.pix_fmt) == (*size, sampling)


def test_sound_and_pictures_lie_side_by_side_in_the_file(tmp_path: Path) -> None:
    path = tiny_video(tmp_path / "c.mkv", 8.0, audio=True)
    last, ahead = {"video": 0.0, "audio": 0.0}, 0.0
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is not None:
                last[packet.stream.type] = float(packet.pts * packet.time_base)
                ahead = max(ahead, abs(last["video"] - last["audio"]))
    assert min(last.values()) > 7.5
    assert ahead < 2.0


def test_rate_and_count_of_frames_are_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "c.mp4"
    write_video(path, counting_frames(60), 30000 / 1001)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(29.97003, abs=1e-4)
        assert stream.frames == 60


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="needs Linux's scheduler calls")
@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_writing_leaves_the_thread_the_priority_that_it_had(tmp_path: Path, codec: str) -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    options = {"svtav1-params": "lp=1"} if codec == "libsvtav1" else {}
    write_video(tmp_path / "c.mkv", counting_frames(2), 5, codec=codec, crf=None, options=options)
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before


def test_frames_of_different_shapes_are_refused(tmp_path: Path) -> None:
    frames = [np.zeros((48, 64, 3), np.uint8), np.zeros((48, 66, 3), np.uint8)]
    with pytest.raises(ValueError, match=r"one shape: \(48, 64, 3\), then \(48, 66, 3\)"):
        write_video(tmp_path / "c.mp4", frames, 10)
    with pytest.raises(ValueError, match="at least one frame, got none"):
        write_video(tmp_path / "c.mp4", [], 10)


def test_wav_holds_the_samples_clipped_to_full_scale(tmp_path: Path) -> None:
    samples = np.concatenate([sine(0.1), [2.0, -2.0]]).astype(np.float32)
    write_audio(tmp_path / "t.wav", samples, 22050)
    with wave.open(str(tmp_path / "t.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22050, 1, 2)
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    assert np.abs(stored - np.clip(samples, -1, 1)).max() < 1 / 32767


def test_picture_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write a picture as '\.mp3'"):
        write_image(tmp_path / "p.mp3", np.zeros((4, 4, 3), np.uint8))
