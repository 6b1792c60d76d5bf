"""Usual faces of a run: measured when it ends, carried by its bundle, and told of each crop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from picture_runs import small_picture
from seamline.training import usual
from seamline.training.config import TrainConfig, config_json
from seamline.training.finish import finish
from seamline.training.fit import fit
from seamline.training.picture_data import FileDataset, PictureData
from seamline.training.rescore import rescore
from seamline.zoo.bundle import Bundle

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the usual number measures crops of 64 px well enough."""
    monkeypatch.setattr(usual.measure_usual, "__kwdefaults__", {"pairs": usual.PAIRS // 10})


@pytest.fixture
def picture(tmp_path: Path) -> TrainConfig:
    return small_picture(tmp_path, people=40, epochs=1, steps_per_epoch=1)


def test_a_run_of_few_faces_knows_no_strange_one(picture: TrainConfig) -> None:
    folder = fit(picture)
    assert usual.measure_usual(folder) is None
    assert not (folder / usual.USUAL).exists()


def test_a_bundle_tells_how_strange_a_crop_is_among_those_of_its_run(
    picture: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "FEWEST", 10)
    folder = fit(picture)
    finish(folder)  # compares ONNX Runtime with torch, strangeness too
    bundle = Bundle.load(folder / "bundle")
    assert [check.name for check in bundle.replay_golden()][2] == "picture strangeness"
    data = PictureData(picture)
    files = FileDataset(data.pool.entries, "train", picture, store_margin=data.store_margin)
    known = np.stack([f["inputs"][0].permute(1, 2, 0).byte().numpy() for f in files])
    noise = np.random.default_rng(0).integers(0, 256, known.shape, dtype=np.uint8)
    usually, strangely = (bundle.score_faces(crops).strangeness for crops in (known, noise))
    assert usually is not None
    assert strangely is not None
    assert 0.3 < np.median(usually) < 3  # plain crops among those that passed training's chain
    assert strangely.min() > 2 * np.median(usually)


def test_a_rescored_run_measures_its_faces_anew(
    picture: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "FEWEST", 10)
    folder = fit(picture)
    assert usual.load_usual(folder) is None
    rescore(folder, tmp_path / "larger", scan_size_px=96)
    larger = usual.load_usual(tmp_path / "larger")
    plain = usual.measure_usual(folder, pairs=20)
    assert larger is not None
    assert plain is not None
    assert not np.allclose(larger.mean, plain.mean)


def test_other_branches_are_left_alone(picture: TrainConfig) -> None:
    voice = replace(picture, branch="voice")
    voice.run_folder.mkdir(parents=True)
    (voice.run_folder / "config.json").write_text(json.dumps(config_json(voice)))
    assert usual.measure_usual(voice.run_folder) is None
