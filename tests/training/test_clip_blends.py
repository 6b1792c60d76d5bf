"""Clips over time learn from genuine ones with a paste that moves, at the scale that is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cache_factory import STORE, write_cache
from seamline.models.build import ModelConfig
from seamline.training.build import build_data, build_module
from seamline.training.clip_data import ClipData, blended_frames, clip_frames
from seamline.training.config import TrainConfig
from seamline.training.export import Run
from seamline.training.fit import fit
from seamline.training.picture_data import clip_faces
from seamline.zoo.catalog import DEFAULT

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        name="clips",
        branch="clip",
        cache=str(write_cache(tmp_path / "cache")),
        out=str(tmp_path / "runs"),
        model=ModelConfig(width=16, heads=2, layers=1, encoder="autoencoder"),
        epochs=1,
        steps_per_epoch=2,
        batch_size=4,
        warmup_steps=1,
        size_px=32,
        clip_frames=4,
        blended_clips=2,
        folds=3,
        ema_decay=0.0,
        threads=1,
    )


def test_each_genuine_clip_gets_as_many_forged_ones(config: TrainConfig) -> None:
    data = build_data(config, build_module(config))
    assert isinstance(data, ClipData)
    entries = data.pool.entries
    genuine = [entry for entry in entries if not entry.fake]
    blended = [entry for entry in entries if entry.method == "temporal self-blend"]
    assert len(genuine) == 3
    assert [entry.path for entry in blended] == [entry.path for entry in genuine] * 2
    tokens = [token for entry, token in data.encoded if entry.method == "temporal self-blend"]
    assert all(token.shape == tokens[0].shape for token in tokens)
    assert not torch.equal(tokens[0], tokens[3])
    assert {row["label"] for row in Run.read(fit(config)).scores["holdout"]} == {0, 1}


def test_a_blend_moves_at_the_model_s_scale(config: TrainConfig) -> None:
    data = build_data(config, build_module(config))
    entry = next(entry for entry in data.pool.entries if not entry.fake)
    changes = []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        plain = clip_frames(entry, config, store_margin=STORE.margin)
        forged = blended_frames(entry, config, generator, store_margin=STORE.margin)
        assert forged.shape == plain.shape == (4, 3, 32, 32)
        changes.append((forged - plain).abs().mean(dim=(1, 2, 3)))
    # Noise of 40 grey levels is averaged out of a crop this small; what is left still moves.
    assert float(torch.stack(changes).mean()) > 1.0
    assert float(torch.stack(changes).std(dim=1).max()) > 0.1


def test_clips_are_judged_over_the_shipped_encoder(config: TrainConfig) -> None:
    model = ModelConfig(width=16, heads=2, layers=1, encoder="cnn")
    shipped = replace(config, model=model, encoder_run=DEFAULT, size_px=192, margin=1.25)
    network = build_module(shipped).model
    alone = build_module(replace(shipped, branch="picture", initial=DEFAULT, model=ModelConfig()))
    crops = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0)) * 255
    with torch.no_grad():
        tokens = network.eval().tokens(crops[None])[0]
        assert torch.allclose(tokens, alone.model.eval()(crops).feature, atol=1e-5)
    with pytest.raises(
        ValueError, match="size_px is 160, but the picture branch of seamline-small"
    ):
        build_module(replace(shipped, size_px=160))


def test_what_is_left_out_is_held_out_though_the_config_does_not_name_it(
    config: TrainConfig, tmp_path: Path
) -> None:
    others = str(write_cache(tmp_path / "others", source="others"))
    named = {"others": 1.0}
    left = replace(
        config, leave_out="source=made up", extra_cache=others, genuine=named, forged=named
    )
    data = clip_faces(left)
    assert {entry.source for entry in data.pool.entries} == {"others"}
    assert {entry.source for entry in data.holdout} == {"made up"}
    assert {entry.fake for entry in data.holdout} == {False, True}
    kept = clip_faces(replace(left, leave_out=""))
    assert {entry.source for entry in kept.holdout} <= {"others"}
