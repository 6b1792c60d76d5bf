"""A scan that is killed without warning, again and again, must still end with each file once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FILES = 50
LONGEST_SECONDS = 60.0  # of one start of the command, import included; it takes two or three
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from cli_fakes import FakeLoader
from seamline.scale import examine
from seamline.cli.main import app

if __name__ == "__main__":
    examine.DetectorLoader = FakeLoader
    app()
"""


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_at(command: list[str], out: Path, goal: int, after_seconds: float, log: Path) -> int:
    """Start the command, kill it once ``out`` has ``goal`` lines; return its exit status."""
    with log.open("w+") as errors:
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            give_up = time.monotonic() + LONGEST_SECONDS
            while lines_of(out) < goal and run.poll() is None:
                if time.monotonic() > give_up:
                    pytest.fail(f"no {goal} lines in {LONGEST_SECONDS:g} s: {log.read_text()}")
                time.sleep(0.001)
            time.sleep(after_seconds)
        finally:
            run.send_signal(signal.SIGKILL)
            status = run.wait(timeout=10)
    if status not in (0, -signal.SIGKILL):
        pytest.fail(f"the command ended by itself with status {status}: {log.read_text()}")
    return status


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_random_moments_and_resumed_every_file_is_there_once_and_whole(tmp_path, jobs):
    films = tmp_path / "films"
    films.mkdir()
    for number in range(FILES):
        (films / f"film {number:02d}.mp4").write_text("slow 0.005")
    script = tmp_path / "seamline_with_a_fake_detector.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent)))
    out = tmp_path / "r.jsonl"
    command = [sys.executable, str(script), "scan", str(films), "--out", str(out), "--resume",
               "--jobs", str(jobs)]  # fmt: skip

    dice = random.Random(jobs)
    killed = 0
    while killed < 3:
        goal = lines_of(out) + dice.randint(1, 12)  # some way in, wherever it then is in a line
        status = kill_at(command, out, goal, dice.random() * 0.01, tmp_path / "errors.txt")
        assert status == -signal.SIGKILL, "it was done before it could be killed three times"
        killed += 1
    assert 3 <= lines_of(out) < FILES

    end = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    assert end.returncode == 0, end.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(row["path"] for row in rows) == sorted(str(path) for path in films.iterdir())
    assert all(row["label"] == "real" for row in rows)
    assert "unchanged files were in" in end.stderr
