"""The motion branch's training: clips with motion in; pairs, a trained network and a bundle out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cache_factory import MARKS, STORE, video_sample
from seamline.clips.cache import clip_row, read_cache, write_contract, write_shard
from seamline.clips.clip import Clip, FaceCrops, MotionCrops
from seamline.clips.contract import MotionSettings
from seamline.data.demo_clips import read_portrait
from seamline.data.flicker import flicker_blend
from seamline.faces.flow import change_maps
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.training.config import TrainConfig
from seamline.training.export import Run, export_bundle
from seamline.training.extend import extend_bundle
from seamline.training.finish import finish
from seamline.training.fit import fit
from seamline.training.motion_data import MotionData, MotionPairs, motion_entries
from seamline.training.motion_module import MotionModule
from seamline.training.motion_scale import MOTION_WEIGHT, joined_rows, on_scale_of
from tiny_bundle import write_tiny_bundle

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
CUT = replace(STORE, motion=MotionSettings(size_px=72, margin=1.5))


def window(person: int, *, fake: bool, count: int = 20) -> Clip:
    """A person's face that drifts a little; forged, it flickers."""
    grey = cv2.cvtColor(read_portrait(), cv2.COLOR_RGB2GRAY)
    generator = np.random.default_rng(person)
    lit = np.clip(grey * generator.uniform(0.6, 1.1), 0, 255).astype(np.uint8)
    side = grey.shape[0]
    crops = []
    for index in range(count):
        move = np.array([[72 / side, 0, 0.1 * index], [0, 72 / side, 0]])
        crops.append(cv2.warpAffine(lit, move, (72, 72), flags=cv2.INTER_AREA))
    shown = np.stack(crops)
    shown = flicker_blend(shown, generator) if fake else shown
    faces = FaceCrops(
        track=0,
        seconds=np.arange(4) * 0.25,
        crops=np.full((4, 96, 96, 3), 120, np.uint8),
        boxes=np.tile(np.array([10.0, 10.0, 90.0, 90.0]), (4, 1)),
        landmarks=np.tile(MARKS, (4, 1, 1)),
        detection_scores=np.ones(4),
        motion=MotionCrops(np.arange(count) * 0.04, shown),
    )
    return Clip(0, 0.0, 1.0, faces, None, None, 0.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    write_contract(folder, CUT)
    rows = []
    for person, split in enumerate(["train"] * 6 + ["holdout"] * 3 + ["val"] * 2):
        for label in ("real", "fake"):
            clip = window(person, fake=label == "fake")
            rows.append(clip_row(video_sample(person, split, label), clip))
    write_shard(folder, 0, rows)
    return folder


def config_of(cache: Path, out: Path, **keys: object) -> TrainConfig:
    settings: dict[str, object] = {
        "name": "motion", "branch": "motion", "cache": str(cache), "out": str(out), "folds": 0,
        "initial": "random", "size_px": 64, "margin": 1.3, "margin_range": (1.2, 1.4), "epochs": 1,
        "steps_per_epoch": 3, "batch_size": 4, "warmup_steps": 1, "ema_decay": 0.0, "threads": 1,
        "h264_share": 0.5,
    }  # fmt: skip
    return TrainConfig(**{**settings, **keys})  # type: ignore[arg-type]


def test_a_pause_ends_a_run_of_frames(tmp_path: Path) -> None:
    clip = window(0, fake=False)
    assert clip.faces is not None
    assert clip.faces.motion is not None
    seconds = clip.faces.motion.seconds + np.where(np.arange(20) < 12, 0, 1.0)
    faces = replace(clip.faces, motion=MotionCrops(seconds, clip.faces.motion.crops))
    write_contract(tmp_path, CUT)
    write_shard(tmp_path, 0, [clip_row(video_sample(0, "train"), replace(clip, faces=faces))])
    first, second = motion_entries(read_cache(tmp_path))
    assert (len(first.crops), len(second.crops)) == (12, 8)
    assert (np.concatenate([first.crops, second.crops]) == clip.faces.motion.crops).all()


def test_pairs_are_maps_of_the_genuine_and_the_forged_face(cache: Path, tmp_path: Path) -> None:
    config = config_of(cache, tmp_path, self_blend_share=0.5)
    data = MotionData(config)
    pairs = MotionPairs(data.pool, config, store_margin=1.5, epoch=0)
    assert len(pairs) == 6
    made = torch.stack([pairs[i] for i in range(6)])
    assert made.shape == (6, 2, 3, 4, 64, 64)
    assert torch.equal(made[2], pairs[2])
    assert not torch.equal(made[2], pairs[3])
    change = made[:, :, :, 3].abs().mean(dim=(2, 3, 4))
    assert (change[:, 1] > change[:, 0]).float().mean() > 0.6
    later = MotionPairs(data.pool, config, store_margin=1.5, epoch=1)
    assert not torch.equal(later[0], pairs[0])


def test_the_loss_falls_when_pairs_are_told_apart(cache: Path, tmp_path: Path) -> None:
    class Given(torch.nn.Module):
        def __init__(self, side: float) -> None:
            super().__init__()
            self.side = side

        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return self.side * (maps[:, 0, 0, 0] * 2 - 1)

    batch = torch.zeros(2, 2, 3, 4, 8, 8)
    batch[:, 1] = 1.0
    losses = []
    for side in (-3.0, 0.0, 3.0):
        module = MotionModule(Given(side), config_of(cache, tmp_path))
        module.log_training = lambda **_: None  # type: ignore[method-assign]
        losses.append(float(module.training_step(batch, 0)))
    assert losses[0] > losses[1] > losses[2]
    assert losses[1] == pytest.approx(1.3 * np.log(2), abs=1e-5)


def test_a_run_learns_exports_and_extends_a_bundle(cache: Path, tmp_path: Path) -> None:
    run = Run.read(fit(config_of(cache, tmp_path / "runs")))
    assert {row["label"] for row in run.scores["holdout"]} == {0, 1}
    assert len(run.scores["holdout"]) == 6
    told = {"version": "1", "card": "# m\n", "summary": {}}
    with pytest.raises(ValueError, match="A motion branch adds to a picture branch"):
        export_bundle(tmp_path / "alone", [run], name="alone", **told)
    ended = finish(run.folder)
    assert "It adds to a picture branch: its graph is" in ended.told
    assert ended.difference < 1e-3
    base = write_tiny_bundle(tmp_path / "tiny")
    more = extend_bundle(base, tmp_path / "more", [run], name="more", **told)
    assert set(more.branches) == {"picture", "voice", "motion"}
    assert more.contract == replace(base.contract, motion=MotionSettings(size_px=64, margin=1.3))
    assert all(check.passed for check in more.replay_golden())
    assert b"stack_trace" not in (more.folder / "motion.onnx").read_bytes()
    faces = window(0, fake=True).faces
    assert faces is not None
    assert faces.motion is not None
    maps = change_maps(faces.motion.crops[:, 4:68, 4:68], [1, 5])
    assert more.score_motion(maps).shape == (2,)


def test_a_cache_without_motion_is_refused(tmp_path: Path) -> None:
    write_contract(tmp_path, STORE)
    with pytest.raises(ValueError, match=r"holds no motion\. Prepare it with --motion"):
        MotionData(config_of(tmp_path, tmp_path))


def test_odd_batches_and_too_few_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch_size 5 is odd, but branch motion needs pairs"):
        config_of(tmp_path, tmp_path, batch_size=5)
    with pytest.raises(ValueError, match="motion_frames is 2; change takes at least 3"):
        config_of(tmp_path, tmp_path, motion_frames=2)


def test_motion_is_put_on_the_picture_s_scale_and_their_sum_is_calibrated() -> None:
    picture = Branch("p.onnx", Calibration(4.0, 0.3), 1.0)
    motion = Branch("m.onnx", Calibration(0.5, -0.2), 0.0, usual_logits=(-2.0, 2.0))
    scaled = on_scale_of(motion, picture)
    assert scaled.evidence(1.0) == pytest.approx(4.0 * MOTION_WEIGHT * motion.evidence(1.0))
    assert scaled.evidence(9.0) == scaled.evidence(2.0)
    seen = [{"path": path, "logit": 1.0} for path in ("a", "a", "photo")]
    moved = [{"path": "a", "logit": 0.5}, {"path": "a", "logit": 1.5}]
    logits = [row["logit"] for row in joined_rows(seen, moved, scaled)]
    added = (scaled.evidence(0.5) + scaled.evidence(1.5)) / 2
    assert logits == pytest.approx([1.0 + added] * 2 + [1.0])


def test_a_picture_is_not_replaced_under_its_motion_branch(cache: Path, tmp_path: Path) -> None:
    base = write_tiny_bundle(tmp_path / "tiny", branches=("picture", "motion"))
    run = Run(tmp_path, TrainConfig(), {"holdout": [], "val": []})
    with pytest.raises(ValueError, match="tiny has a motion branch, whose evidence"):
        extend_bundle(
            base, tmp_path / "new", [run], name="n", version="1", card="", summary={}, replace=True
        )


def test_a_picture_takes_the_place_of_one_whose_motion_branch_is_left_out(
    cache: Path, tmp_path: Path
) -> None:
    base = write_tiny_bundle(tmp_path / "tiny", branches=("picture", "voice", "motion"))
    config = config_of(cache, tmp_path / "runs", branch="picture", size_px=base.contract.size_px)
    told = {"name": "n", "version": "1", "card": "", "summary": {}, "replace": True}
    run = Run.read(fit(config))
    new = extend_bundle(base, tmp_path / "new", [run], **told, without=["motion"])
    assert set(new.branches) == {"picture", "voice"}
    assert new.contract.motion is None
    assert base.contract.motion is not None
    assert not (new.folder / "motion.onnx").exists()
    assert [check.name for check in new.replay_golden()] == [
        "picture logits", "picture masks", "voice logits",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="tiny has no branch sync to leave out; it has: picture"):
        extend_bundle(base, tmp_path / "newer", [run], **told, without=["sync"])
