"""Whole clips and cuttings of public repositories come out as a list or a manifest names them."""

from __future__ import annotations

import csv
import importlib.util
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import stream_frames
from seamline.media.write import write_audio, write_video

SCRIPTS = Path(__file__).parents[2] / "scripts"
RATE, SOUND_HZ = 10, 16000
Loader = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def commit(work: Path, clone: Path) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "media"]):
        subprocess.run([*git, *words], cwd=work, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(clone)], check=True)


def brightening(path: Path, seconds: float, sound: bool = True) -> None:
    """A film whose right half is black and whose left half tells the time by its brightness."""
    frames = np.zeros((round(seconds * RATE), 48, 96, 3), np.uint8)
    frames[:, :, :48] = (20 + 5 * np.arange(len(frames), dtype=np.uint8))[:, None, None, None]
    time = np.arange(round(seconds * SOUND_HZ)) / SOUND_HZ
    loud = (np.sin(time * 2000) * (time >= seconds / 2)).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, RATE, samples=loud if sound else None, sample_rate_hz=SOUND_HZ)


@pytest.fixture
def cutter(load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    work = tmp_path / "work"
    brightening(work / "talk.mp4", 4)
    brightening(work / "mute.mp4", 1, sound=False)
    commit(work, tmp_path / "clones" / "some+one")
    named = {"repository": "some/one", "crop": "", "blob": "", "face_px": "100"}
    rows = [
        {**named, "name": "ann", "path": "talk.mp4", "start_seconds": "1.00",
         "stop_seconds": "3.00", "crop": "48:40:0:8", "person": "ann", "split": "train"},
        {**named, "name": "bob", "path": "mute.mp4", "start_seconds": "0.00",
         "stop_seconds": "1.00", "person": "bob", "split": "test"},
        {**named, "name": "bob-2", "path": "talk.mp4", "start_seconds": "0.00",
         "stop_seconds": "1.00", "person": "bob", "split": "train"},
        {**named, "name": "cid", "path": "gone.mp4", "start_seconds": "0.00",
         "stop_seconds": "1.00", "person": "cid", "split": "test"},
        {**named, "name": "dan", "path": "talk.mp4", "start_seconds": "0.00",
         "stop_seconds": "1.00", "person": "dan", "split": "test", "repository": "no/where"},
    ]  # fmt: skip
    script = load("cut_talking")
    monkeypatch.setattr(script, "LIST", tmp_path / "talking.csv")
    with (tmp_path / "talking.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return script


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", [script.__name__, *words])
    script.main()


def test_a_piece_holds_the_named_seconds_and_rectangle(
    cutter: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "people"
    run(cutter, monkeypatch, str(tmp_path / "clones"), "--out", str(out))
    (ann,) = read_manifest(out / "train" / "manifest.csv")
    assert (ann.person, ann.split, ann.picture_truth) == ("ann", "train", "real")
    media = probe(ann.file)
    assert media.video is not None
    assert (media.video.width, media.video.height) == (48, 40)
    frames = list(stream_frames(ann.file, step_seconds=1 / RATE))
    assert len(frames) == 2 * RATE
    for index, frame in enumerate(frames):  # from the tenth frame of the film on
        assert abs(frame.rgb.mean() - (20 + 5 * (RATE + index))) < 4
    sound = next(read_audio(ann.file, sample_rate_hz=SOUND_HZ)).samples
    quiet, loud = (part.std() for part in np.array_split(sound[: 2 * SOUND_HZ], 2))
    assert loud > 10 * quiet  # the film's sound starts at 2 s, the middle of the piece
    (bob,) = read_manifest(out / "test" / "manifest.csv")
    assert (bob.person, bob.split) == ("bob", "val")
    told = capsys.readouterr().err
    assert "left out: cid: gone.mp4 is not in" in told
    assert "left out: dan: no clone of no/where" in told


def test_a_part_can_be_cut_by_itself_and_a_piece_that_is_there_stays(
    cutter: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "people"
    (out / "train").mkdir(parents=True)
    (out / "train" / "ann.mp4").write_bytes(b"made before")
    words = (str(tmp_path / "clones"), "--out", str(out), "--part", "train")
    run(cutter, monkeypatch, *words)
    assert (out / "train" / "ann.mp4").read_bytes() == b"made before"
    assert not (out / "test").exists()


def test_whole_clips_take_labels_and_people_from_the_manifest(
    load: Loader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work = tmp_path / "work"
    for name in ("manipulated/Deepfakes/c23/videos/001_002.mp4", "youtube/c23/videos/001.mp4",
                 "manipulated/Deepfakes/c23/videos/003_004.mp4", "actors/c23/videos/001.mp4",
                 "youtube/c40/videos/001.mp4"):  # fmt: skip
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(name.encode() * 100)
    commit(work, tmp_path / "clones" / "some+one")

    def row(path: str, label: str, split: str, method: str, person: str) -> Sample:
        return Sample(path, "video", split, label, source="FaceForensics++ c23", method=method,
                      person=person, root=tmp_path)  # fmt: skip

    write_manifest(
        tmp_path / "manifest.csv",
        [
            row("c23/Deepfakes/001_002.mp4", "fake", "train", "Deepfakes", "ff001+ff002"),
            row("c23/original/001.mp4", "real", "train", "", "ff001"),
            row("c23/Deepfakes/003_004.mp4", "fake", "val", "Deepfakes", "ff003+ff004"),
        ],
    )
    script = load("collect_whole")
    monkeypatch.setattr(script, "REPOSITORIES", ("some/one", "no/where"))
    out = tmp_path / "whole"
    run(script, monkeypatch, str(tmp_path / "clones"), str(tmp_path / "manifest.csv"),
        "--out", str(out))  # fmt: skip
    fake, real = read_manifest(out / "manifest.csv")
    assert (fake.method, fake.person, fake.label) == ("Deepfakes", "ff001+ff002", "fake")
    assert (real.method, real.person, real.label) == ("", "ff001", "real")
    assert fake.file.read_bytes().startswith(b"manipulated/Deepfakes/c23/videos/001_002")
    assert real.file.read_bytes().startswith(b"youtube/c23/videos/001")
    assert "left out: no clone of no/where" in capsys.readouterr().err


SPEECH_RULES = """repository,pattern,label,system
some/one@pages,gt/*,real,Corpus
some/one@pages,*/vocoder?.wav,skip,
some/one@pages,*/voc*.wav,fake,System A
some/one@pages,bad/*,fake,System B
some/one@absent,*,fake,System D
no/where,*,fake,System C
"""


def tones(path: Path, seconds: float) -> None:
    """A tone whose pitch rises with time, so that a piece tells where it was cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * SOUND_HZ)) / SOUND_HZ
    loudness = 0.2 + zlib.crc32(path.as_posix().encode()) % 1000 / 2000  # no two are the same
    write_audio(path, (loudness * np.sin(2 * np.pi * (200 + 50 * time) * time)).astype(np.float32))


def test_speech_is_labelled_by_the_first_rule_that_matches(
    load: Loader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work = tmp_path / "work"
    for name in ("gt/a.wav", "gt/vocal.wav", "x/vocal.wav", "x/vocoder2.wav", "other/b.wav"):
        tones(work / name, 6)
    tones(work / "bad" / "short.wav", 0.5)
    shutil.copy(work / "gt" / "a.wav", work / "gt" / "twin.wav")
    (work / "bad" / "broken.mp3").write_bytes(b"no sound" * 2000)
    subprocess.run(["git", "init", "-q", "-b", "pages"], cwd=work, check=True)
    commit(work, tmp_path / "clones" / "some+one")
    (tmp_path / "list.csv").write_text(SPEECH_RULES)
    script = load("collect_speech")
    out = tmp_path / "speech"
    words = (str(tmp_path / "clones"), "--list", str(tmp_path / "list.csv"), "--out", str(out))
    run(script, monkeypatch, *words)
    rows = read_manifest(out / "manifest.csv")
    assert [(r.path, r.voice_truth, r.method, r.source) for r in rows] == [
        ("some+one/gt/a.wav.wav", "real", "", "some/one"),
        ("some+one/gt/vocal.wav.wav", "real", "", "some/one"),
        ("some+one/x/vocal.wav.wav", "fake", "System A", "some/one"),
    ]
    assert rows[2].extra["original"] == rows[1].path
    genuine, fake = (next(read_audio(r.file)).samples for r in rows[1:])
    assert np.allclose(genuine / genuine.max(), fake / fake.max(), atol=1e-3)  # cut at one place
    told = capsys.readouterr()
    assert "some/one@pages: 2 genuine, 1 synthetic, 2 unusable" in told.out
    assert "some/one@absent: 0 genuine, 0 synthetic" in told.out
    assert "left out: no clone of no/where" in told.err
    piece = next(read_audio(rows[0].file, sample_rate_hz=SOUND_HZ)).samples
    assert len(piece) == 4.5 * SOUND_HZ
    whole = next(read_audio(work / "gt" / "a.wav", sample_rate_hz=SOUND_HZ)).samples
    apart = [np.abs(piece - whole[at : at + len(piece)]).max() for at in range(24001)]
    assert min(apart) < 1e-3  # a piece of the recording, at its own pace
    assert not list(out.rglob("*.part*"))


def test_of_many_files_of_a_system_some_are_taken_and_named_files_all(
    load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    for number in range(26):
        tones(work / "tts" / f"[{number}].wav", 1.5 if number else 6.0)
    commit(work, tmp_path / "clones" / "some+one")
    script = load("collect_speech")
    patterns = tmp_path / "patterns.csv"
    patterns.write_text("repository,pattern,label,system\nsome/one,tts/*,fake,System A\n")
    run(script, monkeypatch, str(tmp_path / "clones"), "--list", str(patterns),
        "--out", str(tmp_path / "some"))  # fmt: skip
    assert len(read_manifest(tmp_path / "some" / "manifest.csv")) == script.OF_A_SYSTEM
    named = tmp_path / "named.csv"
    lines = [f"some/one,tts/[{number}].wav,real,,ann" for number in range(26)]
    named.write_text("\n".join(["repository,path,label,method,person", *lines]))
    run(script, monkeypatch, str(tmp_path / "clones"), "--list", str(named), "--split", "val",
        "--out", str(tmp_path / "all"))  # fmt: skip
    rows = read_manifest(tmp_path / "all" / "manifest.csv")
    assert len(rows) == 26
    assert {(row.split, row.voice_truth, row.person) for row in rows} == {("val", "real", "ann")}
    assert len(next(read_audio(rows[0].file, sample_rate_hz=SOUND_HZ)).samples) == 6 * SOUND_HZ


def test_speech_that_repeats_what_is_judged_is_left_out(
    load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)

    def speech() -> np.ndarray:
        """Noise whose bands rise and fall by themselves, as syllables do."""
        spectra = generator.normal(size=(60, 801)) + 1j * generator.normal(size=(60, 801))
        spectra *= np.repeat(np.exp(1.5 * generator.normal(size=(60, 9))), 89, axis=1)
        return (0.02 * np.fft.irfft(spectra, axis=1).reshape(-1)).astype(np.float32)

    judged, other = speech(), speech()
    echo = np.concatenate([other[:8000], 0.3 * np.convolve(judged, [1, -0.6], "same"), other])
    rows = []
    for name, samples in {
        "judged": judged,
        "echo": echo,
        "short": echo[14400:36400],
        "other": other,
        "brief": other[:22000],
    }.items():
        write_audio(tmp_path / f"{name}.wav", np.clip(samples, -1, 1))
        split = "val" if name == "judged" else "train"
        rows.append(Sample(f"{name}.wav", "audio", split, "real", audio_label="real"))
    write_manifest(tmp_path / "judged.csv", rows[:1])
    write_manifest(tmp_path / "train.csv", rows[1:])
    run(load("repeated_speech"), monkeypatch, str(tmp_path / "train.csv"),
        "--of", str(tmp_path / "judged.csv"), "--out", str(tmp_path / "apart.csv"))  # fmt: skip
    kept = [row.path for row in read_manifest(tmp_path / "apart.csv")]
    assert kept == ["other.wav", "brief.wav"]
