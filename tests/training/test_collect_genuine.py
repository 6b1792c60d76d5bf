"""The genuine faces of public repositories are collected from clones, and nothing else of them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from seamline.data.manifest import read_manifest

SCRIPT = Path(__file__).parents[2] / "scripts" / "collect_genuine.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("collect_genuine", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "collect_genuine", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    for name in ("faces/ann/1.jpg", "faces/ann/2.jpg", "faces/bob/1.jpg", "faces/cid/1.jpg",
                 "results/fake.jpg", "faces/dan/tiny.jpg"):  # fmt: skip
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(name.encode() * (1 if "tiny" in name else 200))
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "faces"]):
        subprocess.run([*git, *words], cwd=work, check=True)
    bare = tmp_path / "clones" / "some+one"
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return tmp_path / "clones"


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["collect_genuine.py", *words])
    script.main()


def test_genuine_files_are_written_with_their_people(
    script: ModuleType,
    clones: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = script.Collection(
        "some/one", "faces", r"^faces/.*\.jpg$", "face", person=r"faces/([^/]+)/"
    )
    absent = script.Collection("no/where", "others", r"\.jpg$")
    monkeypatch.setattr(script, "COLLECTIONS", (made, absent))
    out = tmp_path / "out"
    run(script, monkeypatch, str(clones), "--out", str(out))
    samples = read_manifest(out / "manifest.csv")
    assert [sample.person for sample in samples] == ["faces: ann", "faces: bob", "faces: cid"]
    assert all(sample.label == sample.video_label == "real" for sample in samples)
    assert all(b"faces/" in sample.file.read_bytes() for sample in samples)
    assert "left out: no clone of no/where" in capsys.readouterr().err


def test_genuine_speech_is_told_as_genuine_sound(
    script: ModuleType, clones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = script.Collection("some/one", "speech", r"^faces/ann/.*\.jpg$", "audio", who="Ann")
    monkeypatch.setattr(script, "SPEECH", (made,))
    out = tmp_path / "out"
    run(script, monkeypatch, str(clones), "--speech", "--out", str(out))
    samples = read_manifest(out / "manifest.csv")
    assert [sample.person for sample in samples] == ["speech: Ann", "speech: Ann"]
    assert all(sample.voice_truth == "real" and not sample.picture_truth for sample in samples)


def test_no_speaker_of_val_is_collected(script: ModuleType) -> None:
    libri = [c for c in script.SPEECH if c.source == script.LIBRI]
    paths = ("wavs/LibriTTS/GT/908-157963-0027.wav", "wavs/LibriTTS/GT/61-70970-0007.wav")
    found = [path for c in libri for path in paths if script.re.search(c.pattern, path)]
    assert found == [paths[1]]


def test_a_folder_without_clones_is_refused(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(script, monkeypatch, str(tmp_path))
    assert ended.value.code == 2


def test_every_collection_is_one_that_training_draws_from(script: ModuleType) -> None:
    told = (SCRIPT.parents[1] / "configs" / "transfer-wide.yaml").read_text()
    for collection in script.COLLECTIONS:
        assert collection.source in told
