"""The real detector behind the real command, with a bundle of known arithmetic, on hard inputs."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from media_factory import photo, tiny_video, tone
from seamline.cli.main import app
from seamline.media.video import stream_frames
from seamline.media.write import write_image, write_video
from tiny_bundle import write_tiny_bundle

PORTRAIT = Path(__file__).parents[2] / "src" / "seamline" / "demo" / "astronaut.jpg"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    write_tiny_bundle(folder)
    return str(folder)


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scan(bundle: str, *arguments: str) -> tuple[Result, dict[str, dict]]:
    found = CliRunner().invoke(app, ["scan", *arguments, "--model", bundle, "--json"])
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    return found, {row["path"]: row for row in rows}


def portrait_pixels() -> np.ndarray:
    (frame,) = stream_frames(PORTRAIT, step_seconds=1.0)
    return frame.rgb[: frame.rgb.shape[0] // 2 * 2, : frame.rgb.shape[1] // 2 * 2]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_files_get_their_reason_and_the_good_ones_are_scanned(here, bundle, jobs):
    Path("empty.mp4").write_bytes(b"")
    Path("text.mp4").write_text("this is no film\n" * 50)
    whole = tiny_video(here / "whole.mp4", seconds=3.0)
    Path("cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    tone(here / "sound.wav")
    photo(here / "photo.png")
    tiny_video(here / "eine Datei mit Ü und 名.mp4")
    tiny_video(here / "one frame.mp4", seconds=0.1)
    photo(here / "one pixel.png", size=(1, 1))
    found, rows = scan(bundle, ".", "gone.mp4", "--jobs", jobs)
    assert found.exit_code == 1
    errors = {path: row["error"] for path, row in rows.items() if "error" in row}
    assert errors["empty.mp4"] == "the file is empty"
    assert "not a media file" in errors["text.mp4"]
    assert "cut off or damaged" in errors["cut.mp4"]
    assert errors["gone.mp4"] == "no such file"
    good = ("whole.mp4", "sound.wav", "photo.png", "eine Datei mit Ü und 名.mp4", "one frame.mp4")
    for path in good:
        assert rows[path]["label"] == "inconclusive", rows[path]
        assert rows[path]["fake_probability"] is None
        assert rows[path]["video"]["reason"]
        assert rows[path]["audio"]["reason"]
    assert "one pixel.png" in rows
    assert rows["sound.wav"]["video"]["reason"] == "no video stream"
    assert rows["whole.mp4"]["audio"]["reason"] == "no audio stream"
    assert "no face of at least 48 px" in rows["whole.mp4"]["video"]["reason"]


def test_a_file_without_permission_says_so(here, bundle, monkeypatch):
    tiny_video(here / "locked.mp4")
    plain_open = builtins.open

    def guarded(file, *arguments, **options):
        if str(file) == "locked.mp4":
            raise PermissionError(13, "Permission denied", str(file))
        return plain_open(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", guarded)  # the tests may run as root, who may read all
    found, rows = scan(bundle, "locked.mp4")
    assert found.exit_code == 1
    assert rows["locked.mp4"]["error"] == "no permission to read it"


def test_a_face_in_the_last_second_only_is_found(here, bundle):
    face = portrait_pixels()

    def frames() -> Iterator[np.ndarray]:
        for number in range(60):
            yield face if number >= 47 else np.zeros_like(face)

    write_video("late.mp4", frames(), 10.0)
    _, rows = scan(bundle, "late.mp4")
    (person,) = rows["late.mp4"]["people"]
    assert person["start_seconds"] == pytest.approx(4.75, abs=0.3)
    assert rows["late.mp4"]["video"]["fake_probability"] is not None
    assert rows["late.mp4"]["timeline"]["video"][:4] == [None] * 4


def test_a_small_face_is_left_out_until_asked_for(here, bundle):
    canvas = np.full((480, 640, 3), 90, np.uint8)
    face = portrait_pixels()
    step = max(face.shape[0] // 110, 1)
    small = face[::step, ::step][:480, :640]
    canvas[: small.shape[0], : small.shape[1]] = small
    write_image("small.png", canvas)
    _, rows = scan(bundle, "small.png")
    assert "no face of at least 48 px" in rows["small.png"]["video"]["reason"]
    _, rows = scan(bundle, "small.png", "--min-face-px", "16")
    assert rows["small.png"]["video"]["fake_probability"] is not None


def test_a_photo_of_8k_is_scanned(here, bundle):
    face = portrait_pixels()
    canvas = np.full((4320, 7680, 3), 40, np.uint8)
    canvas[1000 : 1000 + face.shape[0], 2000 : 2000 + face.shape[1]] = face
    write_image("8k.jpg", canvas)
    found, rows = scan(bundle, "8k.jpg")
    assert found.exit_code == 0
    assert rows["8k.jpg"]["media"]["video"]["width"] == 7680
    assert len(rows["8k.jpg"]["people"]) == 1


def test_a_report_of_real_evidence_shows_the_face(here, bundle):
    arguments = ["scan", str(PORTRAIT), "--model", bundle, "--report", "r.html"]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    page = Path("r.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") >= 1
    assert PORTRAIT.name in page


def test_the_doctor_evaluate_and_models_take_the_same_bundle(here, bundle, monkeypatch):
    from seamline.zoo import catalog

    entry = catalog._entry(Path(bundle))
    monkeypatch.setattr(catalog, "list_models", lambda *_: [entry])
    found = CliRunner().invoke(app, ["doctor"])
    assert found.exit_code == 0, found.output
    assert "model tiny: 3 stored outputs repeat" in found.stdout
    (here / "m.csv").write_text(f"path,kind,label\n{PORTRAIT},face,real\n")
    run = CliRunner().invoke(app, ["evaluate", "m.csv", "--model", bundle])
    assert run.exit_code == 0, run.output
    assert "1 real, 0 fake; 100 % could be scored" in run.stdout
    assert os.listdir(here) == ["m.csv"]
