from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli_fakes import MODEL, FakeDetector, make_verdict

from seamline.errors import SeamlineError, WrongUsage
from seamline.scale.examine import FileState, Outcome, Settings, examine_file
from seamline.scale.results import Results
from seamline.scoring.reference import Reference
from seamline.scoring.verdict import ModelId, unreadable_verdict


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = []
    for name in ("a.mp4", "b é.mp4", "c.mp4"):
        (tmp_path / name).write_text("0.9")
        paths.append(str(tmp_path / name))
    return paths


def scan_into(path: Path, files: list[str], **options) -> list[str]:
    """Scans what the file of results does not have, as the command does; returns what it did."""
    with Results(path, MODEL, Settings(), asked=files, **options) as results:
        todo = [file for file in files if file not in results]
        for file in todo:
            results.append(examine_file(FakeDetector(), file, Settings()))
    return todo


def rows(path: Path) -> list[dict]:
    assert path.read_bytes().endswith(b"\n")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_resumed_run_skips_what_is_there_and_reads_it_back(tmp_path, files):
    out = tmp_path / "out.jsonl"
    assert scan_into(out, files[:2]) == files[:2]
    assert scan_into(out, files, resume=True) == files[2:]
    assert [row["path"] for row in rows(out)] == files
    with Results(out, MODEL, Settings(), resume=True, asked=files) as results:
        assert results[files[1]].fake_probability == 0.9
        assert "other.mp4" not in results


def test_wherever_the_last_line_is_torn_it_is_redone_and_the_others_stay(tmp_path, files):
    out = tmp_path / "out.jsonl"
    scan_into(out, files)
    whole = out.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in [*range(start, len(whole), 37), len(whole) - 1]:
        out.write_bytes(whole[:cut])
        assert scan_into(out, files, resume=True) == files[2:]
        assert [row["path"] for row in rows(out)] == files
        assert out.read_bytes()[:start] == whole[:start]


def test_a_changed_file_is_redone_and_its_old_line_goes(tmp_path, files):
    out = tmp_path / "out.jsonl"
    scan_into(out, files)
    Path(files[0]).write_text("0.25")
    assert scan_into(out, files, resume=True) == [files[0]]
    found = {row["path"]: row["fake_probability"] for row in rows(out)}
    assert found == {files[0]: 0.25, files[1]: 0.9, files[2]: 0.9}
    assert len(rows(out)) == 3
    assert sorted(os.listdir(tmp_path)) == sorted([*map(os.path.basename, files), "out.jsonl"])


def test_a_touched_file_with_the_same_bytes_is_not_redone(tmp_path, files):
    out = tmp_path / "out.jsonl"
    scan_into(out, files)
    os.utime(files[0], ns=(1, 1))
    assert scan_into(out, files, resume=True) == []
    Path(files[0]).write_text("0.8")  # same size, other bytes, other time
    assert scan_into(out, files, resume=True) == [files[0]]


def test_the_same_genuine_footage_in_another_order_goes_on(tmp_path, files):
    out = tmp_path / "out.jsonl"
    first, second = (Reference(f"{name}.mp4", name * 64, (), 0.5) for name in "ab")
    with Results(out, MODEL, Settings(reference=(first, second))) as results:
        results.append(examine_file(FakeDetector(), files[0], Settings()))
    row = rows(out)[0]
    row["input"]["reference"] = [first.sha256, second.sha256]
    out.write_text(json.dumps(row) + "\n")
    with Results(out, MODEL, Settings(reference=(second, first)), resume=True):
        pass
    with pytest.raises(WrongUsage, match="other options"):
        Results(out, MODEL, Settings(reference=(second,)), resume=True)
    with pytest.raises(WrongUsage, match="other options"):
        Results(out, MODEL, Settings(), resume=True)


def test_unreadable_files_are_tried_again_and_lines_of_other_files_stay(tmp_path, files):
    out = tmp_path / "out.jsonl"
    with Results(out, MODEL, Settings()) as results:
        results.append(Outcome(unreadable_verdict(files[0], "no permission", MODEL), None))
        results.append(Outcome(make_verdict("elsewhere.mp4", 0.5), FileState(3, 4)))
    assert scan_into(out, files[:1], resume=True) == files[:1]
    assert [row["path"] for row in rows(out)] == ["elsewhere.mp4", files[0]]
    assert rows(out)[1].get("error") is None


def test_an_existing_file_is_never_written_over(tmp_path, files):
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(WrongUsage, match=r"exists already. Add --resume .* name another --out"):
        Results(out, MODEL, Settings())
    with pytest.raises(WrongUsage, match="line 1: not a verdict"):
        Results(out, MODEL, Settings(), resume=True)
    assert out.read_text() == "precious"


def test_an_empty_file_that_a_failed_start_left_is_no_obstacle(tmp_path, files):
    out = tmp_path / "out.jsonl"
    out.touch()
    assert scan_into(out, files) == files


def test_a_damaged_line_in_the_middle_is_refused_by_its_number(tmp_path, files):
    out = tmp_path / "out.jsonl"
    scan_into(out, files)
    lines = out.read_bytes().splitlines(keepends=True)
    damaged = b"".join([lines[0], lines[1][:50] + b"\n", lines[2]])
    out.write_bytes(damaged)
    with pytest.raises(WrongUsage, match="line 2: not a verdict"):
        Results(out, MODEL, Settings(), resume=True)
    assert out.read_bytes() == damaged


def test_verdicts_of_another_model_or_other_options_are_not_mixed_in(tmp_path, files):
    out = tmp_path / "out.jsonl"
    scan_into(out, files)
    newer = ModelId(MODEL.name, "2", MODEL.sha256)
    with pytest.raises(WrongUsage, match=r"version '1' there, '2' now"):
        Results(out, newer, Settings(), resume=True)
    with pytest.raises(WrongUsage, match=r"thorough False there, True now"):
        Results(out, MODEL, Settings(thorough=True), resume=True)


def test_two_runs_cannot_write_one_file(tmp_path):
    out = tmp_path / "out.jsonl"
    with Results(out, MODEL, Settings()):
        with pytest.raises(SeamlineError, match="Another run is writing"):
            Results(out, MODEL, Settings(), resume=True)
    with Results(out, MODEL, Settings(), resume=True):
        pass


def test_the_same_path_cannot_get_two_lines(tmp_path):
    with Results(tmp_path / "out.jsonl", MODEL, Settings()) as results:
        results.append(Outcome(make_verdict("a", 0.1), None))
        with pytest.raises(ValueError, match="has a line"):
            results.append(Outcome(make_verdict("a", 0.1), None))


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(SeamlineError, match="cannot be written: No such file"):
        Results(tmp_path / "absent" / "out.jsonl", MODEL, Settings())
