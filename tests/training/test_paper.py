"""Training of the original project's systems: resuming, stopping, processes, composed pairs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from cache_factory import write_cache
from seamline.cli.export import export
from seamline.cli.main import app
from seamline.models.build import ModelConfig
from seamline.training.both_data import BothData
from seamline.training.build import WEIGHTS, build_module, load_weights
from seamline.training.config import TrainConfig, config_json, make_config
from seamline.training.export import Run, bundle_branch, export_bundle
from seamline.training.fit import fit
from seamline.training.paper_modules import padded
from seamline.zoo.bundle import Bundle

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")
TINY = ModelConfig(width=16, heads=2, layers=1, window_tokens=10)


@pytest.fixture
def frames(tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        name="frames",
        branch="autoencoder",
        cache=str(write_cache(tmp_path / "cache")),
        out=str(tmp_path / "runs"),
        epochs=2,
        steps_per_epoch=3,
        batch_size=4,
        warmup_steps=1,
        learning_rate=3e-3,
        size_px=32,
        folds=3,
        ema_decay=0.0,
        threads=1,
        accelerator="cpu",
    )


@pytest.fixture
def clips(frames: TrainConfig) -> TrainConfig:
    return replace(frames, name="clips", branch="clip", model=TINY, clip_frames=4)


@pytest.fixture
def both(frames: TrainConfig, tmp_path: Path) -> TrainConfig:
    audio = str(write_cache(tmp_path / "audio", sound=True))
    model = replace(TINY, encoder="autoencoder")
    return replace(
        frames, name="both", branch="both", model=model, audio_cache=audio, sound_seconds=(0.5, 0.5)
    )


def losses(folder: Path) -> dict[int, float]:
    found = {}
    for path in sorted(folder.glob("csv-*/metrics.csv")):
        with path.open() as file:
            found |= {
                int(row["step"]): float(row["train/loss"])
                for row in csv.DictReader(file)
                if row.get("train/loss")
            }
    return found


def test_two_processes_have_the_losses_of_one(frames: TrainConfig) -> None:
    short = replace(frames, epochs=1)  # starting two processes takes long enough
    alone = fit(replace(short, name="alone"))
    shared = fit(replace(short, name="shared", devices=2, strategy="ddp_spawn"))
    assert list(losses(alone)) == list(losses(shared)) == list(range(3))
    assert list(losses(shared).values()) == pytest.approx(list(losses(alone).values()), 1e-4)
    one, two = (load_file(folder / WEIGHTS) for folder in (alone, shared))
    # Adam divides by the gradient's size, so that rounding shows where gradients are about 0.
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 2e-3
    assert Run.read(shared).scores["val"][0]["mse"] == pytest.approx(
        Run.read(alone).scores["val"][0]["mse"], 1e-3
    )


def test_a_batch_that_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(ValueError, match="pairs of batch_size 32 cannot be shared out evenly"):
        TrainConfig(devices=3)


def test_a_resumed_clip_run_has_the_losses_of_an_unbroken_one(clips: TrainConfig) -> None:
    whole = losses(fit(replace(clips, name="whole")))
    part = replace(clips, name="part")
    fit(part, stop_after_epochs=1)
    assert len(losses(part.run_folder)) == 3
    fit(part, resume=True)
    assert losses(part.run_folder) == pytest.approx(whole, 1e-5)


def test_a_clip_run_takes_over_the_encoder_and_leaves_it_alone(
    frames: TrainConfig, clips: TrainConfig
) -> None:
    encoder = load_file(fit(frames) / WEIGHTS)
    config = replace(clips, encoder_run=str(frames.run_folder))
    trained = load_file(fit(config) / WEIGHTS)
    for name, value in encoder.items():
        torch.testing.assert_close(trained[f"encoder.{name}"], value)
    start = build_module(config).model.state_dict()
    assert not torch.equal(
        trained["transformer.classify.2.weight"], start["transformer.classify.2.weight"]
    )
    with pytest.raises(ValueError, match=r"margin is 1\.5, but the encoder of .* with 1\.3"):
        build_module(replace(config, margin=1.5))
    with pytest.raises(FileNotFoundError, match=r"builds on nowhere, which has no weights"):
        build_module(replace(config, encoder_run="nowhere"))


def test_early_stopping_keeps_the_weights_of_the_best_validation(clips: TrainConfig) -> None:
    config = replace(clips, epochs=12, learning_rate=0.0, stop_on="holdout/loss", stop_patience=2)
    folder = fit(config)
    # At a learning rate of 0 nothing ever gets better than at first.
    assert len(losses(folder)) == 3 * 3
    best = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    kept = load_weights(config, folder).state_dict()
    for name, value in kept.items():
        torch.testing.assert_close(value, best[f"model.{name}"])


def test_a_joint_autoencoder_can_judge_in_a_bundle(frames: TrainConfig, tmp_path: Path) -> None:
    assert bundle_branch(frames) is None
    config = replace(frames, classify_weight=1.0, epochs=4, steps_per_epoch=10, folds=0)
    run = Run.read(fit(config))
    rows = run.scores["val"]
    assert {"mse", "flat_mse", "logit"} <= set(rows[0])
    bundle = export_bundle(
        tmp_path / "b", [run], name="b", version="1", card="# b\n", summary={}, halve=False
    )
    crops = np.zeros((2, 32, 32, 3), np.uint8)
    logit, mask, _ = bundle.score_faces(crops)
    assert mask.shape == (2, 2, 2)
    np.testing.assert_allclose(mask, np.broadcast_to(logit[:, None, None], mask.shape), rtol=1e-6)


def test_a_voice_transformer_of_samples_judges_any_length_in_a_bundle(
    both: TrainConfig, tmp_path: Path
) -> None:
    model = replace(TINY, kind="voice_transformer", front="raw", window_tokens=100)
    config = replace(both, name="raw", branch="voice", cache=both.audio_cache, model=model)
    run = Run.read(fit(replace(config, epochs=1)))
    bundle = export_bundle(tmp_path / "b", [run], name="b", version="1", card="# b\n", summary={})
    assert bundle.branches["voice"].step_seconds == pytest.approx(0.1)
    sound = np.random.default_rng(0).normal(0, 0.1, 4100).astype(np.float32)
    assert len(bundle.score_voice(None, sound)) == 3
    assert len(bundle.score_voice(None, sound[:900])) == 1
    with pytest.raises(ValueError, match="b's voice branch reads samples, got none"):
        bundle.score_voice(np.zeros((80, 50), np.float32))


def test_a_run_that_judges_nothing_is_exported_as_a_graph(
    frames: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fit(replace(frames, epochs=1))
    export(tmp_path / "out", [folder])
    assert "judges nothing, so there is no bundle to scan with" in capsys.readouterr().out
    assert (tmp_path / "out" / "graph.onnx").is_file()
    assert not (tmp_path / "out" / "bundle.json").exists()
    with pytest.raises(ValueError, match="trains autoencoder, which judges nothing"):
        export_bundle(
            tmp_path / "b", [Run.read(folder)], name="b", version="1", card="", summary={}
        )


def test_train_ends_with_a_bundle_that_judges_windows_as_long_as_its_clips(
    clips: TrainConfig, tmp_path: Path
) -> None:
    config = tmp_path / "clips.yaml"
    config.write_text(json.dumps(config_json(replace(clips, epochs=1))))  # JSON is YAML
    told = CliRunner().invoke(app, ["train", str(config)])
    assert told.exit_code == 0, told.output
    assert f"--model {clips.run_folder / 'bundle'} FILE" in " ".join(told.output.split())
    run, bundle = Run.read(clips.run_folder), Bundle.load(clips.run_folder / "bundle")
    assert list(bundle.branches) == ["temporal"]
    assert bundle.contract.window_seconds == 4 * bundle.contract.frame_step_seconds
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    logits = bundle.score_faces(crops).logits
    tokens = torch.from_numpy(crops).permute(0, 3, 1, 2).float()[None]
    with torch.no_grad():
        expected = load_weights(run.config, run.folder)(tokens, torch.ones(1, 3, dtype=torch.bool))
    assert logits == pytest.approx(float(expected), abs=2e-2)


def test_pairs_are_genuine_only_if_both_sides_are(both: TrainConfig) -> None:
    module = build_module(both)
    data = BothData(both, module.model)
    entries = data.files("val").dataset.entries
    kinds = [(entry.video.fake, entry.audio.fake) for entry in entries]
    assert sum(entry.fake for entry in entries) == len(entries) / 2
    assert set(kinds) == {(False, False), (True, False), (False, True), (True, True)}
    again = BothData(both, module.model).files("val").dataset.entries
    assert [entry.path for entry in entries] == [entry.path for entry in again]


def test_a_hidden_side_takes_its_label_along(both: TrainConfig) -> None:
    config = replace(both, drop_side=1.0, steps_per_epoch=30)
    data = BothData(config, build_module(config).model)
    dataset = data.train_dataloader().dataset
    hidden, labels = [], []
    for index in range(0, 60, 2):  # even items are genuine on both sides
        video, audio, label = dataset[index]
        hidden.append((bool(video.seen.any()), bool(audio.seen.any())))
        labels.append(float(label))
    assert set(hidden) == {(True, False), (False, True)}
    assert set(labels) == {0.0}
    odd = [dataset[index] for index in range(1, 60, 2)]
    assert {float(label) for _, _, label in odd} == {0.0, 1.0}  # the forged side may be hidden


def test_padding_marks_what_was_seen() -> None:
    item = padded(torch.ones(2, 3), 4)
    assert item.tokens.shape == (4, 3)
    assert item.seen.tolist() == [True, True, False, False]
    assert padded(torch.ones(6, 3), 4).seen.all()


def test_keys_of_the_model_can_be_set_one_by_one() -> None:
    config = make_config({"branch": "clip", "model": {"width": 64}, "model.readout": "max"})
    assert (config.model.width, config.model.readout) == (64, "max")
    assert config.network.kind == "video_transformer"
    with pytest.raises(ValueError, match=r"Unknown key model\.widht\. Known keys: model\.kind"):
        make_config({"model.widht": 3})


def test_whole_frames_need_a_manifest() -> None:
    with pytest.raises(ValueError, match=r"model\.frames whole needs .* a manifest"):
        TrainConfig(branch="autoencoder", model=ModelConfig(frames="whole"))
