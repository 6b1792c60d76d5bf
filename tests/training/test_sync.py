"""The sync branch's training: clips with mouths in; towers, judged pairs and a bundle out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cache_factory import MARKS, STORE, video_sample
from seamline.clips.cache import clip_row, read_cache, write_contract, write_shard
from seamline.clips.clip import Clip, FaceCrops, MouthCrops
from seamline.clips.contract import MouthSettings
from seamline.models.sync_net import SyncNet
from seamline.training.config import TrainConfig
from seamline.training.export import Run, export_bundle
from seamline.training.extend import extend_bundle
from seamline.training.fit import fit
from seamline.training.sync_lag import laid_together, moved_by
from seamline.training.sync_module import step_contrast, stretch_contrast
from seamline.training.sync_pairs import judged_pairs, sync_entries
from seamline.voice.logmel import log_mel
from tiny_bundle import write_tiny_bundle

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
CUT = replace(STORE, mouth=MouthSettings(size_px=80, margin=1.25))


def window(number: int, loud: np.ndarray, *, track: int = 0, seen: int = 50) -> Clip:
    """Two seconds of a mouth that is as dark as its sound is loud."""
    generator = np.random.default_rng(number)
    crops = np.repeat((200 - 120 * loud).astype(np.uint8), 80 * 80).reshape(-1, 80, 80)
    crops[:, 20:60, 30:50] //= 2
    samples = np.repeat(loud, 640) * generator.normal(0, 0.1, 50 * 640)
    samples = samples.astype(np.float32)
    shown = np.arange(50) < seen
    faces = FaceCrops(
        track=track,
        seconds=np.arange(8) * 0.25 + 2 * number,
        crops=np.full((8, 96, 96, 3), 120, np.uint8),
        boxes=np.tile(np.array([10.0, 10.0, 90.0, 90.0]), (8, 1)),
        landmarks=np.tile(MARKS, (8, 1, 1)),
        detection_scores=np.ones(8),
        mouths=MouthCrops(2.0 * number, 0.04, crops, shown),
    )
    start = 2.0 * number
    return Clip(number, start, start + 2, faces, samples, log_mel(samples, CUT.mel), 2.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    write_contract(folder, CUT)
    rows = []
    for person, split in enumerate(["train"] * 6 + ["holdout"] * 3 + ["val"] * 2):
        loud = np.repeat(np.random.default_rng(person).random(50), 2)
        for number in (0, 1):
            clip = window(number, loud[50 * number : 50 * number + 50])
            rows.append(clip_row(video_sample(person, split), clip))
    write_shard(folder, 0, rows)
    return folder


def test_windows_join_into_one_stretch_with_the_sound_of_each_step(cache: Path) -> None:
    entries = sync_entries(read_cache(cache), CUT)
    assert len(entries) == 11
    for entry in entries:
        assert entry.mouths.shape == (100, 40, 40)
        assert entry.log_mel.shape == (80, 401)
        dark = 255 - entry.mouths.mean(axis=(1, 2))
        loud = entry.log_mel.astype(np.float64)[:, 2:-1:4].mean(axis=0)
        assert np.corrcoef(dark, loud)[0, 1] > 0.8


def test_a_second_face_or_an_unseen_mouth_ends_a_stretch(tmp_path: Path) -> None:
    write_contract(tmp_path, CUT)
    loud = np.random.default_rng(0).random(50)
    clips = [
        window(0, loud, seen=40),
        window(1, loud),
        window(2, loud), window(2, loud, track=1),
        window(3, loud),
    ]  # fmt: skip
    write_shard(tmp_path, 0, [clip_row(video_sample(0, "train"), clip) for clip in clips])
    (entry,) = sync_entries(read_cache(tmp_path), CUT)
    assert entry.steps == 50
    every = sync_entries(read_cache(tmp_path), CUT, least_steps=45)
    assert [one.steps for one in every] == [50, 50]


def test_held_out_clips_are_judged_moved_and_swapped_over_equal_seconds(cache: Path) -> None:
    entries = sync_entries(read_cache(cache), CUT)
    pairs = judged_pairs(entries[:4])
    assert {pair.method for pair in pairs} == {
        "", "moved 0.2 s", "moved 0.4 s", "moved 0.8 s", "swapped",
    }  # fmt: skip
    assert {pair.method for pair in pairs if not pair.fake} == {"", "moved 0.2 s"}
    for pair in pairs:
        assert pair.steps == 50
        assert (pair.sound.person != pair.mouth.person) == (pair.method == "swapped")
        shift = abs(pair.sound_first - pair.first) * 0.04
        assert pair.method == (f"moved {shift:.1f} s" if shift else pair.method)


@pytest.mark.parametrize("lag", [-3, 0, 2])
def test_sound_is_laid_to_its_mouth_whichever_comes_late(cache: Path, lag: int) -> None:
    entry = sync_entries(read_cache(cache), CUT)[0]
    early, late = max(0, -lag), max(0, lag)  # the mouth's steps begin later where sound is early
    apart = replace(
        entry,
        mouths=entry.mouths[late : 60 + late],
        log_mel=entry.log_mel[:, 4 * early : 4 * (60 + early) + 1],
    )
    laid = moved_by(apart, late - early)
    assert laid.steps == 60 - abs(lag)
    assert laid.log_mel.shape == (80, 4 * laid.steps + 1)
    start = 3 if lag < 0 else 2 if lag > 0 else 0
    np.testing.assert_array_equal(laid.mouths, entry.mouths[start : start + laid.steps])
    columns = entry.log_mel[:, 4 * start : 4 * (start + laid.steps) + 1]
    np.testing.assert_array_equal(laid.log_mel, columns)


class ByLoudness:
    """Stands for a bundle: its vectors turn with how dark the mouth and how loud the sound is."""

    contract = CUT

    def __init__(self) -> None:
        self.branches: dict[str, None] = {"sync": None}

    def embed_sync(self, mouths: np.ndarray, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        loud = np.exp(mel[:, 2:-1:4] / 2).mean(axis=0)
        return turned(-mouths.mean(axis=(1, 2))), turned(loud)


def turned(values: np.ndarray) -> np.ndarray:
    angle = 1.5 * (values - values.mean()) / values.std()
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_a_teacher_lays_sound_to_mouths_and_leaves_out_what_fits_nowhere(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seamline.training.sync_lag.find_model", lambda name: name)
    teacher = ByLoudness()
    monkeypatch.setattr("seamline.training.sync_lag.Bundle.load", lambda *_, **__: teacher)
    one = sync_entries(read_cache(cache), CUT)[0]
    late = replace(one, mouths=one.mouths[4:], log_mel=one.log_mel[:, : 4 * 96 + 1])
    far = 4 * 18  # columns: moved by 0.72 s, more than any lag of nature's
    apart = replace(one, mouths=one.mouths[18:], log_mel=one.log_mel[:, :-far])
    brief = replace(apart, mouths=apart.mouths[:40], log_mel=apart.log_mel[:, :161])
    laid = laid_together([one, late, apart, brief], "teacher", CUT)
    assert [entry.steps for entry in laid] == [100, 92, 40]
    np.testing.assert_array_equal(laid[1].mouths, one.mouths[4:96])
    np.testing.assert_array_equal(laid[1].log_mel, one.log_mel[:, 16 : 4 * 96 + 1])
    teacher.branches = {}
    with pytest.raises(ValueError, match="'teacher' has no sync branch"):
        laid_together([one], "teacher", CUT)


def test_both_losses_are_least_where_vectors_of_a_moment_agree() -> None:
    generator = torch.Generator().manual_seed(0)
    right = torch.nn.functional.normalize(torch.randn(4, 28, 16, generator=generator), dim=-1)
    ahead = torch.tensor([0, 3, 8, 5])
    mouth = torch.stack([right[i, a : a + 20] for i, a in enumerate(ahead.tolist())])
    sharpness = torch.tensor(20.0)
    for contrast in (step_contrast, stretch_contrast):
        low, found = contrast(mouth, right, ahead, sharpness)
        high, missed = contrast(mouth, right, (ahead + 4) % 9, sharpness)
        assert low < 0.05 < 1.0 < high
        assert (float(found), float(missed)) == (1.0, 0.0)


def test_vectors_depend_on_no_gain_and_no_light() -> None:
    torch.manual_seed(0)
    network = SyncNet().eval()
    crops = torch.randint(40, 120, (1, 30, 32, 32)).float()
    mel = torch.randn(1, 80, 121)
    with torch.no_grad():
        mouth, sound = network(crops, mel)
        lit, louder = network(2 * crops + 10, mel + 2.0)
    assert mouth.shape == sound.shape == (1, 30, 64)
    torch.testing.assert_close(mouth.norm(dim=-1), torch.ones(1, 30))
    torch.testing.assert_close(mouth, lit, atol=0.02, rtol=0)
    torch.testing.assert_close(sound, louder, atol=1e-4, rtol=0)


def test_a_run_trains_exports_and_extends_a_bundle(cache: Path, tmp_path: Path) -> None:
    config = TrainConfig(
        name="sync", branch="sync", cache=str(cache), out=str(tmp_path / "runs"), folds=0,
        epochs=1, steps_per_epoch=3, batch_size=4, warmup_steps=1, ema_decay=0.0, threads=1,
    )  # fmt: skip
    run = Run.read(fit(config))
    assert {row["label"] for row in run.scores["holdout"]} == {0, 1}
    assert all("apart" in row for row in run.scores["val"])
    told = {"version": "1", "card": "# s\n", "summary": {}}
    alone = export_bundle(tmp_path / "alone", [run], name="alone", **told)
    assert alone.contract.mouth == MouthSettings()
    base = write_tiny_bundle(tmp_path / "tiny")
    before = {path.name: path.read_bytes() for path in base.folder.glob("*.onnx")}
    both = extend_bundle(base, tmp_path / "more", [run], name="more", **told)
    assert set(both.branches) == {"picture", "voice", "sync"}
    assert {k: both.branches[k] for k in base.branches} == base.branches
    assert {n: (both.folder / n).read_bytes() for n in before} == before
    mouths = np.zeros((7, 32, 32), np.uint8)
    seen, heard = both.embed_sync(mouths, np.zeros((80, 41), np.float32))
    assert (seen.shape, heard.shape) == ((7, 64), (11, 64))
    with pytest.raises(ValueError, match="has a branch sync already"):
        extend_bundle(both, tmp_path / "twice", [run], name="twice", **told)
    again = extend_bundle(both, tmp_path / "again", [run], name="again", **told, replace=True)
    assert list(again.branches) == list(both.branches)
    assert all(check.passed for check in again.replay_golden())
    assert again.quality == both.quality
    assert not (tmp_path / "twice").exists()


def test_an_extension_that_fails_leaves_the_bundle_as_it_was(cache: Path, tmp_path: Path) -> None:
    config = TrainConfig(
        name="sync", branch="sync", cache=str(cache), out=str(tmp_path / "runs"), folds=0,
        epochs=1, steps_per_epoch=1, batch_size=4, warmup_steps=1, ema_decay=0.0, threads=1,
    )  # fmt: skip
    run = Run.read(fit(config))
    base = write_tiny_bundle(tmp_path / "tiny", branches=("picture", "sync"))
    before = {path.name: path.read_bytes() for path in base.folder.iterdir()}
    unfinished = Run(tmp_path / "nowhere", TrainConfig(branch="voice"), run.scores)
    told = {"version": "1", "card": "# s\n", "summary": {}}
    with pytest.raises(FileNotFoundError):
        extend_bundle(base, base.folder, [run, unfinished], name="x", **told, replace=True)
    assert {path.name: path.read_bytes() for path in base.folder.iterdir()} == before
    again = extend_bundle(base, base.folder, [run], name="x", **told, replace=True)
    assert again.name == "x"
    assert {path.name for path in base.folder.parent.iterdir()} == {"tiny", "runs"}
