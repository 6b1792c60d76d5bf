"""`seamline prepare`: goes on where it stopped, survives a bad file, cuts as it is told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from media_factory import sine
from seamline.cli.main import app
from seamline.clips.cache import CachedClip, read_cache, read_contract
from seamline.media.write import write_audio

HEAD = "path,kind,split,label,video_label,audio_label,source,method,person,note"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Six sounds, four of them fake by two methods, and a file that is no sound."""
    lines = [HEAD]
    labels = ["real", "real", "fake,a", "fake,a", "fake,a", "fake,b"]
    for number, text in enumerate(labels):
        label, _, method = text.partition(",")
        write_audio(tmp_path / f"{number}.wav", sine(2.0, 300 + 50 * number), 16000)
        lines.append(f"{number}.wav,audio,train,{label},,{label},made up,{method},p{number},")
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["prepare", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def held(folder: Path) -> list[CachedClip]:
    return sorted(read_cache(folder), key=lambda clip: clip.sample["path"])


def test_a_second_run_takes_only_what_is_missing(manifest: Path, tmp_path: Path) -> None:
    whole = manifest.read_text()
    manifest.write_text("\n".join(whole.splitlines()[:4]) + "\n")
    assert "3 files extracted into 3 clips, 0 were there" in run(manifest, "--out", tmp_path / "c")
    manifest.write_text(whole)
    assert "3 files extracted into 3 clips, 3 were there" in run(manifest, "--out", tmp_path / "c")
    paths = [clip.sample["path"] for clip in held(tmp_path / "c")]
    assert paths == [f"{number}.wav" for number in range(6)]


def test_a_bad_file_becomes_a_row_and_ends_nothing(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "2.wav").write_bytes(b"no sound")
    told = run(manifest, "--out", tmp_path / "c")
    assert "6 files extracted into 5 clips" in told
    assert "1 could not be read" in told
    errors = {clip.sample["path"]: clip.error for clip in held(tmp_path / "c") if clip.error}
    assert list(errors) == ["2.wav"]
    assert "6 were there already" in run(manifest, "--out", tmp_path / "c")  # the bad one, too


def test_progress_counts_the_files(manifest: Path, tmp_path: Path) -> None:
    assert re.search(r"^6/6 files$", run(manifest, "--out", tmp_path / "c"), re.MULTILINE)


def test_the_paper_s_policy_keeps_the_first_half_second_of_sound(
    manifest: Path, tmp_path: Path
) -> None:
    run(manifest, "--out", tmp_path / "c", "--policy", "paper")
    clips = held(tmp_path / "c")
    assert read_contract(tmp_path / "c").frame_step_seconds == pytest.approx(1 / 30)
    assert len(clips) == 6
    for number, clip in enumerate(clips):
        samples = clip.samples()
        assert samples is not None
        np.testing.assert_allclose(samples, sine(0.5, 300 + 50 * number), atol=1e-3)


def test_an_unknown_policy_names_the_known_ones(manifest: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["prepare", str(manifest), "--out", "c", "--policy", "theirs"])
    assert result.exit_code == 2
    assert "known: ours, paper" in result.output


def test_a_balanced_cache_holds_as_many_fakes_as_genuine_files(
    manifest: Path, tmp_path: Path
) -> None:
    run(manifest, "--out", tmp_path / "c", "--balanced", 3)
    samples = [clip.sample for clip in held(tmp_path / "c")]
    assert [s["label"] for s in samples].count("real") == 2
    assert sorted(s["method"] for s in samples if s["label"] == "fake") == ["a", "b"]
    run(manifest, "--out", tmp_path / "again", "--balanced", 3)
    assert [c.sample["path"] for c in held(tmp_path / "again")] == [s["path"] for s in samples]


def test_a_copy_keeps_the_name_of_its_original_and_a_splice_is_none(
    manifest: Path, tmp_path: Path
) -> None:
    head, *rows = manifest.read_text().splitlines()
    more = [",", ",", "0.wav,audio", "0.wav,splice", ",", ","]
    lines = [f"{row},{cells}" for row, cells in zip(rows, more, strict=True)]
    manifest.write_text("\n".join([f"{head},original,forgery", *lines]) + "\n")
    run(manifest, "--out", tmp_path / "c")
    named = {clip.sample["path"]: clip.sample.get("original") for clip in held(tmp_path / "c")}
    assert named == dict.fromkeys(named) | {"2.wav": "0.wav"}
