"""Data of the frame autoencoders: single frames, genuine and forged in turn, with their label.

Faces come from the clip cache; whole pictures are decoded from the videos of a manifest and
brought to 1920×1080, since no cache holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import decode_jpeg
from seamline.data.augment import apply_chain, plain_chain
from seamline.data.manifest import Sample, read_manifest
from seamline.data.splits import folds_by_identity
from seamline.media.video import stream_frames
from seamline.training.config import TrainConfig
from seamline.training.folds import FOLD_SEED
from seamline.training.loading import train_batches
from seamline.training.picture_data import FileDataset, clip_faces, draw_side
from seamline.training.pool import FacePool

FILE_FRAMES = 4  # of one file in validation
WHOLE_PX = (1920, 1080)
WHOLE_STEP_SECONDS = 0.5
WHOLE_FRAMES = 2  # of a file: the start of each of its first half seconds


class FaceFrames(Dataset[tuple[Tensor, Tensor]]):
    """Item i depends on the seed and i alone; odd items are forged."""

    def __init__(
        self, pool: FacePool, config: TrainConfig, *, store_margin: float, epoch: int
    ) -> None:
        self._pool, self._config, self._store_margin = pool, config, store_margin
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng([self._config.seed, self._first + index])
        fake, config = index % 2, self._config
        entry = draw_side(self._pool, generator, config, bool(fake))
        crop = apply_chain(
            decode_jpeg(entry.jpegs[int(generator.integers(len(entry.jpegs)))]),
            plain_chain(config.margin),
            store_margin=self._store_margin,
            size_px=config.size_px,
        )
        if generator.random() < 0.5:
            crop = crop[:, ::-1]
        return to_tensor(crop), torch.tensor(float(fake))


class FaceFrameData(L.LightningDataModule):
    """Single frames of the videos of the configured sources."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config, self.faces = config, clip_faces(config)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the frames of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        margin = self.faces.store_margin
        dataset = FaceFrames(self.faces.pool, self.config, store_margin=margin, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold and the val split, one file a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one file a batch."""
        entries = {"holdout": self.faces.holdout, "val": self.faces.val}[split]
        dataset = FileDataset(
            entries,
            split,
            self.config,
            store_margin=self.faces.store_margin,
            most_frames=FILE_FRAMES,
        )
        return DataLoader(dataset, batch_size=None)


@dataclass(frozen=True)
class WholeEntry:
    """One video of which whole frames are taken."""

    path: str
    source: str
    method: str
    person: str
    fake: bool
    file: Path

    def frames(self) -> list[UInt8[np.ndarray, "1080 1920 3"]]:
        """Decode the first frames and bring them to 1920×1080."""
        stop = WHOLE_FRAMES * WHOLE_STEP_SECONDS
        found = stream_frames(
            self.file, step_seconds=WHOLE_STEP_SECONDS, spans=[(0.0, stop)], threads=1
        )
        return [cv2.resize(f.rgb, WHOLE_PX, interpolation=cv2.INTER_LINEAR) for f in found]


class WholeFrames(Dataset[tuple[Tensor, Tensor]]):
    """Item i depends on the seed and i alone; odd items are forged."""

    def __init__(self, entries: list[WholeEntry], config: TrainConfig, *, epoch: int) -> None:
        self._sides = [[entry for entry in entries if entry.fake is fake] for fake in (False, True)]
        if not all(self._sides):
            raise ValueError("The manifest's training videos are all of one class.")
        self._seed = config.seed
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng([self._seed, self._first + index])
        fake = index % 2
        entries = self._sides[fake]
        frames = entries[int(generator.integers(len(entries)))].frames()
        frame = frames[int(generator.integers(len(frames)))]
        return to_tensor(frame), torch.tensor(float(fake))


class WholeFiles(Dataset[dict[str, Any]]):
    """The first frame of each file, one file an item."""

    def __init__(self, entries: list[WholeEntry], split: str) -> None:
        self.entries, self._split = entries, split

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self.entries[index]
        inputs = to_tensor(entry.frames()[0])[None]
        return {"inputs": inputs, "label": float(entry.fake), "split": self._split}


class WholeFrameData(L.LightningDataModule):
    """The videos of a manifest, split as the cache is."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        samples = [s for s in read_manifest(config.manifest) if s.kind == "video"]
        samples = [sample for sample in samples if sample.picture_truth]
        train = [sample for sample in samples if sample.split == "train"]
        numbers = [-1] * len(train)
        if config.folds:
            numbers = folds_by_identity(train, config.folds, np.random.default_rng(FOLD_SEED))
        kept = [n != config.holdout_fold for n in numbers]
        self.train = _entries([s for s, keep in zip(train, kept, strict=True) if keep])
        held = _entries([s for s, keep in zip(train, kept, strict=True) if not keep])
        val = _entries([sample for sample in samples if sample.split == "val"])
        self.sets = {"holdout": held, "val": val}

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the frames of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = WholeFrames(self.train, self.config, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold and the val split, one file a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one file a batch."""
        return DataLoader(WholeFiles(self.sets[split], split), batch_size=None)


def to_tensor(rgb: UInt8[np.ndarray, "height width 3"]) -> Float[Tensor, "3 height width"]:
    """Turn pixels into what the networks read: RGB in 0..255, channels first."""
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float()


def _entries(samples: Sequence[Sample]) -> list[WholeEntry]:
    return [
        WholeEntry(s.path, s.source, s.method, s.person, s.picture_truth == "fake", s.file)
        for s in samples
    ]
