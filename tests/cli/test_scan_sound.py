"""`seamline scan talk.wav`: sound alone, as people have it, with the shipped model."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from media_factory import photo
from seamline.cli.main import app
from seamline.media.write import write_audio

RATE_HZ = 16000
FORMATS = {
    "talk.wav": ("pcm_s16le", "wav", RATE_HZ),
    "talk.flac": ("flac", "flac", RATE_HZ),
    "talk.mp3": ("libmp3lame", "mp3", 44100),
    "talk.opus": ("libopus", "ogg", 48000),
    "talk.m4a": ("aac", "ipod", 44100),
}


def buzz(seconds: float = 2.6) -> np.ndarray:
    """Harmonics of a moving pitch in syllables: taken for speech."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE_HZ
    formants = [np.exp(-(((k * 120 - 700) / 500) ** 2)) for k in range(1, 30)]
    sound = sum(gain * np.sin(k * phase) for k, gain in enumerate(formants, 1))
    sound = sound * np.clip(np.sin(2 * np.pi * 3 * time) + 0.5, 0, 1)
    sound += np.random.default_rng(0).normal(0, 0.005, len(time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def write(path: Path, codec: str, container: str, rate_hz: int, cover: Path | None = None) -> Path:
    """Encode the buzz, with a picture attached as players show it."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout="mono")
        if cover is not None:
            with av.open(str(cover)) as picture:
                art = output.add_stream_from_template(picture.streams.video[0])
                art.disposition = av.stream.Disposition.attached_pic
                packet = next(picture.demux(video=0))
                packet.stream = art
                output.mux(packet)
        frame = av.AudioFrame.from_ndarray(buzz()[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("sounds")
    for name, how in FORMATS.items():
        write(made / name, *how)
    cover = photo(made / "cover.jpg")
    write(made / "cover.m4a", "aac", "mp4", 44100, cover)
    cover.unlink()
    write_audio(made / "silence.wav", np.zeros(RATE_HZ, np.float32))
    write_audio(made / "blip.wav", buzz()[: RATE_HZ // 8])
    return made


@pytest.fixture(scope="module")
def scanned(folder) -> tuple[dict[str, dict], str]:
    report = folder.parent / "talk.html"
    found = CliRunner().invoke(app, ["scan", str(folder), "--json", "--report", str(report)])
    assert found.exit_code == 0, found.output
    verdicts = [json.loads(line) for line in found.stdout.splitlines()]
    return {Path(v["path"]).name: v for v in verdicts}, report.read_text()


@pytest.mark.parametrize("name", [*FORMATS, "cover.m4a"])
def test_every_format_is_listened_to_whole(scanned, name):
    verdict = scanned[0][name]
    assert verdict["label"] in ("real", "fake_audio")
    assert verdict["audio"]["fake_probability"] == verdict["fake_probability"]
    assert verdict["audio"]["examined_seconds"] == pytest.approx(2.6, abs=0.1)
    assert all(chance is not None for chance in verdict["timeline"]["audio"])
    assert verdict["media"]["video"] is None  # cover art is no film
    assert verdict["video"]["reason"] == "no video stream"
    assert verdict["sync"]["reason"] == "no moving picture to compare with"
    assert verdict["people"] == []


def test_a_lossless_format_changes_nothing(scanned):
    wav, flac = (scanned[0][name]["fake_probability"] for name in ("talk.wav", "talk.flac"))
    assert wav == pytest.approx(flac, abs=0.02)


def test_what_cannot_be_judged_says_why(scanned):
    reasons = {n: scanned[0][n]["audio"]["reason"] for n in ("silence.wav", "blip.wav")}
    assert reasons["silence.wav"] == "no speech found"
    assert reasons["blip.wav"] == "0.12 s of sound: too short to judge"
    assert scanned[0]["silence.wav"]["label"] == "inconclusive"


def test_the_report_has_each_sound(scanned):
    for name in (*FORMATS, "cover.m4a", "silence.wav"):
        assert name in scanned[1]


def test_the_table_and_the_full_view_are_for_people(folder):
    table = CliRunner().invoke(app, ["scan", str(folder)])
    assert table.exit_code == 0, table.output
    assert "talk.opus" in table.stdout
    full = CliRunner().invoke(app, ["scan", str(folder / "talk.mp3")])
    assert "voice" in full.stdout
    assert "picture    not examined: no video stream" in full.stdout
