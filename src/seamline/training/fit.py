"""Runs one training: config in; checkpoints, logs, held-out scores and a branch graph out."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from safetensors.torch import save_file
from torch import Tensor, nn

from seamline.training.build import WEIGHTS, build_data, build_module
from seamline.training.config import TrainConfig, config_json
from seamline.training.from_bundle import settle_norms
from seamline.training.modules import TrainModule
from seamline.zoo.catalog import is_model

LAST = "last.ckpt"
BEST = "best.ckpt"
HALF_ON_CPUS = ("picture", "voice")  # branches that were measured to train faster so
BFLOAT16_FEATURES = ("amx_bf16", "avx512_bf16")  # of CPUs that multiply it


def fit(config: TrainConfig, *, resume: bool = False, stop_after_epochs: int | None = None) -> Path:
    """Train, score the held-out sets and save weights; returns the run folder.

    With ``resume`` a run goes on from its last checkpoint, with the losses of an unbroken run.
    ``stop_after_epochs`` breaks a run off early without changing its schedule.
    """
    folder = config.run_folder
    checkpoint = folder / "checkpoints" / LAST
    if checkpoint.exists() and not resume:
        raise FileExistsError(
            f"{folder} holds a run already. Use --resume to go on with it, or another name."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_json(config), indent=2) + "\n")
    if config.threads:
        torch.set_num_threads(config.threads)
    L.seed_everything(config.seed, workers=True, verbose=False)
    module = build_module(config)
    data = build_data(config, module)
    resumed = checkpoint if resume and checkpoint.exists() else None
    if is_model(config.initial) and adapts(config) and not resumed:
        settle_norms(module, data.train_dataloader())
    part = len(list(folder.glob("csv-*")))  # each part of a resumed run logs beside the others
    trainer = L.Trainer(
        max_epochs=min(config.epochs, stop_after_epochs or config.epochs),
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.nodes,
        strategy=config.strategy,
        precision=precision_of(config),
        gradient_clip_val=config.gradient_clip,
        callbacks=_callbacks(config, folder),
        logger=[
            CSVLogger(folder, name="", version=f"csv-{part}"),
            TensorBoardLogger(folder, name="", version="tensorboard"),
        ],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=config.validate_every_epochs,
        log_every_n_steps=1 if config.steps_per_epoch < 50 else 10,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        # Few cores: loading in the training process is on purpose.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # A resumed run finds its own checkpoint there, on purpose as well.
        warnings.filterwarnings("ignore", message="Checkpoint directory .* is not empty")
        # Only our own checkpoints are read here, and tensors alone.
        trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    if not trainer.is_global_zero:
        return folder
    if config.stop_on:
        _load_best(module, folder)
    save_file(_dense(module.model), folder / WEIGHTS)
    scores = {split: score_files(module, data.files(split)) for split in ("holdout", "val")}
    (folder / "scores.json").write_text(json.dumps(scores) + "\n")
    return folder


@torch.no_grad()
def score_files(module: TrainModule, batches: Any) -> list[dict[str, Any]]:
    """Score whole files; one record a file, in the data set's order."""
    module.eval()
    rows = []
    for entry, batch in zip(batches.dataset.entries, batches, strict=True):
        rows.append(
            {
                "path": entry.path,
                "source": entry.source,
                "method": entry.method,
                "person": entry.person,
                "label": int(batch["label"]),
                **module.file_scores(batch["inputs"]),
            }
        )
    return rows


def adapts(config: TrainConfig) -> bool:
    """Tell whether batch norms go on adapting in a config's training."""
    return config.train_norms or config.branch != "picture"


def precision_of(config: TrainConfig) -> Literal["bf16-mixed", "32-true"]:
    """Half the bits where that is faster: on GPUs, for convolutions on CPUs that multiply them."""
    half = config.precision == "bfloat16"
    if config.precision == "auto":
        if config.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
            half = True
        elif config.branch in HALF_ON_CPUS:
            features = torch.cpu.get_capabilities()
            half = any(features.get(name) for name in BFLOAT16_FEATURES)
    return "bf16-mixed" if half else "32-true"


def _callbacks(config: TrainConfig, folder: Path) -> list[Callback]:
    callbacks: list[Callback] = [
        ModelCheckpoint(
            folder / "checkpoints",
            filename="last",
            save_top_k=1,
            enable_version_counter=False,
            save_on_train_epoch_end=True,  # else only where an epoch ends with a validation
        )
    ]
    if config.stop_on:
        better = "max" if config.stop_on.endswith(("auc", "accuracy")) else "min"
        callbacks += [
            EarlyStopping(config.stop_on, patience=config.stop_patience, mode=better),
            ModelCheckpoint(
                folder / "checkpoints",
                filename="best",
                monitor=config.stop_on,
                mode=better,
                enable_version_counter=False,
            ),
        ]
    if config.ema_decay:
        callbacks.append(EMAWeightAveraging(decay=config.ema_decay))
    return callbacks


def _load_best(module: TrainModule, folder: Path) -> None:
    """Take the weights of the best validation; averaged ones where there is an average."""
    state = torch.load(folder / "checkpoints" / BEST, map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])


def _dense(model: nn.Module) -> dict[str, Tensor]:
    """Weights in plain memory order, as safetensors wants them."""
    return {name: value.contiguous() for name, value in model.state_dict().items()}
