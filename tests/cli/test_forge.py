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
    unknown = run(clip, "--out", tmp_path / "new", "--kinds", "smile")
    assert "Unknown kind 'smile'" in str(unknown.exception)
    assert run(tmp_path / "empty*", "--out", tmp_path / "new").exit_code == 2


def test_an_unfinished_run_is_gone_on_with(clip, tmp_path):
    other = tiny_video(tmp_path / "other.mp4", seconds=2.5, audio=True)
    out = ["--out", tmp_path / "fakes", "--kinds", "none", "--seed", "5"]
    assert run(clip, *out).exit_code == 0
    first = (tmp_path / "fakes" / "clip.none.mp4").stat().st_mtime_ns
    done = run(clip, other, *out, "--resume")
    assert done.exit_code == 0, done.output
    assert "2 re-encoded genuine clips" in done.stdout
    assert "1 were there before" in done.stdout
    assert (tmp_path / "fakes" / "clip.none.mp4").stat().st_mtime_ns == first
    changed = run(clip, *out[:-1], "6", "--resume")
    assert "clip.none.mp4 was made with other settings" in str(changed.exception)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--spans", "3-2"], "last 0.2 s at least, found 3-2"),
        (["--spans", "one"], "START-STOP in seconds, as in 3.5-5"),
        (["--spans", "1-2,2.1-3"], "0.3 s apart at least, found 1-2 and 2.1-3"),
        (["--shift", "0"], "--shift 0 changes nothing"),
        (["--vocoder", "hifi"], "Unknown vocoder 'hifi'. Known: griffin-lim, world"),
        (["--kinds", "sync+swap"], "asks for both sync and swap"),
        (["--kinds", "both,video+audio"], "are the same: choose one"),
        (["--kinds", ","], "No kind was asked for"),
    ],
)
def test_wrong_options_are_told_before_anything_is_made(clip, tmp_path, options, message):
    done = run(clip, "--out", tmp_path / "fakes", *options)
    assert isinstance(done.exception, WrongUsage), done.output
    assert message in str(done.exception)
    assert not (tmp_path / "fakes").exists()
