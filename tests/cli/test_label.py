from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from media_factory import tiny_video
from seamline.cli.label import label
from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.errors import WrongUsage
from seamline.media.write import write_audio

app = typer.Typer()
app.command()(label)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def voices(tmp_path) -> tuple[Path, Path, Path]:
    generator = np.random.default_rng(0)
    first, second = (0.1 * generator.standard_normal((2, 32000))).astype(np.float32)
    for name, samples in (("original", first), ("copy", 0.5 * first), ("other", second)):
        write_audio(tmp_path / f"{name}.wav", samples)
    return tmp_path / "original.wav", tmp_path / "copy.wav", tmp_path / "other.wav"


def test_a_pair_is_told_in_words_and_as_json(voices):
    original, copy, other = voices
    same = run(copy, original)
    assert same.exit_code == 0, same.output
    assert "picture: unknown (no video stream)" in same.stdout
    assert "voice:   real (correlation 1.00" in same.stdout
    found = json.loads(run(other, original, "--json").stdout)
    assert (found["video_label"], found["audio_label"]) == ("", "fake")
    assert float(found["voice_worst_correlation"]) < 0.2


def test_a_manifest_is_labelled_into_a_new_file(voices, tmp_path):
    rows = [
        Sample(name, "audio", label="fake", extra={"original": "original.wav"})
        for name in ("copy.wav", "other.wav", "gone.wav")
    ]
    write_manifest(tmp_path / "in.csv", [*rows, Sample("original.wav", "audio", label="real")])
    done = run(tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    assert done.exit_code == 1  # one could not be read
    assert "gone.wav: Cannot read" in done.stderr
    assert "3 of 4 rows compared" in done.stdout
    labels = [sample.audio_label for sample in read_manifest(tmp_path / "out.csv")]
    assert labels == ["real", "fake", "", ""]
    again = run(tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    assert "out.csv exists; nothing is overwritten" in str(again.exception)


def test_the_tolerance_is_an_option(voices):
    original, copy, _ = voices
    assert "voice:   fake" in run(copy, original, "--voice-tolerance", "1.0").stdout


def test_wrong_usage_says_what_to_give(voices, tmp_path):
    assert isinstance(run(voices[0]).exception, WrongUsage)
    assert "MANIFEST.csv with --out" in str(run(voices[0]).exception)
    film = tiny_video(tmp_path / "film.mp4")
    write_manifest(tmp_path / "in.csv", [Sample(film.name, "video", label="fake")])
    none = run(tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    assert "names no originals" in str(none.exception)
