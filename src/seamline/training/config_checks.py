"""Checks a training config: a record in, `ValueError` for what cannot be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seamline.models.build import DEFAULT_KIND
from seamline.zoo.catalog import is_model

LEAVE_OUT = ("source", "method", "listed")
PRECISIONS = ("auto", "float32", "bfloat16")
OPTIMIZERS = ("adamw", "muon")


def check_config(config: Any) -> None:
    """Check a `TrainConfig`; raise `ValueError` that says what was asked and what is possible."""
    if config.branch not in DEFAULT_KIND:
        raise ValueError(f"branch is {config.branch!r}; known: {', '.join(DEFAULT_KIND)}.")
    starts = config.initial in ("imagenet", "random") or is_model(config.initial)
    if not starts and not Path(config.initial).is_dir():
        known = "imagenet, random, the folder of a run, or a model's name or folder"
        raise ValueError(f"initial is {config.initial!r}; known: {known}.")
    if config.precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise ValueError(f"precision is {config.precision!r}; known: {known}.")
    if config.optimizer not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise ValueError(f"optimizer is {config.optimizer!r}; known: {known}.")
    if config.workers < 0:
        raise ValueError(f"workers is {config.workers}; 0 draws items in the training itself.")
    paired = config.branch in ("picture", "motion")
    if paired and config.batch_size % 2:
        odd = f"batch_size {config.batch_size} is odd"
        raise ValueError(f"{odd}, but branch {config.branch} needs pairs.")
    if config.motion_frames < 3:
        raise ValueError(f"motion_frames is {config.motion_frames}; change takes at least 3.")
    if config.folds and not 0 <= config.holdout_fold < config.folds:
        raise ValueError(f"holdout_fold {config.holdout_fold} is not below folds {config.folds}.")
    if config.leave_out and config.leave_out.partition("=")[0] not in LEAVE_OUT:
        known = "source=NAME, method=NAME, listed=FILE.csv"
        raise ValueError(f"leave_out is {config.leave_out!r}; known: {known}.")
    if config.leave_out and config.branch == "sync":
        raise ValueError("leave_out: branch sync learns from genuine files alone; use folds.")
    if (config.splice_share or config.own_copy_share) and config.reads_samples:
        raise ValueError("splice_share and own_copy_share: this voice network reads samples.")
    if config.kept_batches and not (config.keep and config.processes == 1):
        raise ValueError("kept_batches needs keep, the folder to keep them in, and one process.")
    if config.self_blend_share + config.cross_blend_share > 1:
        raise ValueError(
            f"self_blend_share {config.self_blend_share} and cross_blend_share "
            f"{config.cross_blend_share} together exceed 1."
        )
    if config.scan_size_px and config.branch != "picture":
        raise ValueError(f"scan_size_px is for branch picture, not for {config.branch}.")
    if config.crop_weights.any and config.branch != "picture":
        weights = "mask_share and detail_weight are"
        raise ValueError(f"{weights} for branch picture, not for {config.branch}.")
    if not 0 <= config.mask_share <= 1:
        raise ValueError(f"mask_share is {config.mask_share}, a share is from 0 to 1.")
    if config.scan_size_px % 32:
        raise ValueError(f"scan_size_px {config.scan_size_px} is no multiple of 32.")
    if config.redraw_share and not config.redrawers:
        missing = "redraw_share asks for redrawn faces, but redrawers names no folder"
        raise ValueError(f"{missing} of networks. Make one with scripts/train_redrawers.py.")
    if config.fold_by not in ("identity", "source"):
        raise ValueError(f"fold_by is {config.fold_by!r}; known: identity, source.")
    if config.margin_range[0] > config.margin_range[1]:
        raise ValueError(f"margin_range {config.margin_range} falls.")
    items = config.batch_size // 2 if paired else config.batch_size
    if items % config.processes:
        what = "pairs of batch_size" if paired else "batch_size"
        among = f"evenly among devices × nodes = {config.processes}"
        raise ValueError(f"{what} {config.batch_size} cannot be shared out {among}.")
    whole = config.model.frames == "whole"
    if whole and (config.branch != "autoencoder" or not config.manifest):
        raise ValueError(
            "model.frames whole needs branch autoencoder and a manifest, got branch "
            f"{config.branch} and manifest {config.manifest!r}."
        )
