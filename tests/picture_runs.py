"""Configures a small picture run over a cache of made-up faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cache_factory import write_cache
from seamline.training.config import TrainConfig


def small_picture(folder: Path, *, people: int = 6, **changes: Any) -> TrainConfig:
    """Two epochs of two steps on crops of 64 px, in ``folder``."""
    settings: dict[str, Any] = {
        "name": "picture", "branch": "picture", "out": str(folder / "runs"),
        "cache": str(write_cache(folder / "cache", people=people)),
        "epochs": 2, "steps_per_epoch": 2, "batch_size": 4, "warmup_steps": 1, "size_px": 64,
        "initial": "random", "train_norms": True, "folds": 3, "ema_decay": 0.5, "threads": 1,
    }  # fmt: skip
    return TrainConfig(**(settings | changes))
