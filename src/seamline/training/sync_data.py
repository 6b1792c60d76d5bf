"""The sync branch's data: mouths and sound of genuine talking heads behind random channels.

In training every clip is genuine; what does not belong together is made inside a batch, by moving
and exchanging sound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import read_cache, read_contract
from seamline.clips.contract import CropContract
from seamline.data.mel_augment import hide_mel_channel
from seamline.data.mouth_augment import plain_mouths, vary_mouths
from seamline.training.config import TrainConfig
from seamline.training.folds import split_cache
from seamline.training.loading import train_batches
from seamline.training.sync_lag import laid_together
from seamline.training.sync_pairs import Judged, SyncEntry, judged_pairs, mel_of, sync_entries


class SyncCrops(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Genuine pairs behind random light, framing and channel; item i depends on seed and i.

    An item is a mouth, a longer stretch of sound, and the step of sound at which the mouth starts.
    """

    def __init__(
        self, entries: Sequence[SyncEntry], config: TrainConfig, cut: CropContract, *, epoch: int
    ) -> None:
        self._config, self._cut = config, cut
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count
        self._steps = config.sync_steps + config.sync_slack
        self._sources = _by_source(e for e in entries if e.steps >= self._steps)
        if not self._sources:
            raise ValueError(
                f"The cache holds no face seen for {self._steps} steps with sound. Prepare it "
                "with --mouths, or lower sync_steps or sync_slack."
            )

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        config = self._config
        rng = np.random.default_rng([config.seed, self._first + index])
        names = list(self._sources)
        weights = np.array([config.genuine.get(name, 1.0) for name in names])
        people = self._sources[str(rng.choice(names, p=weights / weights.sum()))]
        # A person counts by the root of their clips: neither one presenter nor one clip dominates.
        chance = np.sqrt([len(entries) for entries in people.values()])
        entries = people[list(people)[rng.choice(len(people), p=chance / chance.sum())]]
        entry = entries[int(rng.integers(len(entries)))]
        first = int(rng.integers(entry.steps - self._steps + 1))
        ahead = int(rng.integers(config.sync_slack + 1))
        mouth = self._cut.mouth
        assert mouth is not None
        crops = vary_mouths(
            entry.mouths[first + ahead : first + ahead + config.sync_steps],
            rng,
            stored_margin=mouth.margin,
            size_px=config.mouth_px,
        )
        mel = mel_of(entry, first, self._steps)
        if rng.random() < config.hide_share:
            mel = hide_mel_channel(mel, rng)
        return torch.from_numpy(crops), torch.from_numpy(mel), torch.tensor(ahead)


class JudgedPairs(Dataset[dict[str, Any]]):
    """Held-out pairings, one an item."""

    def __init__(
        self, entries: list[Judged], split: str, config: TrainConfig, cut: CropContract
    ) -> None:
        self.entries, self._split, self._config, self._cut = entries, split, config, cut

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair, mouth = self.entries[index], self._cut.mouth
        assert mouth is not None
        crops = plain_mouths(
            pair.mouth.mouths[pair.first : pair.first + pair.steps],
            stored_margin=mouth.margin,
            size_px=self._config.mouth_px,
        )
        mel = mel_of(pair.sound, pair.sound_first, pair.steps)
        inputs = (torch.from_numpy(crops), torch.from_numpy(mel))
        return {"inputs": inputs, "label": float(pair.fake), "split": self._split}


class SyncData(L.LightningDataModule):
    """Reads mouths and sound of one or more caches once; pairs are drawn anew for each epoch."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        folders = [Path(folder) for folder in config.cache.split(",")]
        self.contract = read_contract(folders[0])
        if self.contract.mouth is None:
            raise ValueError(f"The cache {folders[0]} holds no mouths. Prepare it with --mouths.")
        for other in folders[1:]:
            self.contract.require(read_contract(other), mine=str(folders[0]), theirs=str(other))
        clips = (clip for folder in folders for clip in read_cache(folder))
        parts = split_cache(clips, config.folds, config.holdout_fold, by=config.fold_by)
        shortest = config.sync_steps + config.sync_slack
        self.train = sync_entries(parts.train, self.contract, least_steps=shortest)
        if config.sync_teacher:
            self.train = laid_together(self.train, config.sync_teacher, self.contract)
        self.judged = {
            "holdout": judged_pairs(sync_entries(parts.holdout, self.contract)),
            "val": judged_pairs(sync_entries(parts.val, self.contract)),
        }

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the genuine pairs of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = SyncCrops(self.train, self.config, self.contract, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one pairing a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one pairing a batch."""
        dataset = JudgedPairs(self.judged[split], split, self.config, self.contract)
        return DataLoader(dataset, batch_size=None)


def _by_source(entries: Iterable[SyncEntry]) -> dict[str, dict[str, list[SyncEntry]]]:
    grouped: dict[str, dict[str, list[SyncEntry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        grouped[entry.source][entry.person].append(entry)
    return {source: dict(people) for source, people in grouped.items()}
