"""Training: learns what is plain to see, resumes exactly, and exports what the runtime replays."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cache_factory import write_cache
from picture_runs import small_picture
from seamline.models.build import ModelConfig
from seamline.scoring.crop_logits import CropWeights
from seamline.training.build import WEIGHTS, build_network
from seamline.training.config import TrainConfig, config_json
from seamline.training.export import Run, export_bundle
from seamline.training.fit import fit, precision_of
from seamline.training.picture_data import PictureData
from seamline.training.refit import fit_last_layer, refit
from seamline.training.rescore import rescore

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def picture(tmp_path: Path) -> TrainConfig:
    return small_picture(tmp_path)


def losses(folder: Path, parts: str = "csv-*") -> list[tuple[int, float]]:
    """The logged training losses by step, over all parts of a run or those named."""
    found = {}
    for path in sorted(folder.glob(f"{parts}/metrics.csv")):
        with path.open() as file:
            for row in csv.DictReader(file):
                if row.get("train/loss"):
                    found[int(row["step"])] = float(row["train/loss"])
    return sorted(found.items())


@pytest.mark.parametrize("validate_every", [1, 3])
def test_a_resumed_run_has_the_losses_of_an_unbroken_one(
    picture: TrainConfig, validate_every: int
) -> None:
    picture = replace(picture, epochs=3, validate_every_epochs=validate_every)
    whole = losses(fit(replace(picture, name="whole")))
    part = replace(picture, name="part")
    fit(part, stop_after_epochs=1)
    broken = losses(part.run_folder)
    resumed = losses(fit(part, resume=True), "csv-1")
    assert len(whole) == 6
    assert resumed[0][0] == len(broken)  # goes on, rather than begins again
    assert 0 < len(broken) < len(whole)
    merged = dict(broken) | dict(resumed)
    assert [step for step, _ in whole] == sorted(merged)
    assert [loss for _, loss in whole] == pytest.approx([merged[s] for s in sorted(merged)], 1e-5)


def test_items_drawn_beside_the_training_are_those_drawn_within(picture: TrainConfig) -> None:
    within, beside = (
        losses(fit(replace(picture, name=f"workers-{count}", workers=count))) for count in (0, 2)
    )
    assert len(within) == 4
    assert beside == within


def test_half_of_the_bits_give_nearly_the_same_losses(picture: TrainConfig) -> None:
    whole, half = (
        losses(fit(replace(picture, name=precision, precision=precision)))
        for precision in ("float32", "bfloat16")
    )
    assert [step for step, _ in half] == [step for step, _ in whole]
    assert half != whole
    assert [loss for _, loss in half] == pytest.approx([loss for _, loss in whole], abs=0.15)
    saved = load_file(picture.run_folder.with_name("bfloat16") / WEIGHTS)
    assert {tensor.dtype for tensor in saved.values() if tensor.is_floating_point()} == {
        torch.float32
    }


@pytest.mark.parametrize(
    ("settings", "feature", "found"),
    [
        ({}, "amx_bf16", "bf16-mixed"),
        ({}, "avx512_bf16", "bf16-mixed"),
        ({}, "avx512_vnni", "32-true"),
        ({"precision": "float32"}, "amx_bf16", "32-true"),
        ({"precision": "bfloat16"}, "avx512_vnni", "bf16-mixed"),
        ({"branch": "autoencoder", "folds": 0}, "amx_bf16", "32-true"),
    ],
)
def test_a_cpu_trains_in_half_of_the_bits_where_it_multiplies_them(
    picture: TrainConfig,
    settings: dict[str, Any],
    feature: str,
    found: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert precision_of(replace(picture, **settings)) == found


def test_a_finished_run_is_not_overwritten(picture: TrainConfig) -> None:
    fit(picture)
    with pytest.raises(FileExistsError, match=r"holds a run already\. Use --resume"):
        fit(picture)


@pytest.mark.parametrize("inputs", ["rgb", "both"])
def test_a_run_exports_a_bundle_that_gives_torch_s_scores(
    picture: TrainConfig, tmp_path: Path, inputs: str
) -> None:
    run = Run.read(fit(replace(picture, model=ModelConfig(inputs=inputs))))
    assert {row["label"] for row in run.scores["holdout"]} == {0, 1}
    assert len(run.scores["val"]) == 2
    bundle = export_bundle(
        tmp_path / "b", [run], name="b", version="1", card="# b\n", summary={"line": "x"}
    )
    assert [check.passed for check in bundle.replay_golden()] == [True, True]
    crops = np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)
    one_by_one = [float(bundle.score_faces(crops[i : i + 1])[0][0]) for i in range(7)]
    assert bundle.score_faces(crops)[0] == pytest.approx(one_by_one, abs=1e-4)


def test_a_run_judges_larger_crops_than_it_was_trained_on(
    picture: TrainConfig, tmp_path: Path
) -> None:
    run = Run.read(fit(replace(picture, epochs=1, scan_size_px=96)))
    bundle = export_bundle(tmp_path / "b", [run], name="b", version="1", card="", summary={})
    assert bundle.contract.size_px == 96
    logits, masks, _ = bundle.score_faces(np.zeros((1, 96, 96, 3), np.uint8))
    assert logits.shape == (1,)
    assert masks is not None
    assert masks.shape == (1, 6, 6)
    assert rescore(run.folder, tmp_path / "again").scan_px == 96
    for split in ("holdout", "val"):
        expected = [row["logit"] for row in run.scores[split]]
        found = [row["logit"] for row in Run.read(tmp_path / "again").scores[split]]
        assert found == pytest.approx(expected, abs=1e-4)
    rescore(run.folder, tmp_path / "smaller", scan_size_px=64)
    smaller = Run.read(tmp_path / "smaller")
    assert smaller.config.scan_px == 64
    assert [row["logit"] for row in smaller.scores["val"]] != expected


def test_the_mean_over_frames_pools_a_rescored_run(picture: TrainConfig, tmp_path: Path) -> None:
    run = fit(replace(picture, epochs=1))
    sharp = rescore(run, tmp_path / "sharp", pool_sharpness=8.0)
    even = rescore(run, tmp_path / "even", pool_sharpness=0.0)
    assert (sharp.pool_sharpness, even.pool_sharpness) == (8.0, 0.0)
    scores = [Run.read(tmp_path / name).scores["val"] for name in ("sharp", "even")]
    assert all(a["logit"] >= b["logit"] - 1e-6 for a, b in zip(*scores, strict=True))


def test_a_rescored_run_and_its_bundle_weigh_crops_alike(
    picture: TrainConfig, tmp_path: Path
) -> None:
    run = fit(replace(picture, epochs=1))
    rescore(run, tmp_path / "new", mask_share=0.5, detail_weight=0.7, pool_sharpness=0.0)
    new = Run.read(tmp_path / "new")
    bundle = export_bundle(tmp_path / "b", [new], name="b", version="1", card="", summary={})
    assert bundle.branches["picture"].crops == CropWeights(0.5, 0.7)
    data, old = PictureData(new.config), Run.read(run)
    for split in ("holdout", "val"):
        rows = zip(data.files(split), new.scores[split], old.scores[split], strict=True)
        for item, row, before in rows:
            crops = item["inputs"].byte().permute(0, 2, 3, 1).numpy()
            logits = bundle.score_faces(crops).logits
            assert row["logit"] == pytest.approx(logits.mean(), abs=2e-2)
            assert row["logit"] != pytest.approx(before["logit"], abs=2e-2)
    with pytest.raises(ValueError, match="learning_rate: judging heeds pool_sharpness"):
        rescore(run, tmp_path / "other", learning_rate=0.1)


def test_a_refitted_last_layer_tells_its_own_pairs_better(
    picture: TrainConfig, tmp_path: Path
) -> None:
    run = fit(replace(picture, epochs=1))
    config = refit(run, tmp_path / "new", pairs=24, strength=1.0, scan_size_px=64)
    old, new = load_file(run / WEIGHTS), load_file(tmp_path / "new" / WEIGHTS)
    changed = {name for name, value in new.items() if not torch.equal(value, old[name])}
    assert changed == {"classify.weight", "classify.bias"}
    assert config.scan_px == 64
    assert len(Run.read(tmp_path / "new").scores["val"]) == len(Run.read(run).scores["val"])
    refit(run, tmp_path / "twice", pairs=24, strength=1.0, scan_size_px=64)
    assert torch.equal(
        load_file(tmp_path / "twice" / WEIGHTS)["classify.bias"], new["classify.bias"]
    )


def test_a_last_layer_that_is_not_alone_is_not_refitted(
    picture: TrainConfig, tmp_path: Path
) -> None:
    config = replace(picture, model=ModelConfig(regions=True))
    run = saved(config, tmp_path / "regions")
    state = build_network(config).state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, run / WEIGHTS)
    with pytest.raises(ValueError, match="its last layer is not alone"):
        refit(run, tmp_path / "new")


def test_a_run_of_another_branch_is_not_refitted(picture: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only branch picture is refitted"):
        refit(saved(replace(picture, branch="motion"), tmp_path / "motion"), tmp_path / "new")


def test_last_layer_is_the_logistic_regression_of_its_features() -> None:
    draw = np.random.default_rng(0)
    genuine, forged = draw.normal(size=(400, 8)), draw.normal(size=(400, 8))
    forged[:, 2] += 2.0
    weight, bias = fit_last_layer(genuine, forged, strength=1.0)
    assert weight.shape == (1, 8)
    assert int(weight[0].argmax()) == 2
    called = [(features @ weight[0].numpy() + float(bias)) > 0 for features in (genuine, forged)]
    assert np.mean(called[1]) > 0.8 > 0.2 > np.mean(called[0])


def saved(config: TrainConfig, folder: Path) -> Path:
    """Write a run's config alone."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config_json(config)))
    return folder


def test_a_run_of_another_branch_is_not_rescored(picture: TrainConfig, tmp_path: Path) -> None:
    run = saved(replace(picture, branch="motion"), tmp_path / "motion")
    with pytest.raises(ValueError, match="trained branch motion; picture and voice are rescored"):
        rescore(run, tmp_path / "again")


def test_only_pictures_are_judged_at_another_size(picture: TrainConfig) -> None:
    with pytest.raises(ValueError, match="scan_size_px is for branch picture"):
        replace(picture, branch="motion", scan_size_px=96)
    with pytest.raises(ValueError, match="100 is no multiple of 32"):
        replace(picture, scan_size_px=100)


def test_the_voice_branch_learns_a_plain_difference(tmp_path: Path) -> None:
    config = TrainConfig(
        name="voice",
        branch="voice",
        cache=str(write_cache(tmp_path / "cache", sound=True)),
        out=str(tmp_path / "runs"),
        epochs=1,
        steps_per_epoch=40,
        batch_size=8,
        warmup_steps=5,
        learning_rate=3e-3,
        sound_seconds=(0.5, 0.8),
        folds=3,
        ema_decay=0.0,
        threads=1,
    )
    run = Run.read(fit(config))
    logits = {row["label"]: row["logit"] for row in run.scores["val"]}
    assert logits[1] > logits[0]
    bundle = export_bundle(tmp_path / "b", [run], name="b", version="1", card="# b\n", summary={})
    assert [check.passed for check in bundle.replay_golden()] == [True]
    assert len(bundle.score_voice(np.zeros((bundle.contract.mel.mels, 77), np.float32))) == 5
    rescore(run.folder, tmp_path / "again")
    again = Run.read(tmp_path / "again").scores["val"]
    assert [row["path"] for row in again] == [row["path"] for row in run.scores["val"]]
    told = [row["logit"] for row in run.scores["val"]]
    assert [row["logit"] for row in again] == pytest.approx(told, abs=1e-4)
