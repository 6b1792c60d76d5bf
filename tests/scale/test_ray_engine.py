"""The Ray engine against the engine of one machine: same rows, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_fakes import FakeLoader
from ray_fakes import HALTED, BrokenLoader, HaltingLoader
from typer.testing import CliRunner

from media_factory import tiny_video
from seamline.cli.main import app
from seamline.clips.cache import read_cache, shards
from seamline.clips.contract import CropContract
from seamline.clips.prepare import prepare
from seamline.data.demo_clips import read_portrait
from seamline.errors import BadBundle
from seamline.media.write import write_video
from seamline.scale import examine
from seamline.scale.examine import Outcome, Settings
from seamline.scale.ray_cluster import Crew, cluster
from seamline.scale.ray_prepare import prepare_with_ray
from seamline.scale.ray_scan import scan_with_ray
from seamline.scale.ray_shards import GIVEN_UP, Ledger, shard_size
from seamline.scale.workers import scan_files

pytest.importorskip("ray", reason="Ray is not installed")
HERE = Path(__file__).parent
CREW = Crew(workers=2)


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    """One cluster for all tests here: it takes seconds to start."""
    before = os.environ.get("PYTHONPATH")
    paths = [str(HERE), str(HERE.parent / "cli"), *filter(None, [before])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # Ray's workers import the fakes
    try:
        with cluster(CREW):
            yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def write_films(folder: Path, texts: list[str]) -> list[str]:
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:03d}.mp4").write_text(text)
    return [str(path) for path in sorted(folder.iterdir())]


def row(outcome: Outcome) -> str:
    told = outcome.verdict.to_json()
    del told["seconds"]
    return json.dumps([told, str(outcome.state)])


def kill_the_halted(marker: Path, killed: list[int]) -> None:
    give_up = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    killed.append(int(marker.read_text()))
    os.kill(killed[0], signal.SIGKILL)


def test_with_a_worker_killed_midway_the_rows_are_those_of_one_machine_each_file_once(tmp_path):
    texts = ["slow 0.02", "0.9", "bad the file is empty", "bug", "slow 0.01"] * 40
    texts[101] = "halt"
    films = write_films(tmp_path / "films", texts)
    killed: list[int] = []
    killer = threading.Thread(target=kill_the_halted, args=(tmp_path / HALTED, killed), daemon=True)
    killer.start()
    load = HaltingLoader(folder=str(tmp_path))
    found = list(scan_with_ray(films, load, Settings(), CREW))
    killer.join(timeout=10)
    assert len(killed) == 1
    assert sorted(place for place, _ in found) == list(range(200))
    expected = [row(outcome) for _, outcome in scan_files(films, FakeLoader(), Settings())]
    assert [row(outcome) for _, outcome in sorted(found, key=lambda pair: pair[0])] == expected


def test_a_file_that_kills_every_worker_gets_a_reason_and_costs_no_other_file(tmp_path):
    films = write_films(tmp_path / "films", ["0.1", "die", "0.3", "0.4"])
    found = dict(scan_with_ray(films, FakeLoader(), Settings(), CREW))
    assert {place: outcome.verdict.fake_probability for place, outcome in found.items()} == {
        0: 0.1, 1: None, 2: 0.3, 3: 0.4,
    }  # fmt: skip
    assert found[1].verdict.error == GIVEN_UP


def test_a_resumed_table_holds_each_file_once(tmp_path, monkeypatch):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    monkeypatch.setattr(examine, "DetectorLoader", FakeLoader)
    films = tmp_path / "films"
    write_films(films, ["0.1", "bad the file is empty", "0.9", "0.2"])
    table = tmp_path / "r.parquet"
    command = ["scan", str(films), "--engine", "ray", "--out", str(table), "--resume"]
    for added in (None, "late.mp4"):
        if added:
            (films / added).write_text("0.7")
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 1, done.output  # one file is empty
    assert "3 unchanged files were in" in done.stderr
    rows = pq.read_table(table).to_pylist()
    assert sorted(Path(row["path"]).name for row in rows) == sorted(os.listdir(films))
    assert [row["error"] for row in rows if row["error"]] == ["the file is empty"]


def test_an_error_of_a_workers_start_is_told_as_it_is(tmp_path):
    films = write_films(tmp_path / "films", ["0.1"])
    with pytest.raises(BadBundle, match=r"^picture\.onnx was altered$"):
        list(scan_with_ray(films, BrokenLoader(), Settings(), CREW))


def test_a_cache_made_by_workers_holds_what_one_machine_cuts(tmp_path):
    write_video(tmp_path / "face.mp4", [read_portrait()] * 10, 5)
    tiny_video(tmp_path / "plain.mp4", audio=True)
    (tmp_path / "empty.mp4").write_bytes(b"")
    samples = [
        {"path": name, "kind": "video", "label": "real"}
        for name in ("face.mp4", "plain.mp4", "empty.mp4")
    ]
    contract = CropContract(size_px=64)
    alone = prepare(samples, tmp_path, tmp_path / "alone", contract)
    first = prepare_with_ray(samples[:2], tmp_path, tmp_path / "many", contract, CREW)
    again = prepare_with_ray(samples, tmp_path, tmp_path / "many", contract, CREW)
    assert (first.samples, again.samples, again.skipped) == (2, 1, 2)
    assert (alone.clips, alone.unreadable) == (first.clips, again.unreadable) == (2, 1)

    def told(folder: Path) -> dict:
        rows = list(read_cache(folder))
        assert len(rows) == 3
        return {r.sample["path"]: (r.error, r.jpegs, r.sound, r.start_seconds) for r in rows}

    assert told(tmp_path / "many") == told(tmp_path / "alone")
    assert len(shards(tmp_path / "many")) == 3
    assert not list((tmp_path / "many").glob("*.partial"))


def test_the_ledger_gives_up_only_what_a_worker_died_at_in_a_shard_that_came_back():
    ledger = Ledger()
    assert ledger.open(7) == (False, frozenset())
    assert ledger.open(7) == (True, frozenset())  # its worker died, nobody knows at what
    ledger.begin(7, 0)
    ledger.begin(7, 1)
    assert ledger.open(7) == (True, {1})
    ledger.begin(7, 2)
    ledger.close(7)
    assert ledger.open(7) == (False, {1})


@pytest.mark.parametrize(
    ("items", "workers", "size"), [(200, 2, 8), (3, 2, 1), (40, 2, 5), (1_000_000, 512, 8)]
)
def test_shards_are_small_enough_for_every_worker_to_have_several(items, workers, size):
    assert shard_size(items, workers, most=8) == size
