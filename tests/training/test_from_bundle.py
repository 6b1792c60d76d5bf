"""Going on from a bundle: the shipped graphs' weights in a network that trains."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cache_factory import write_cache
from seamline.cli.main import app
from seamline.models.build import ModelConfig
from seamline.training.build import build_module, build_network, load_weights
from seamline.training.config import TrainConfig
from seamline.training.export import Run, export_bundle
from seamline.training.fit import fit
from seamline.training.from_bundle import load_branch, read_weights, settle_norms, unfolded
from seamline.training.graphs import largest_difference, make_graph
from seamline.training.picture_data import PictureData
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import DEFAULT, find_model

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

SHIPPED = {
    "picture": TrainConfig(branch="picture", initial=DEFAULT, size_px=192),
    "motion": TrainConfig(branch="motion", initial=DEFAULT, size_px=112),
    "voice": TrainConfig(branch="voice", initial=DEFAULT, model=ModelConfig(kind="voice_deeper")),
    "sync": TrainConfig(branch="sync", initial=DEFAULT),
}


def picture(tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        name="further",
        cache=str(write_cache(tmp_path / "cache")),
        out=str(tmp_path / "runs"),
        epochs=1,
        steps_per_epoch=1,
        batch_size=4,
        warmup_steps=1,
        learning_rate=1e-6,
        size_px=64,
        initial=DEFAULT,
        train_norms=True,
        folds=3,
        ema_decay=0,
        threads=1,
    )


@pytest.mark.parametrize("branch", list(SHIPPED))
def test_a_shipped_branch_s_network_says_what_its_graph_says(branch: str) -> None:
    config = SHIPPED[branch]
    module = build_module(config)
    assert module.model.training
    path = find_model(DEFAULT) / f"{branch}.onnx"
    assert largest_difference(make_graph(module.model, config), path) < 1e-3


def test_settled_norms_change_nothing_but_what_training_meets(tmp_path: Path) -> None:
    config = picture(tmp_path)
    module = build_module(config)
    crops = torch.rand(6, 3, 64, 64) * 255
    with torch.no_grad():
        before = module.model.eval()(crops).logit
        module.train()
        settle_norms(module, PictureData(config).train_dataloader())
        assert module.model.training
        after = module.model.eval()(crops).logit
    assert after.numpy() == pytest.approx(before.numpy(), abs=2e-3)
    norms = [m for m in module.model.modules() if isinstance(m, nn.BatchNorm2d)]
    met: dict[nn.Module, torch.Tensor] = {}
    for norm in norms:
        norm.register_forward_pre_hook(lambda m, inputs: met.update({m: inputs[0]}))
    batch = next(iter(PictureData(config).train_dataloader())).crops.flatten(0, 1)
    with torch.no_grad():
        module.model(batch)
    for norm in norms:  # as the very first batch has it, within what a batch differs by
        assert norm.running_mean is not None
        assert norm.running_var is not None
        off = (met[norm].mean((0, 2, 3)) - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        assert off.abs().median() < 0.5


def test_the_voice_s_norms_settle_though_one_has_no_weight() -> None:
    module = build_module(SHIPPED["voice"])
    sound = torch.randn(4, 80, 150, generator=torch.Generator().manual_seed(3)) - 5
    with torch.no_grad():
        before = module.model.eval()(sound)
        settle_norms(module, [(sound, torch.tensor([0.0, 1.0, 0.0, 1.0]))])
        after = module.model.eval()(sound)
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)
    plain = [m for m in module.model.modules() if isinstance(m, nn.BatchNorm1d) and not m.affine]
    assert len(plain) == 1


def test_training_goes_on_from_where_the_shipped_model_is(tmp_path: Path) -> None:
    config = picture(tmp_path)
    further = fit(config)
    scored = Run.read(further).scores["holdout"]
    start = build_module(config)
    rows = PictureData(config).files("holdout")
    with torch.no_grad():
        first = [start.eval().file_scores(batch["inputs"])["logit"] for batch in rows]
    assert [row["logit"] for row in scored] == pytest.approx(first, abs=0.5)
    known = json.loads((further / "config.json").read_text())["initial"]
    assert known == DEFAULT
    again = export_bundle(
        tmp_path / "bundle", [Run.read(further)], name="x", version="1", card="", summary={}
    )
    assert again.contract.size_px == 64
    folder = replace(config, name="from-folder", initial=str(tmp_path / "bundle"))
    model = build_network(folder)
    load_branch(model, folder)
    stored = load_weights(config, further)
    with torch.no_grad():
        crops = torch.rand(3, 3, 64, 64) * 255
        # Its weights are stored as float16.
        assert np.allclose(model.eval()(crops).logit, stored(crops).logit, atol=0.05)


def test_another_network_is_refused() -> None:
    config = replace(SHIPPED["voice"], model=ModelConfig(kind="voice_cnn"))
    with pytest.raises(ValueError, match="branch voice of seamline-small is another network"):
        build_module(config)


def test_a_network_of_the_same_shapes_that_reads_otherwise_is_refused(tmp_path: Path) -> None:
    config = replace(SHIPPED["picture"], model=ModelConfig(regions=True))
    with pytest.raises(ValueError, match="their outputs differ by"):
        build_module(config)


def test_a_bundle_without_the_branch_is_refused(tmp_path: Path) -> None:
    config = picture(tmp_path)
    bundle = export_bundle(
        tmp_path / "bundle", [Run.read(fit(config))], name="x", version="1", card="", summary={}
    )
    asked = replace(SHIPPED["motion"], initial=str(bundle.folder))
    with pytest.raises(ValueError, match="has no branch motion; it has: picture"):
        build_module(asked)


def test_what_a_graph_does_not_hold_keeps_its_start() -> None:
    model = build_network(SHIPPED["sync"])
    weights = read_weights(
        find_model(DEFAULT) / Bundle.load(find_model(DEFAULT)).branches["sync"].graph
    )
    assert "sharpness" not in weights
    assert unfolded(model, weights)["sharpness"] == model.state_dict()["sharpness"]


def test_a_picture_of_one_s_own_takes_the_shipped_one_s_place(tmp_path: Path) -> None:
    run, out = str(fit(picture(tmp_path))), str(tmp_path / "mine")
    asked = ["export", out, "--run", run, "--onto", DEFAULT, "--replace"]
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code == 2
    assert "--without motion" in " ".join(refused.stderr.split())
    done = CliRunner().invoke(app, [*asked, "--without", "motion"])
    assert done.exit_code == 0, done.output
    assert set(Bundle.load(out).branches) == {"picture", "voice", "sync"}
    told = " ".join(done.stderr.split())
    assert "held out 2 genuine and 2 forged files: too few for a calibration" in told
    alone = CliRunner().invoke(app, ["export", out, "--run", run, "--without", "motion"])
    assert alone.exit_code == 2
    assert "say what becomes of the branches of --onto" in " ".join(alone.stderr.split())
