"""What is let in: every format by its content, and nothing that hangs or crashes the decoder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from server_fakes import wav

from media_factory import photo, tiny_video, tone
from seamline.server.gate import Gate, Seen
from seamline.server.refusals import Refused
from seamline.server.settings import Limits
from seamline.server.sniff import sniff


def sound(path: Path, codec: str) -> Path:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000, layout="mono")
        times = np.arange(48000) / 48000
        wave = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


MEDIA: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "mp4": (tiny_video, "video/mp4", "video"),
    "mov": (tiny_video, "video/quicktime", "video"),
    "mkv": (tiny_video, "video/x-matroska", "video"),
    "webm": (lambda p: tiny_video(p, codec="libvpx-vp9"), "video/webm", "video"),
    "avi": (lambda p: tiny_video(p, codec="mpeg4"), "video/x-msvideo", "video"),
    "ts": (tiny_video, "video/mp2t", "video"),
    "mpg": (lambda p: tiny_video(p, fps=25, codec="mpeg2video"), "video/mpeg", "video"),
    "flv": (tiny_video, "video/x-flv", "video"),
    "wmv": (lambda p: tiny_video(p, codec="wmv2"), "video/x-ms-asf", "video"),
    "gif": (lambda p: tiny_video(p, codec="gif", pixel_format="rgb8"), "image/gif", "video"),
    "h264": (tiny_video, "video/h264", "video"),
    "jpg": (photo, "image/jpeg", "image"),
    "png": (photo, "image/png", "image"),
    "webp": (photo, "image/webp", "image"),
    "bmp": (photo, "image/bmp", "image"),
    "tif": (photo, "image/tiff", "image"),
    "wav": (tone, "audio/wav", "audio"),
    "mp3": (lambda p: sound(p, "libmp3lame"), "audio/mpeg", "audio"),
    "flac": (lambda p: sound(p, "flac"), "audio/flac", "audio"),
    "ogg": (lambda p: sound(p, "libopus"), "audio/ogg", "audio"),
    "m4a": (lambda p: sound(p, "aac"), "audio/mp4", "audio"),
    "aac": (lambda p: sound(p, "aac"), "audio/aac", "audio"),
    "aiff": (lambda p: sound(p, "pcm_s16be"), "audio/aiff", "audio"),
}


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    found = Gate(Limits(), keepers=1, seconds=30)
    yield found
    found.close()


@pytest.mark.parametrize("ending", MEDIA)
def test_a_format_is_known_and_read_without_its_ending(
    gate: Gate, tmp_path: Path, ending: str
) -> None:
    make, media_type, kind = MEDIA[ending]
    path = make(tmp_path / f"x.{ending}").rename(tmp_path / "media")
    assert sniff(path.read_bytes()[:4096]) == media_type
    assert gate.look(path).kind == kind


def test_what_takes_too_long_to_look_at_is_refused_and_the_next_is_not(tmp_path: Path) -> None:
    good = tmp_path / "media"
    good.write_bytes(wav())
    gate = Gate(Limits(), keepers=1, seconds=30)
    try:
        assert gate.look(good) == Seen("audio", pytest.approx(0.1, abs=0.05))
        (keeper,) = list(gate._free.queue)
        os.kill(keeper.process.pid or 0, signal.SIGSTOP)  # hangs, as a decoder may
        gate._seconds = 0.3
        with pytest.raises(Refused, match=r"cannot be told within 0\.3 s"):
            gate.look(good)
        gate._seconds = 30
        assert gate.look(good).kind == "audio"
    finally:
        gate.close()


def test_a_file_that_crashes_the_decoder_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "media"
    good.write_bytes(wav())
    gate = Gate(Limits(), keepers=1, seconds=30)
    try:
        gate.look(good)
        send = Connection.send

        def send_and_die(line: Connection, message: object) -> None:
            """The process dies over whatever it is given."""
            for process in multiprocessing.active_children():  # another gate's start again
                process.kill()
                process.join(5)
            send(line, message)

        with monkeypatch.context() as patch:
            patch.setattr(Connection, "send", send_and_die)
            with pytest.raises(Refused, match="crashes on this file"):
                gate.look(good)
        assert gate.look(good).kind == "audio"
    finally:
        gate.close()
