from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_fakes import FakeLoader
from typer.testing import CliRunner, Result

from seamline.cli.main import app
from seamline.scale import examine
from seamline.scoring.verdict import Verdict


@pytest.fixture(autouse=True)
def fake_detector(monkeypatch):
    monkeypatch.setattr(examine, "DetectorLoader", FakeLoader)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def films(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    for name, text in {"a.mp4": "0.9", "b ü.mp4": "0.1", "c.mp4": "bad the file is empty"}.items():
        (folder / name).write_text(text)
    return folder


def scan(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["scan", *arguments])


def test_one_file_is_told_in_full_within_80_columns(films):
    found = scan("films/a.mp4")
    assert found.exit_code == 0
    shown = found.stdout
    assert "manipulated picture: 90 %" in shown.replace("\xa0", " ")
    assert "not examined: no audio stream" in shown
    assert "Face 0, 0:00 to 0:10, 212 px high" in shown
    assert "0:02–0:06 picture, face 0" in shown
    assert "heavy compression" in shown
    assert "--report" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "\x1b" not in shown
    assert found.stderr == ""


def test_many_files_get_a_line_each_and_a_bad_one_its_reason_and_status_1(films):
    found = scan("films")
    assert found.exit_code == 1
    lines = found.stdout.replace("\xa0", " ").splitlines()
    assert re.match(r"fake picture +90 %  films/a\.mp4", lines[1])
    assert "0:02–0:06 picture, face 0: 90 %" in lines[2]
    assert re.match(r"real +10 %  films/b ü\.mp4", lines[3])
    assert re.match(r"unreadable +–  films/c\.mp4", lines[4])
    assert "the file is empty" in lines[5]
    assert lines[-1] == "3 files: 1 fake, 1 real, 1 could not be read."


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_json_prints_one_verdict_a_line_in_order_and_nothing_else(films, jobs):
    found = scan("films", "--json", "--jobs", jobs)
    assert found.exit_code == 1
    verdicts = [Verdict.from_json(json.loads(line)) for line in found.stdout.splitlines()]
    assert [v.path for v in verdicts] == ["films/a.mp4", "films/b ü.mp4", "films/c.mp4"]
    assert verdicts[2].label is None
    assert "films/c.mp4: the file is empty" in found.stderr


def test_json_round_trips_to_the_very_line(films):
    line = scan("films/a.mp4", "--json").stdout.strip()
    assert json.dumps(Verdict.from_json(json.loads(line)).to_json()) == line


def test_a_missing_file_does_not_stop_the_others(films):
    found = scan("films/gone.mp4", "films/a.mp4")
    assert found.exit_code == 1
    assert "no such file" in found.stdout
    assert "films/a.mp4" in found.stdout


def test_a_folder_with_nothing_is_named_with_status_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    found = scan("empty", "--json")
    assert found.exit_code == 1
    assert found.stdout == ""
    assert "empty: no video, image or sound in this folder" in found.stderr


def test_out_holds_every_verdict_and_resume_skips_them(films):
    assert scan("films", "--out", "r.jsonl").exit_code == 1
    assert len(Path("r.jsonl").read_text().splitlines()) == 3
    again = scan("films", "--out", "r.jsonl", "--resume", "--json")
    # the unreadable one is tried again
    assert [json.loads(line)["path"] for line in again.stdout.splitlines()] == ["films/c.mp4"]
    assert "2 unchanged files were in r.jsonl already" in again.stderr
    (films / "c.mp4").write_text("0.2")
    assert scan("films", "--out", "r.jsonl", "--resume").exit_code == 0
    assert len(Path("r.jsonl").read_text().splitlines()) == 3


def test_parquet_holds_the_same_rows(films):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert scan("films", "--out", "r.parquet").exit_code == 1
    rows = pq.read_table("r.parquet").to_pylist()
    lines = [json.loads(line) for line in Path("r.parquet.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows] == [line["path"] for line in lines]
    assert rows[0]["segments"] == lines[0]["segments"]
    assert rows[0]["timeline"] == lines[0]["timeline"]
    assert rows[0]["seconds"] == [{"stage": "total", "seconds": 0.01}]
    assert (rows[2]["label"], rows[2]["error"]) == (None, "the file is empty")
    (films / "c.mp4").write_text("0.2")
    assert scan("films", "--out", "r.parquet", "--resume").exit_code == 0
    assert [r["error"] for r in pq.read_table("r.parquet").to_pylist()] == [None] * 3


def test_proposals_are_kept_where_they_are_asked_for(films):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert "proposals" not in json.loads(scan("films/a.mp4", "--json").stdout)
    line = json.loads(scan("films/a.mp4", "--json", "--proposals").stdout)
    assert line["proposals"] == line["segments"] != []
    scan("films/a.mp4", "--out", "r.parquet", "--proposals")
    assert pq.read_table("r.parquet").to_pylist()[0]["proposals"] == line["proposals"]
    refused = scan("films/a.mp4", "--out", "r.parquet", "--resume")
    assert refused.exit_code == 2
    assert "proposals" in " ".join(refused.stderr.split())


def test_parquet_without_pyarrow_is_refused_before_any_scan(films, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = scan("films", "--out", "r.parquet")
    assert found.exit_code == 2
    assert "needs pyarrow, which is not installed" in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "name it with --out"),
        (["--out", "r.csv"], "must end in .jsonl or .parquet"),
        (["--out", "absent/r.jsonl"], "the folder absent does not exist"),
        (["--out", "films"], "is a folder"),
        (["--out", "there.jsonl"], "Add --resume to go on with it, or name another --out"),
        (["--out", "r.jsonl", "--resume", "--report", "r.html"], "use one of the two"),
        (["--report", "absent/r.html"], "the folder absent does not exist"),
        (["--jobs", "0"], "--jobs"),
        (["--unknown"], "--unknown"),
    ],
)
def test_wrong_usage_is_status_2_and_scans_nothing(films, options, message):
    Path("there.jsonl").write_text("precious")
    found = scan("films/a.mp4", *options)
    assert found.exit_code == 2
    assert message in found.stderr
    assert "Traceback" not in found.output
    assert found.stdout == ""
    assert Path("there.jsonl").read_text() == "precious"


def test_a_report_shows_every_file_also_the_unreadable(films):
    found = scan("films", "--report", "r.html")
    assert found.exit_code == 1
    page = Path("r.html").read_text(encoding="utf-8")
    for text in ("a.mp4", "b ü.mp4", "the file is empty", "fake-detector"):
        assert text in page.replace("The file", "the file")


def test_stopping_by_hand_says_what_is_kept(films, monkeypatch):
    from cli_fakes import FakeDetector

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeDetector, "scan", interrupt)
    found = scan("films", "--out", "r.jsonl")
    assert found.exit_code == 130
    assert "r.jsonl keeps what is done; --resume goes on" in found.stderr
