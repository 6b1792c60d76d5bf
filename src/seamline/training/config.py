"""What a training run is: a frozen record, read from YAML and overridden key by key."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml


@dataclass(frozen=True)
class TrainConfig:
    """One branch's training; a bundle is exported from the runs of its branches."""

    name: str = "unnamed"
    """Name of the run; its folder is `out/name`."""
    branch: str = "picture"
    """`picture` or `voice`."""
    cache: str = "cache/research"
    """Clip cache made by `seamline prepare`."""
    out: str = "runs"
    """Folder for run folders."""
    seed: int = 0
    """Seed of weights and of every draw; item i of a run is the same on every machine."""
    threads: int = 0
    """CPU threads; 0 lets torch choose."""

    epochs: int = 10
    """Epochs; a checkpoint is written after each."""
    steps_per_epoch: int = 300
    """Optimiser steps an epoch."""
    batch_size: int = 32
    """Items a step; pictures come in pairs, so it is even there."""
    learning_rate: float = 3e-4
    """Peak learning rate of AdamW."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    warmup_steps: int = 100
    """Steps of linear warm-up before the cosine decay to a hundredth."""
    gradient_clip: float = 1.0
    """Largest gradient norm."""
    ema_decay: float = 0.998
    """Decay of the averaged weights, which are the ones validated and exported; 0 for none."""

    validate_every_epochs: int = 1
    """Epochs between validations on the held-out fold and val."""
    holdout_fold: int = 0
    """Which of `folds` identity-disjoint folds of the training split is kept for calibration."""
    folds: int = 7
    """Number of folds; 0 trains on all and cannot calibrate."""

    size_px: int = 160
    """Side of the crops."""
    margin: float = 1.3
    """Margin of the crops at scan time; training jitters it by `margin_range`."""
    margin_range: tuple[float, float] = (1.05, 1.5)
    """Margins drawn in training."""
    margin_limit: dict[str, float] = field(default_factory=dict)
    """Largest margin of sources whose pictures end near the face; beyond it lies the border."""
    initial: str = "imagenet"
    """`imagenet`, `random`, or the folder of a finished run to go on from."""
    frozen_stages: int = 0
    """Stages of the trunk, stem included, kept as they start: saves their costly backward pass."""
    train_norms: bool = False
    """Whether batch norms go on adapting; frozen ones train a third faster on CPUs."""
    mask_weight: float = 0.5
    """Weight of the mask loss beside the classification loss."""
    self_blend_share: float = 0.5
    """Share of pairs that are a genuine crop and its self-blend; the rest are forged clips."""
    genuine: dict[str, float] = field(default_factory=dict)
    """Weight of each source as a giver of genuine faces to self-blend; empty: all alike."""
    forged: dict[str, float] = field(default_factory=dict)
    """Weight of each source as a giver of forged-and-genuine pairs; empty: all alike."""
    pool_sharpness: float = 1.0
    """Sharpness of the log-mean-exp over time; 0 is the mean."""
    sound_seconds: tuple[float, float] = (1.0, 2.4)
    """Range of lengths of the voice branch's random crops."""

    def __post_init__(self) -> None:
        if self.branch not in ("picture", "voice"):
            raise ValueError(f"branch is {self.branch!r}; known: picture, voice.")
        if self.initial not in ("imagenet", "random") and not Path(self.initial).is_dir():
            raise ValueError(
                f"initial is {self.initial!r}; known: imagenet, random, or the folder of a run."
            )
        if self.branch == "picture" and self.batch_size % 2:
            raise ValueError(
                f"batch_size {self.batch_size} is odd, but branch picture needs pairs."
            )
        if self.folds and not 0 <= self.holdout_fold < self.folds:
            raise ValueError(f"holdout_fold {self.holdout_fold} is not below folds {self.folds}.")
        if self.margin_range[0] > self.margin_range[1]:
            raise ValueError(f"margin_range {self.margin_range} falls.")

    @property
    def run_folder(self) -> Path:
        """Where checkpoints, logs and the bundle of this run go."""
        return Path(self.out) / self.name


def read_config(path: str | Path, overrides: list[str] | None = None) -> TrainConfig:
    """Read a YAML file and apply ``key=value`` overrides; unknown keys name the known ones."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold `key: value` lines, found {type(values).__name__}.")
    values.setdefault("name", Path(path).stem)
    for override in overrides or []:
        key, sign, text = override.partition("=")
        if not sign:
            raise ValueError(f"--set takes key=value, got {override!r}.")
        values[key] = yaml.safe_load(text)
    return make_config(values)


def make_config(values: dict[str, Any]) -> TrainConfig:
    """Build the config, checking names and types."""
    hints = get_type_hints(TrainConfig)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(f"Unknown key {', '.join(unknown)}. Known keys: {', '.join(hints)}.")
    return TrainConfig(**{key: _cast(key, value, hints[key]) for key, value in values.items()})


def config_json(config: TrainConfig) -> dict[str, Any]:
    """The config as plain values, to lie beside a checkpoint."""
    return dataclasses.asdict(config)


def _cast(key: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or len(value) != len(get_args(hint)):
            raise ValueError(f"{key} takes {len(get_args(hint))} numbers, got {value!r}.")
        return tuple(kind(v) for kind, v in zip(get_args(hint), value, strict=True))
    if get_origin(hint) is dict:
        return {str(k): float(v) for k, v in (value or {}).items()}
    if hint is float and isinstance(value, str):  # YAML reads 3e-4 as text
        value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint):
        raise ValueError(f"{key} takes {hint.__name__}, got {value!r}.")
    return value
