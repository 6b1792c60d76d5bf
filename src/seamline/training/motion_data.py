"""The motion branch's data: cached faces of successive frames in, pairs of maps of change out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import CachedClip, read_contract
from seamline.data.flicker import flicker_blend
from seamline.data.motion_chain import MotionChain, apply_motion_chain, draw_motion_chain
from seamline.faces.flow import MOST_SECONDS, change_maps, pick_centres
from seamline.training.config import TrainConfig
from seamline.training.folds import read_split, sample_of
from seamline.training.loading import train_batches
from seamline.training.pool import FacePool

MOST_MOMENTS = 18  # of one validation file


@dataclass(frozen=True)
class MotionEntry:
    """One track of one file in one unbroken run of frames."""

    path: str
    source: str
    method: str
    person: str
    fake: bool
    seconds: Float[np.ndarray, " time"]
    crops: UInt8[np.ndarray, "time size size"]


class MotionPairs(Dataset[Tensor]):
    """Pairs of a genuine and a forged run, each as maps of change; item i depends on seed and i."""

    def __init__(
        self, pool: FacePool, config: TrainConfig, *, store_margin: float, epoch: int
    ) -> None:
        self._pool, self._config, self._store_margin = pool, config, store_margin
        self._count = config.steps_per_epoch * config.batch_size // 2
        self._first = epoch * self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Float[Tensor, "2 moment 4 size size"]:
        config = self._config
        generator = np.random.default_rng([config.seed, self._first + index])
        if generator.random() < config.self_blend_share or not self._pool.fake:
            entry = self._pool.draw(generator, self._pool.genuine, config.genuine)
            genuine = self._run(entry, generator)
            forged = flicker_blend(genuine, generator, margin=self._store_margin)
        else:
            fake = self._pool.draw(generator, self._pool.fake, config.forged)
            genuine = self._run(self._pool.genuine_for(generator, fake), generator)
            forged = self._run(fake, generator)
        chain = draw_motion_chain(
            generator, margin_range=config.margin_range, h264_share=config.h264_share
        )
        sides = [self._maps(crops, chain) for crops in (genuine, forged)]
        return torch.from_numpy(np.stack(sides))

    def _run(self, entry: Any, generator: np.random.Generator) -> UInt8[np.ndarray, "time s s"]:
        start = int(generator.integers(len(entry.crops) - self._config.motion_frames + 1))
        run: np.ndarray = entry.crops[start : start + self._config.motion_frames]
        return run

    def _maps(
        self, crops: UInt8[np.ndarray, "time s s"], chain: MotionChain
    ) -> Float[np.ndarray, "moment 4 size size"]:
        framed = apply_motion_chain(
            crops, chain, store_margin=self._store_margin, size_px=self._config.size_px
        )
        return change_maps(framed, range(1, len(framed) - 1, 2))


class MotionFiles(Dataset[dict[str, Any]]):
    """Whole runs as a scan sees them, one an item."""

    def __init__(
        self, entries: list[MotionEntry], split: str, config: TrainConfig, *, store_margin: float
    ) -> None:
        self.entries, self._split = entries, split
        self._config, self._store_margin = config, store_margin

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self.entries[index]
        crops = apply_motion_chain(
            entry.crops,
            MotionChain(self._config.margin),
            store_margin=self._store_margin,
            size_px=self._config.size_px,
        )
        maps = change_maps(crops, pick_centres(entry.seconds, MOST_MOMENTS))
        return {
            "inputs": torch.from_numpy(maps), "label": float(entry.fake), "split": self._split,
        }  # fmt: skip


class MotionData(L.LightningDataModule):
    """Reads the cache once; pairs are drawn anew for each epoch."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        folder = Path(config.cache)
        motion = read_contract(folder).motion
        if motion is None:
            raise ValueError(f"The cache {folder} holds no motion. Prepare it with --motion.")
        self.store_margin = motion.margin
        # Photographs and the like have no motion, yet are split too: folds agree between branches.
        parts = read_split(config)
        least = config.motion_frames
        self.pool = FacePool(e for e in motion_entries(parts.train) if len(e.crops) >= least)
        self.holdout = longest_runs(motion_entries(parts.holdout))
        self.val = longest_runs(motion_entries(parts.val))

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the pairs of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = MotionPairs(self.pool, self.config, store_margin=self.store_margin, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer, items=self.config.batch_size // 2)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one file a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one file a batch."""
        entries = {"holdout": self.holdout, "val": self.val}[split]
        dataset = MotionFiles(entries, split, self.config, store_margin=self.store_margin)
        return DataLoader(dataset, batch_size=None)


def motion_entries(clips: Iterable[CachedClip]) -> list[MotionEntry]:
    """Give each clip's runs of frames that follow one another closely."""
    entries = []
    for clip in clips:
        truth = sample_of(clip).picture_truth
        if clip.motion_strip is None or clip.motion_seconds is None or not truth:
            continue
        crops, seconds, sample = clip.motion(), clip.motion_seconds, sample_of(clip)
        edges = np.flatnonzero(np.diff(seconds) > MOST_SECONDS / 2) + 1
        for start, stop in zip([0, *edges], [*edges, len(seconds)], strict=True):
            if stop - start >= 3:
                entries.append(
                    MotionEntry(
                        clip.sample["path"],
                        sample.source,
                        sample.method,
                        sample.person,
                        truth == "fake",
                        seconds[start:stop],
                        crops[start:stop],
                    )
                )
    return entries


def longest_runs(entries: Iterable[MotionEntry]) -> list[MotionEntry]:
    """Keep each file's longest run: a file is judged once."""
    best: dict[str, MotionEntry] = {}
    for entry in entries:
        if entry.path not in best or len(entry.crops) > len(best[entry.path].crops):
            best[entry.path] = entry
    return list(best.values())
