"""Data of clips over time: the tokens of a frozen frame encoder, made once, a clip an item.

A clip is the first frames of a file's face track: the paper's clipping, at the cache's frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import decode_jpeg
from seamline.data.augment import apply_chain, plain_chain
from seamline.data.temporal_blend import temporal_self_blend
from seamline.models.clip_models import ClipClassifier
from seamline.training.config import TrainConfig
from seamline.training.frame_data import to_tensor
from seamline.training.loading import train_batches
from seamline.training.pairs import at_work
from seamline.training.paper_modules import ClipItem, padded
from seamline.training.picture_data import clip_faces, draw_side
from seamline.training.pool import FaceEntry, FacePool


def clip_frames(
    entry: FaceEntry, config: TrainConfig, *, store_margin: float
) -> Float[Tensor, "time 3 size size"]:
    """Cut the first frames of an entry as the runtime would."""
    chain = plain_chain(config.margin)
    crops = [
        apply_chain(decode_jpeg(data), chain, store_margin=store_margin, size_px=config.size_px)
        for data in entry.jpegs[: config.clip_frames]
    ]
    return torch.stack([to_tensor(crop) for crop in crops])


def blended_frames(
    entry: FaceEntry,
    config: TrainConfig,
    generator: np.random.Generator,
    *,
    store_margin: float,
) -> Float[Tensor, "time 3 size size"]:
    """Cut the first frames of a genuine entry with a self-blend that drifts or flickers."""
    frames = [
        at_work(entry, index, config, store_margin=store_margin)
        for index in range(min(config.clip_frames, len(entry.jpegs)))
    ]
    crops, marks = (np.stack(parts) for parts in zip(*frames, strict=True))
    fakes = temporal_self_blend(crops, marks, generator).fakes
    chain = plain_chain(config.margin)
    framed = [
        apply_chain(fake, chain, store_margin=store_margin, size_px=config.size_px)
        for fake in fakes
    ]
    return torch.stack([to_tensor(crop) for crop in framed])


@torch.no_grad()
def encode(
    model: ClipClassifier, frames: Float[Tensor, "time 3 size size"]
) -> Float[Tensor, "time dim"]:
    """Turn frames into tokens by the frozen encoder."""
    tokens: Tensor = model.tokens(frames[None])[0]
    return tokens


class TokenClips(Dataset[tuple[ClipItem, Tensor]]):
    """Item i depends on the seed and i alone; odd items are forged."""

    def __init__(
        self, pool: FacePool, tokens: dict[int, Tensor], config: TrainConfig, *, epoch: int
    ) -> None:
        self._pool, self._tokens, self._config = pool, tokens, config
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[ClipItem, Tensor]:
        generator = np.random.default_rng([self._config.seed, self._first + index])
        fake, config = index % 2, self._config
        entry = draw_side(self._pool, generator, config, bool(fake))
        return padded(self._tokens[id(entry)], config.clip_frames), torch.tensor(float(fake))


class TokenFiles(Dataset[dict[str, Any]]):
    """Whole clips, one an item."""

    def __init__(
        self, entries: list[FaceEntry], tokens: dict[int, Tensor], split: str, length: int
    ) -> None:
        self.entries, self._tokens = entries, tokens
        self._split, self._length = split, length

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self.entries[index]
        inputs = padded(self._tokens[id(entry)], self._length)
        return {"inputs": inputs, "label": float(entry.fake), "split": self._split}


class ClipData(L.LightningDataModule):
    """Encodes every clip of the configured sources once, then deals in tokens."""

    def __init__(self, config: TrainConfig, model: ClipClassifier) -> None:
        super().__init__()
        self.config = config
        faces = clip_faces(config)
        self.pool = faces.pool
        self.sets = {"holdout": faces.holdout, "val": faces.val}
        # Entries beside their tokens, not under their ids, which another process would not know.
        self.encoded: list[tuple[FaceEntry, Tensor]] = []
        model.eval()
        margin = faces.store_margin
        for entry in [*self.pool.entries, *faces.holdout, *faces.val]:
            frames = clip_frames(entry, config, store_margin=margin)
            self.encoded.append((entry, encode(model, frames)))
        if config.blended_clips:
            forged = self._blend(model, margin)
            self.pool = FacePool([*self.pool.entries, *forged])

    def _blend(self, model: ClipClassifier, store_margin: float) -> list[FaceEntry]:
        """Add temporal self-blends of the genuine training clips, as fakes of their sources."""
        made = []
        genuine = [entry for entry in self.pool.entries if not entry.fake]
        for index, entry in enumerate(genuine * self.config.blended_clips):
            generator = np.random.default_rng([self.config.seed, index])
            frames = blended_frames(entry, self.config, generator, store_margin=store_margin)
            forged = replace(entry, fake=True, method="temporal self-blend")
            self.encoded.append((forged, encode(model, frames)))
            made.append(forged)
        return made

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the clips of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = TokenClips(self.pool, by_entry(self.encoded), self.config, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one clip a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one clip a batch."""
        tokens = by_entry(self.encoded)
        dataset = TokenFiles(self.sets[split], tokens, split, self.config.clip_frames)
        return DataLoader(dataset, batch_size=None)


def by_entry(encoded: Iterable[tuple[Any, Tensor]]) -> dict[int, Tensor]:
    """Index tokens by their entry's identity."""
    return {id(entry): tokens for entry, tokens in encoded}
