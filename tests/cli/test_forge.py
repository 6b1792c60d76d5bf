from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from media_factory import tiny_video
from seamline.cli.forge import forge
from seamline.data.manifest import read_manifest
from seamline.errors import WrongUsage

app = typer.Typer()
app.command()(forge)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def clip(tmp_path) -> Path:
    return tiny_video(tmp_path / "clip.mp4", seconds=2.5, audio=True)


def test_fakes_and_their_manifest_are_written_and_told(clip, tmp_path):
    done = run(clip, "--out", tmp_path / "fakes", "--kinds", "splice, none")
    assert done.exit_code == 0, done.output
    assert "1 fakes and 1 re-encoded genuine clips" in done.stdout
    samples = read_manifest(tmp_path / "fakes" / "manifest.csv")
    assert [(s.path, s.audio_label) for s in samples] == [
        ("clip.splice.mp4", "fake"), ("clip.none.mp4", "real"),
    ]  # fmt: skip


def test_a_clip_that_gives_nothing_is_named_with_status_1(clip, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"?")
    done = run(clip, tmp_path / "bad.mp4", "--out", tmp_path / "fakes", "--kinds", "video,none")
    assert done.exit_code == 1
    assert f"skipped {clip} (video): no face of at least 48 px" in done.stderr
    assert f"skipped {tmp_path / 'bad.mp4'}: " in done.stderr
    assert (tmp_path / "fakes" / "clip.none.mp4").exists()


def test_nothing_is_overwritten(clip, tmp_path):
    assert run(clip, "--out", tmp_path / "fakes", "--kinds", "none").exit_code == 0
    again = run(clip, "--out", tmp_path / "fakes", "--kinds", "none")
    assert isinstance(again.exception, WrongUsage)
    assert "manifest.csv exists; nothing is overwritten" in str(again.exception)
    unknown = run(clip, "--out", tmp_path / "new", "--kinds", "lips")
    assert "Unknown kind lips" in str(unknown.exception)
    assert run(tmp_path / "empty*", "--out", tmp_path / "new").exit_code == 2
