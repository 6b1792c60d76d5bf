"""The picture branch's data: cached faces in, training pairs and whole validation files out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import decode_jpeg, read_contract
from seamline.data.augment import apply_chain, plain_chain
from seamline.training.config import TrainConfig
from seamline.training.folds import read_split
from seamline.training.loading import train_batches
from seamline.training.pairs import PairDataset
from seamline.training.pool import FaceEntry, FacePool, face_entries

MOST_FRAMES = 8  # of one validation file


class FileDataset(Dataset[dict[str, Any]]):
    """Whole files as the runtime would crop them, one an item."""

    def __init__(
        self,
        entries: list[FaceEntry],
        split: str,
        config: TrainConfig,
        *,
        store_margin: float,
        most_frames: int = MOST_FRAMES,
    ) -> None:
        self.entries, self._split = entries, split
        self._config, self._store_margin = config, store_margin
        self._most_frames = most_frames

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self.entries[index]
        count = min(self._most_frames, len(entry.jpegs))
        picked = np.linspace(0, len(entry.jpegs) - 1, count)
        chain = plain_chain(self._config.margin)
        crops = [
            apply_chain(
                decode_jpeg(entry.jpegs[round(i)]),
                chain,
                store_margin=self._store_margin,
                size_px=self._config.scan_px,
            )
            for i in picked
        ]
        inputs = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
        return {"inputs": inputs, "label": float(entry.fake), "split": self._split}


class PictureData(L.LightningDataModule):
    """Reads the cache once; train pairs are drawn anew for each epoch."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        folder = Path(config.cache)
        self.store_margin = read_contract(folder).margin
        parts = read_split(config)
        self.pool = FacePool(face_entries(parts.train))
        self.holdout = face_entries(parts.holdout)
        self.val = face_entries(parts.val)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the pairs of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = PairDataset(self.pool, self.config, store_margin=self.store_margin, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer, items=self.config.batch_size // 2)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one file a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one file a batch."""
        entries = {"holdout": self.holdout, "val": self.val}[split]
        dataset = FileDataset(entries, split, self.config, store_margin=self.store_margin)
        return DataLoader(dataset, batch_size=None)


def clip_faces(config: TrainConfig) -> PictureData:
    """Read the cached faces, those of videos and of the configured sources alone.

    A photograph is no clip: one frame would give its class away. What is left out on purpose
    (`leave_out`) is held out whether or not the config names its source.
    """
    faces = PictureData(config)

    def wanted(entry: FaceEntry, named: bool = True) -> bool:
        sources = config.forged if entry.fake else config.genuine
        return len(entry.jpegs) > 1 and (not named or not sources or entry.source in sources)

    faces.pool = FacePool(entry for entry in faces.pool.entries if wanted(entry))
    faces.holdout = [e for e in faces.holdout if wanted(e, named=not config.leave_out)]
    faces.val = [entry for entry in faces.val if wanted(entry)]
    return faces


def draw_side(
    pool: FacePool, generator: np.random.Generator, config: TrainConfig, fake: bool
) -> FaceEntry:
    """Draw a genuine or a forged entry by the weights of the config."""
    if fake:
        return pool.draw(generator, pool.fake, config.forged)
    return pool.draw(generator, pool.genuine, config.genuine)
