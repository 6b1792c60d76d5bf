"""Watching end to end, over a bundle of known arithmetic and sources made here."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from media_factory import tiny_video
from seamline.data.demo_clips import read_portrait
from seamline.detector import Detector
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.write import write_video
from seamline.scoring.calibration import Calibration
from seamline.scoring.quality import QualityLimits
from seamline.watch import feed
from seamline.watch import watch as watching
from seamline.watch.feed import KEPT_SECONDS, MOST_FRAMES
from seamline.watch.source import parse_source
from seamline.watch.watch import Moment, read_live_references, watch
from seamline.zoo.bundle import Bundle
from tiny_bundle import write_tiny_bundle

FACE = read_portrait()
FPS = 10


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Path:
    """Six seconds of a face and a noise like speech."""
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    times = np.arange(6 * 16000) / 16000
    buzz = np.sign(np.sin(2 * np.pi * (120 + 20 * np.sin(2 * np.pi * times)) * times))
    sound = (0.2 * buzz * (np.sin(2 * np.pi * 3 * times) > 0)).astype(np.float32)
    write_video(path, [FACE] * 6 * FPS, FPS, samples=sound, options={"preset": "veryfast"})
    return path


def test_a_file_at_its_own_speed_ends_in_the_verdict_of_its_scan(bundle, talk):
    start = time.monotonic()
    moments = list(watch(parse_source(str(talk)), bundle, finder=FaceDetector(1)))
    assert time.monotonic() - start > 5.5
    assert [m.stop_seconds for m in moments[:3]] == pytest.approx([2.0, 4.0, 6.0], abs=0.1)
    if moments[-1].frames_dropped:
        pytest.skip("this machine is too busy to look at every frame")
    scanned = Detector(bundle, threads=1).scan(talk)
    live = moments[-1].verdict
    assert live.video.fake_probability == pytest.approx(scanned.video.fake_probability, abs=1e-6)
    assert live.audio.fake_probability == pytest.approx(scanned.audio.fake_probability, abs=1e-6)
    assert live.label == scanned.label
    assert [p.track for p in live.people] == [p.track for p in scanned.people] == [0]


def test_a_person_seen_in_genuine_footage_is_judged_against_it_live(tmp_path):
    fit = {
        "reference_calibration": Calibration(0.5, -1.0),
        "reference_threshold": 0.6,
        "reference_usual_logits": (-30.0, 30.0),
    }
    bundle = write_tiny_bundle(tmp_path / "tiny", branches=("picture", "motion"), **fit)
    redder = FACE.astype(np.int16)
    redder[..., 0] += 16  # two logits
    for name, face in (("genuine", FACE), ("redder", np.clip(redder, 0, 255).astype(np.uint8))):
        write_video(tmp_path / f"{name}.mp4", [face] * 30, FPS, options={"preset": "veryfast"})
    finder, genuine = FaceDetector(1), tmp_path / "genuine.mp4"
    known = read_live_references([genuine], bundle, finder)
    source = parse_source(str(tmp_path / "redder.mp4"))
    *_, last = watch(source, bundle, finder=finder, references=known)
    found = last.verdict
    assert found.reference is not None
    assert found.reference.paths == (str(genuine),)
    assert [person.track for person in found.reference.people] == [0]
    expected = fit["reference_calibration"].probability(2.0)
    assert found.video.fake_probability == pytest.approx(expected, abs=0.05)
    assert last.to_json()["reference"]["people"]


def test_only_the_last_seconds_count_and_nothing_older_is_kept(bundle, tmp_path):
    blank = np.full_like(FACE, 90)
    path = tmp_path / "gone.mp4"
    write_video(path, [FACE] * 20 + [blank] * 21, FPS, options={"preset": "veryfast"})
    with_face, without, *_ = watch(
        parse_source(str(path)), bundle, span_seconds=2, finder=FaceDetector(1)
    )
    assert len(with_face.verdict.people) == 1
    assert without.verdict.people == ()
    assert (without.start_seconds, without.stop_seconds) == (2.0, 4.0)
    assert without.verdict.video.reason.startswith("no face of at least")


def test_a_face_too_poor_to_be_judged_is_refused_live_as_in_a_scan(bundle, tmp_path):
    path = tmp_path / "short.mp4"
    write_video(path, [FACE] * 2 * FPS, FPS, options={"preset": "veryfast"})
    strict = replace(bundle, quality=QualityLimits(sharpness=(9.0, 9.0)))
    *_, last = watch(parse_source(str(path)), strict, finder=FaceDetector(1))
    scanned = Detector(strict, threads=1).scan(path)
    assert last.verdict.video.fake_probability is None
    assert last.verdict.video.reason == scanned.video.reason
    assert "sharp" in str(scanned.video.reason) or "blur" in str(scanned.video.reason)


class SlowFinder(FaceDetector):
    """Needs a second and a half for what comes in one."""

    def detect(self, frames, min_face_px=48.0):
        time.sleep(1.5 * len(frames))
        return [[] for _ in frames]


def test_a_judge_too_slow_drops_frames_and_stays_close(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "MOST_FRAMES", 2)
    film = tiny_video(tmp_path / "film.mp4", seconds=4.0)
    moments = list(watch(parse_source(str(film)), bundle, finder=SlowFinder(1)))
    last = moments[-1]
    assert last.frames_dropped > 0
    assert last.frames_examined + last.frames_dropped == 16  # four a second
    assert max(m.lag_seconds for m in moments) < 3  # what waits, and what is being looked at


@contextmanager
def serving(send: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            with suppress(OSError):  # the watcher went away
                send(self)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/live.ts"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@pytest.fixture(scope="module")
def stream(tmp_path_factory) -> bytes:
    """Three seconds as they go over the wire."""
    path = tmp_path_factory.mktemp("stream") / "s.ts"
    return tiny_video(path, seconds=3.0, audio=True, options={"g": "10"}).read_bytes()


def test_a_stream_over_http_is_watched_to_its_end_with_its_sound(bundle, stream):
    with serving(lambda to: to.wfile.write(stream)) as address:
        moments = list(watch(parse_source(address), bundle))
    assert moments[-1].stop_seconds == pytest.approx(3.0, abs=0.2)
    assert moments[-1].frames_examined + moments[-1].frames_dropped == pytest.approx(12, abs=1)
    assert moments[-1].verdict.audio.reason == "no speech found"  # a tone, and it was heard


def test_a_stream_that_falls_silent_is_lost_with_the_time_and_the_reason(bundle, stream):
    ended = threading.Event()

    def half(to) -> None:
        to.wfile.write(stream[: 2 * len(stream) // 3])
        ended.wait(timeout=10)

    with serving(half) as address:
        moments = watch(parse_source(address, timeout_seconds=1.0), bundle)
        before = next(moments)  # what came is judged
        with pytest.raises(UnreadableMedia, match=r"lost after \d\.\d s: nothing came for 1 s"):
            list(moments)
        ended.set()
    assert before.stop_seconds <= 2.0


def test_a_pipe_is_watched_and_one_without_a_writer_is_given_up(bundle, stream, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableMedia, match=r"nothing came for 0\.3 s"):
        list(watch(parse_source(str(pipe), timeout_seconds=0.3), bundle))
    writer = threading.Thread(target=lambda: pipe.write_bytes(stream), daemon=True)
    writer.start()
    moments = list(watch(parse_source(str(pipe)), bundle))
    writer.join(timeout=10)
    assert moments[-1].stop_seconds == pytest.approx(3.0, abs=0.2)


class FakeCamera:
    """Gives two seconds of pictures at ten a second, and is then pulled out."""

    def __init__(self) -> None:
        self._left = 21

    def isOpened(self) -> bool:
        return True

    def get(self, prop: int) -> float:
        return {3: 64.0, 4: 48.0, 5: 10.0}[prop]

    def grab(self) -> bool:
        time.sleep(0.1)
        self._left -= 1
        return self._left >= 0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((48, 64, 3), np.uint8)

    def release(self) -> None:
        pass


def test_a_camera_that_is_pulled_out_is_tried_again_and_then_given_up(bundle, monkeypatch):
    opened = []

    def give(where: str) -> FakeCamera:
        opened.append(where)
        return FakeCamera()

    monkeypatch.setattr(watching, "open_camera", give)
    source = parse_source("7")
    found: list[Moment] = []
    for moment in watch(source, bundle, reconnect=1):
        found.append(moment)
        if len(opened) == 2 and moment.verdict.warnings:
            break
    assert "the source was lost and opened again at" in found[-1].verdict.warnings[0]
    opened.clear()
    with pytest.raises(UnreadableMedia, match=r"the camera was lost after 2\.\d s"):
        list(watch(source, bundle))


def test_the_command_prints_json_and_stops_on_ctrl_c_with_status_0(bundle, talk):
    start = "from seamline.cli.main import app; app()"
    command = [sys.executable, "-c", start, "watch", str(talk), "--json",
               "--model", str(bundle.folder)]  # fmt: skip
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    guard = threading.Timer(60, run.kill)
    guard.start()
    try:
        line = run.stdout.readline()
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=30)
    finally:
        guard.cancel()
        run.kill()
    assert run.returncode == 0, errors
    told = json.loads(line)
    assert told["stop_seconds"] == 2.0
    assert told["label"] == "fake_both"
    assert "frames examined" in errors


def test_sound_and_frames_that_are_kept_are_bounded():
    assert MOST_FRAMES * 0.25 <= 2
    assert KEPT_SECONDS <= 10
