from __future__ import annotations

import multiprocessing
import os
import time

import pytest
from cli_fakes import DyingLoader, FakeDetector, FakeLoader

from seamline.errors import SeamlineError
from seamline.scale.examine import CHANGED, Settings, examine_file
from seamline.scale.workers import in_order, scan_files, threads_per_job


def write_files(folder, texts: list[str]) -> list[str]:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number:02d}.mp4"
        path.write_text(text)
        paths.append(str(path))
    return paths


def told(outcomes) -> list[str]:
    return [o.verdict.error or str(o.verdict.fake_probability) for o in in_order(outcomes)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_file_gives_one_outcome_whatever_the_others_do(tmp_path, jobs):
    paths = write_files(tmp_path, ["0.1", "bad the file is empty", "0.7", "bug", "0.9"])
    found = told(scan_files(paths, FakeLoader(), Settings(), jobs=jobs))
    assert found[:3] == ["0.1", "the file is empty", "0.7"]
    assert found[3] == "an internal error, please report it (KeyError: 'a fault of ours')"
    assert found[4] == "0.9"


def test_a_killed_worker_costs_one_file(tmp_path):
    texts = ["0.1", "die", "0.2", "die", "die", "0.3", "0.4"]
    paths = write_files(tmp_path, texts)
    found = told(scan_files(paths, FakeLoader(), Settings(), jobs=2))
    crashed = "the decoder crashed on this file (killed by SIGKILL)"
    assert found == ["0.1", crashed, "0.2", crashed, crashed, "0.3", "0.4"]


def test_more_crashes_than_files_left_still_end(tmp_path):
    paths = write_files(tmp_path, ["die"] * 4)
    assert len(told(scan_files(paths, FakeLoader(), Settings(), jobs=4))) == 4


def test_workers_that_cannot_start_are_an_error_not_a_loop(tmp_path):
    paths = write_files(tmp_path, ["0.1"] * 4)
    with pytest.raises(SeamlineError, match=r"before its first file \(killed by SIGKILL\)"):
        list(scan_files(paths, DyingLoader(), Settings(), jobs=2))


def test_stopping_early_leaves_no_worker_behind(tmp_path):
    paths = write_files(tmp_path, ["0.1", "slow 60", "slow 60", "0.2"])
    outcomes = scan_files(paths, FakeLoader(), Settings(), jobs=2)
    next(outcomes)
    start = time.monotonic()
    outcomes.close()
    assert time.monotonic() - start < 5
    assert multiprocessing.active_children() == []


def test_a_file_that_changes_while_read_says_so(tmp_path):
    (path,) = write_files(tmp_path, ["grow"])
    verdict = examine_file(FakeDetector(), path, Settings()).verdict
    assert verdict.warnings[-1] == CHANGED
    again = examine_file(FakeDetector(), *write_files(tmp_path, ["0.1"]), Settings()).verdict
    assert CHANGED not in again.warnings


def test_order_is_restored_with_nothing_lost():
    shuffled = [(2, "c"), (0, "a"), (3, "d"), (1, "b")]
    assert list(in_order(iter(shuffled))) == ["a", "b", "c", "d"]


def test_threads_are_shared_among_jobs(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [threads_per_job(jobs) for jobs in (1, 2, 8, 20)] == [0, 4, 1, 1]
