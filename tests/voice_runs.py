"""Configs of short runs of voice networks on made-up caches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cache_factory import write_cache
from seamline.models.build import ModelConfig
from seamline.training.config import TrainConfig


def voice_config(folder: Path, kind: str, **changes: Any) -> TrainConfig:
    """A run of two steps of a voice network on a made-up cache."""
    return TrainConfig(
        name="voice",
        branch="voice",
        model=ModelConfig(kind=kind),
        cache=str(write_cache(folder / "cache", sound=True)),
        out=str(folder / "runs"),
        epochs=1,
        steps_per_epoch=2,
        batch_size=4,
        warmup_steps=1,
        hide_share=0.0,
        pool_sharpness=0.0,
        folds=3,
        threads=1,
        **changes,
    )
