from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_factory import photo, tiny_video, tone
from seamline.errors import UnreadableMedia
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import Frame, stream_frames
from seamline.report.overlay import Mark, _hold, annotate_frame, marks_at, write_annotated_video

BOX = (100.0, 60.0, 220.0, 200.0)


def test_box_is_drawn_around_the_face_and_not_over_it() -> None:
    frame = np.full((240, 320, 3), 120, np.uint8)
    drawn = annotate_frame(frame, [Mark(BOX, "Face 0", 0.97)])
    assert (frame == 120).all()
    assert (drawn[130, 98:103] != 120).any()
    assert (drawn[130, 218:223] != 120).any()
    assert (drawn[80:180, 120:200] == 120).all()
    assert (drawn[100:200, 240:] == 120).all()


def test_score_is_written_inside_even_for_a_box_that_leaves_the_picture() -> None:
    frame = np.full((240, 320, 3), 120, np.uint8)
    drawn = annotate_frame(frame, [Mark((250.0, -40.0, 400.0, 90.0), "Face 0", None)])
    text = np.argwhere((drawn == 16).all(axis=2))
    assert text[text[:, 0] < 60].size > 0


def test_boxes_move_evenly_between_points_and_end_with_the_track() -> None:
    track = [(1.0, (0.0, 0.0, 10.0, 10.0), 0.2), (2.0, (100.0, 50.0, 110.0, 60.0), 0.9)]
    far = [(1.0, BOX, None), (9.0, BOX, 0.5)]
    tracks = {3: track, 4: far}
    assert marks_at(tracks, 0.5) == []
    assert marks_at({3: track}, 1.25) == [Mark((25.0, 12.5, 35.0, 22.5), "Face 3", 0.2)]
    assert marks_at({3: track}, 1.75) == [Mark((75.0, 37.5, 85.0, 47.5), "Face 3", 0.9)]
    assert marks_at(tracks, 5.0) == []
    assert marks_at(tracks, 1.0)[1] == Mark(BOX, "Face 4", None)
    assert marks_at(tracks, 9.1) == [Mark(BOX, "Face 4", 0.5)]


def test_held_frames_show_the_latest_picture_at_every_tick() -> None:
    times = [0.3, 0.5, 0.6, 1.4, 1.5]
    frames = [Frame(t, np.full((64, 64, 3), k, np.uint8)) for k, t in enumerate(times)]
    shown = [int(picture[20, 20, 0]) for picture in _hold(iter(frames), {}, 10.0)]
    latest = [
        max((k for k, t in enumerate(times) if t <= n / 10 + 1e-3), default=0) for n in range(16)
    ]
    assert shown == latest


def test_annotated_video_keeps_length_picture_and_sound(tmp_path: Path) -> None:
    source = tiny_video(tmp_path / "talk.mp4", seconds=2.0, size=(320, 240), audio=True)
    out = tmp_path / "talk_annotated.mp4"
    write_annotated_video(source, out, {0: [(0.0, BOX, 0.9), (1.0, BOX, 0.9)]})
    before, after = probe(source), probe(out)
    assert after.video is not None
    assert before.video is not None
    assert (after.video.width, after.video.height) == (320, 240)
    assert after.video.duration_seconds == pytest.approx(before.video.duration_seconds, abs=0.11)
    pairs = zip(
        stream_frames(source, step_seconds=0.1), stream_frames(out, step_seconds=0.1), strict=True
    )
    for old, new in pairs:
        assert new.seconds == pytest.approx(old.seconds, abs=0.002)
        difference = np.abs(new.rgb.astype(int) - old.rgb).max(axis=2)
        assert np.median(difference) <= 3
        # The left side of the box, seen until shortly after its last point.
        assert (difference[130, 97:104].max() > 40) == (old.seconds <= 1.2 + 1e-6)
    sounds = [next(read_audio(path)).samples[4000:28000] for path in (source, out)]
    assert np.corrcoef(sounds)[0, 1] > 0.98
    assert [entry.name for entry in tmp_path.iterdir() if ".part" in entry.name] == []


def test_sound_alone_has_nothing_to_draw_into(tmp_path: Path) -> None:
    source = tone(tmp_path / "voice.wav")
    with pytest.raises(UnreadableMedia, match="no video stream to draw into"):
        write_annotated_video(source, tmp_path / "out.mp4", {})
    assert not (tmp_path / "out.mp4").exists()


def test_photo_becomes_a_video_of_one_frame(tmp_path: Path) -> None:
    source = photo(tmp_path / "face.png", size=(320, 240))
    out = tmp_path / "face.mp4"
    write_annotated_video(source, out, {0: [(0.0, BOX, None)]})
    assert len(list(stream_frames(out, step_seconds=0.01))) == 1
