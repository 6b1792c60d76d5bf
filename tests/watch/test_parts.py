"""The parts of watching: what is dropped, what is waited for, what a source's name means."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from media_factory import tiny_video
from seamline.cli.main import app
from seamline.errors import UnreadableMedia, WrongUsage
from seamline.media.video import Frame
from seamline.watch import feed as feeding
from seamline.watch.feed import MOST_FRAMES, MOST_TAKEN, Feed
from seamline.watch.pace import Pace, skipping
from seamline.watch.source import Kind, parse_source


def frame(number: int) -> Frame:
    return Frame(number * 0.25, np.zeros((4, 4, 3), np.uint8))


def test_the_oldest_frames_go_first_and_are_counted():
    feed = Feed(16000)
    for number in range(MOST_FRAMES + 3):
        feed.put_frame(frame(number))
    taken, _, is_over = feed.take(0)
    assert feed.dropped == 3
    assert [f.seconds for f in taken] == [0.25 * (3 + n) for n in range(MOST_TAKEN)]
    assert not is_over


def test_large_frames_are_bounded_by_their_bytes_yet_one_always_passes(monkeypatch):
    monkeypatch.setattr(feeding, "MOST_BYTES", 100)
    feed = Feed(16000)
    for number in range(5):
        feed.put_frame(frame(number))  # 48 bytes each
    assert feed.dropped == 3
    monkeypatch.setattr(feeding, "MOST_BYTES", 10)
    feed.put_frame(frame(9))
    taken, *_ = feed.take(0)
    assert [f.seconds for f in taken] == [9 * 0.25]


def test_a_window_is_settled_when_picture_and_sound_have_passed_it():
    feed = Feed(16000)
    feed.reach(5.0)
    feed.put_sound(0, np.zeros(16000 * 4, np.float32))
    assert feed.take(0)[1] == 4.0
    feed.put_frame(frame(2))
    feed.put_frame(frame(3))
    assert feed.take(0)[1] == 4.0  # both were given out
    feed.reach(9.0)  # the sound has stopped: it is not waited for
    assert feed.take(0)[1] == 9.0


def test_sound_is_forgotten_after_a_while():
    feed = Feed(100)
    for second in range(60):
        feed.put_sound(100 * second, np.full(100, 0.5, np.float32))
    assert feed.cut_sound(10.0, 12.0) is None
    sound = feed.cut_sound(57.0, 59.0)
    assert sound is not None
    assert sound.samples.tolist() == [0.5] * 200


def test_what_comes_early_is_held_back_and_what_comes_late_says_by_how_much():
    pace = Pace(False, threading.Event())
    start = time.monotonic()
    assert pace.wait(10.0) == 0.0
    assert pace.wait(10.2) == 0.0
    assert time.monotonic() - start >= 0.2
    time.sleep(0.3)
    assert pace.wait(10.3) >= 0.2


def test_lateness_of_the_source_itself_is_not_ours_to_make_up_for():
    pace = Pace(True, threading.Event())
    pace.wait(0.0)
    time.sleep(0.2)
    pace.waited_for_source(0.2)  # it gave nothing meanwhile
    assert pace.wait(0.04) == 0.0
    time.sleep(0.2)
    assert pace.wait(0.08) >= 0.1  # this time it was us


def test_the_later_we_are_the_more_the_decoder_leaves_out():
    assert [skipping(late) for late in (0.0, 0.4, 0.7, 2.0)] == [
        "DEFAULT", "DEFAULT", "NONREF", "NONKEY",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0", Kind.CAMERA),
        ("/dev/video3", Kind.CAMERA),
        ("-", Kind.PIPE),
        ("rtsp://host/door", Kind.STREAM),
        ("HTTPS://host/live.m3u8", Kind.STREAM),
    ],
)
def test_a_source_is_told_by_its_name(text, kind):
    assert parse_source(text).kind is kind


def test_a_file_named_like_a_camera_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_video(tmp_path / "a.mp4").rename("0")
    assert parse_source("0").kind is Kind.FILE


def test_a_password_is_never_shown():
    source = parse_source("rtsp://me:secret@10.0.0.9:554/door")
    assert source.shown == "rtsp://10.0.0.9:554/door"
    assert "secret" not in str(UnreadableMedia(source.shown, "lost"))


def test_unknown_schemes_and_missing_files_say_what_to_try():
    with pytest.raises(WrongUsage, match=r"gopher:// is not supported\. Known: http, https, rtmp"):
        parse_source("gopher://host/x")
    with pytest.raises(UnreadableMedia, match="no such file"):
        parse_source("gone.mp4")


def test_a_camera_that_is_not_there_is_status_1_with_what_cameras_are_called():
    done = CliRunner().invoke(app, ["watch", "97"])
    assert done.exit_code == 1
    assert "Cannot read 97: no such camera" in done.stderr
