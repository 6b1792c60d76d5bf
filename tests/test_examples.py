"""The examples run as their first lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from seamline.data.demo_clips import make_demo

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_triage_lists_the_forged_clip_and_names_what_it_could_not_read(tmp_path: Path) -> None:
    make_demo(tmp_path)
    (tmp_path / "broken.mp4").write_text("no film")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "triage.py", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, quiet, unread = done.stdout.splitlines()
    assert "fake_video" in first
    assert "self-blended.mp4  look at 0.0-" in first
    assert quiet.startswith("1 files below 50%")
    assert "broken.mp4: not a media file that can be decoded" in unread


def test_the_shell_example_uses_configs_that_are_there() -> None:
    script = (EXAMPLES / "own_clips.sh").read_text()
    assert subprocess.run(["sh", "-n", EXAMPLES / "own_clips.sh"]).returncode == 0
    assert (EXAMPLES.parent / "configs" / "further.yaml").exists()
    assert "$configs/further.yaml" in script
