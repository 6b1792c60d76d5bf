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
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        goal = lines_of(out) + dice.randint(1, 12)  # some way in, wherever it then is in a line
        while lines_of(out) < goal and run.poll() is None:
            time.sleep(0.001)
        time.sleep(dice.random() * 0.01)
        run.send_signal(signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
    assert 3 <= lines_of(out) < FILES

    end = subprocess.run(command, capture_output=True, text=True)
    assert end.returncode == 0, end.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(row["path"] for row in rows) == sorted(str(path) for path in films.iterdir())
    assert all(row["label"] == "real" for row in rows)
    assert "unchanged files were in" in end.stderr
