from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from seamline.cli.main import app
from seamline.data.manifest import Sample, write_manifest
from seamline.media.write import write_audio


@pytest.fixture
def sounds(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    generator = np.random.default_rng(0)
    samples = []
    for number in range(32):
        label, split = ("fake" if number % 2 else "real"), ("val" if number > 23 else "train")
        noise = generator.uniform(-1, 1, 16000 if label == "fake" else 8000)
        write_audio(f"{number}.wav", (0.3 * noise).astype(np.float32), 16000)
        person = "both sides" if number in (0, 25) else f"p{number}"
        samples.append(
            Sample(f"{number}.wav", "audio", split, label, source="long fakes", person=person)
        )
    write_manifest(tmp_path / "m.csv", samples)
    return tmp_path


def audit(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", "m.csv", *arguments])


def test_what_tells_is_shown_and_written(sounds):
    found = audit("--json", "a.json", "--markdown", "a.md")
    assert found.exit_code == 0, found.output
    assert "32 rows: 16 real, 16 fake. 32 files measured." in found.stdout
    assert "duration 1.00" in found.stdout
    assert "duration: cut files of both classes to one length" in found.stdout
    assert "both sides: 1 in train, 1 in val (0.wav and 25.wav)" in found.stdout
    written = json.loads(Path("a.json").read_text())
    (train,) = [one for one in written["sets"] if one["split"] == "train"]
    assert train["cues"]["duration"] == 1.0
    assert "duration" in train["tells"]
    assert "| long fakes, train | 12 | 12 |" in Path("a.md").read_text()


def test_fewer_files_and_one_split_may_be_asked_for(sounds):
    found = audit("--split", "train", "--per-class", "5", "--jobs", "2")
    assert found.exit_code == 0, found.output
    assert "24 rows: 12 real, 12 fake. 10 files measured." in found.stdout
    assert "long fakes, val" not in found.stdout
    assert "People in several splits" not in found.stdout


def test_a_file_that_cannot_be_read_is_named_with_status_1(sounds):
    Path("3.wav").write_text("no sound")
    Path("4.wav").unlink()
    found = audit()
    assert found.exit_code == 1
    assert "3.wav: " in found.stdout
    assert "4.wav: " in found.stdout
    assert "2 files could not be read" in found.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "test"], "has no row of split 'test'. Its splits: train, val"),
        (["--json", "nowhere/a.json"], "cannot be written: name a file in a folder that exists"),
        (["--per-class", "-1"], "'--per-class'"),
    ],
)
def test_wrong_usage_is_status_2(sounds, options, message):
    found = audit(*options)
    assert found.exit_code == 2
    assert message in found.stderr


def test_an_empty_manifest_is_wrong_usage(sounds):
    Path("m.csv").write_text("path,kind,label\n")
    found = audit()
    assert found.exit_code == 2
    assert "has no rows to audit" in found.stderr
