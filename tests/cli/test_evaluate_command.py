from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_fakes import FakeLoader
from typer.testing import CliRunner, Result

from seamline.cli.main import app
from seamline.data.manifest import Sample, write_manifest
from seamline.scale import examine


@pytest.fixture
def clips(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(examine, "DetectorLoader", FakeLoader)
    samples = []
    for name, text, label, split in [
        ("a", "0.1", "real", "val"), ("b", "0.6", "real", "val"), ("c", "0.9", "fake", "val"),
        ("d", "0.3", "fake", "val"), ("e", "0.9", "real", "train"),
    ]:  # fmt: skip
        (tmp_path / f"{name}.mp4").write_text(text)
        samples.append(Sample(f"{name}.mp4", "video", split, label, label, source="S", person=name))
    write_manifest(tmp_path / "m.csv", samples)
    return tmp_path


def evaluate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", "m.csv", *arguments])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_numbers_are_printed_and_written(clips, jobs):
    found = evaluate("--split", "val", "--json", "n.json", "--markdown", "n.md", "--jobs", jobs)
    assert found.exit_code == 0, found.output
    numbers = json.loads(Path("n.json").read_text())
    overall = numbers["senses"]["picture"]["overall"]
    assert overall["auc"] == 0.75  # 0.9 and 0.3 against 0.1 and 0.6: three of four pairs
    assert overall["balanced_accuracy"] == 0.5
    assert numbers["rows"] == 4
    assert "0.75" in found.stdout
    assert "4 of 4 files read" in found.stdout
    assert "| 0.750 |" in Path("n.md").read_text()


def test_the_page_is_written_and_frames_are_measured_per_second(clips):
    found = evaluate("--split", "val", "--html", "n.html", "--json", "n.json")
    assert found.exit_code == 0, found.output
    assert "fake-detector" in Path("n.html").read_text()
    overall = json.loads(Path("n.json").read_text())["senses"]["picture"]["overall"]
    assert overall["seconds"]["auc"] == 0.75  # ten seconds a file, all like the file
    assert overall["seconds"]["reals"] == 20
    assert overall["frames"] is None  # this detector keeps none


def test_corrupted_files_are_measured_beside_the_clean_ones(clips):
    # The fakes are no media, so none can be rewritten: the sweep says so, and goes on.
    found = evaluate("--split", "val", "--corruptions", "blur,crf-35", "--json", "n.json")
    assert found.exit_code == 0, found.output
    sweep = json.loads(Path("n.json").read_text())["sweep"]
    assert [change["name"] for change in sweep["changes"]] == ["blur", "crf-35"]
    assert sweep["changes"][0]["unwritten"] == 4
    assert sweep["clean"]["auc"] == 0.75
    assert "Corrupted pictures" in found.stdout
    assert "crf-35: H.264 CRF 35" in found.stderr


def test_an_unreadable_row_is_named_with_status_1(clips):
    (clips / "c.mp4").unlink()
    found = evaluate("--split", "val")
    assert found.exit_code == 1
    assert "could not be read: c.mp4: no such file" in found.stdout


def test_a_resumed_evaluation_uses_the_verdicts_that_it_has(clips):
    assert evaluate("--out", "v.jsonl", "--json", "1.json").exit_code == 0
    for film in clips.glob("*.mp4"):
        state = film.stat()
        film.write_text("bug")  # would be seen if it were scanned again
        film.write_text("bug")
        import os

        os.truncate(film, state.st_size)
        os.utime(film, ns=(state.st_atime_ns, state.st_mtime_ns))
    again = evaluate("--out", "v.jsonl", "--resume", "--json", "2.json")
    assert again.exit_code == 0, again.output
    assert Path("1.json").read_text() == Path("2.json").read_text()
    assert len(Path("v.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "test"], "no row of split 'test'. Its splits: train, val"),
        (["--kind", "audio"], "no row of kind audio"),
        (["--kind", "film"], "film"),
        (["--corruptions", "fog"], "no corruption is named fog"),
        (["--html", "absent/n.html"], "the folder absent does not exist"),
        (["--json", "absent/n.json"], "the folder absent does not exist"),
        (["--html", "."], ". is a folder. Name a file in it."),
    ],
)
def test_wrong_usage_is_status_2(clips, options, message):
    found = evaluate(*options)
    assert found.exit_code == 2
    assert message in found.stderr
    assert "Traceback" not in found.output
