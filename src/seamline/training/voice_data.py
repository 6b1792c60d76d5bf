"""The voice branch's data: cached sound in, log-mel crops behind random channels out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import read_contract
from seamline.clips.contract import CropContract
from seamline.data.copy_synthesis import Samples
from seamline.data.noise_suppression import suppress_noise
from seamline.data.voice_augment import ChannelSettings, griffin_lim_copy, hide_channel, random_crop
from seamline.training.config import TrainConfig
from seamline.training.folds import left_out, read_caches, split_read
from seamline.training.found_copies import FoundCopies, Pair
from seamline.training.kept_batches import Drawn, KeptBatches, claim_folder
from seamline.training.loading import train_batches
from seamline.training.voice_entries import VoiceEntry, voice_entries
from seamline.training.voice_splices import Copies, splice_own_copy
from seamline.voice.logmel import log_mel

IN_STEP = ChannelSettings(speed=0.0, codec=0.3)
"""A channel that moves nothing (a codec by no more than a few columns)."""
DRAWN_BY = (
    "cache", "extra_cache", "batch_size", "sound_seconds", "hide_share", "suppress_share",
    "copy_share", "own_copy_share", "vocoders",
)  # fmt: skip
"""What kept batches depend on, beside the seed: runs of several seeds may share them."""
FOUND_SHARE = 0.5
"""Of the copies of genuine speech, where the collection has some of its own."""


class VoiceCrops(Dataset[tuple[Tensor, Tensor]]):
    """Item i depends on the seed and i alone; items of one batch share a length."""

    def __init__(
        self,
        entries: list[VoiceEntry],
        config: TrainConfig,
        contract: CropContract,
        copies: Copies,
        found: FoundCopies,
        *,
        epoch: int,
    ) -> None:
        self._config, self._mel, self._copies, self._found = config, contract.mel, copies, found
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count
        self._sides = [_by_source(e for e in entries if e.fake is fake) for fake in (False, True)]
        if not all(self._sides):
            raise ValueError("The cache holds sound of only one class; check the manifest.")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        number = self._first + index
        generator = np.random.default_rng([self._config.seed, number])
        if self._config.own_copy_share and self._is_of_own_copies(number):
            return self._own_copy(number, generator)
        entry, copied = self._drawn(number, generator)
        crop = random_crop(entry.samples, generator, self._length(number))
        if copied:
            crop = griffin_lim_copy(crop, generator, self._mel.sample_rate_hz)
        crop = self._cleaned(crop, generator)
        if generator.random() < self._config.hide_share:
            crop = hide_channel(crop, generator)
        return self._input(crop, number), torch.tensor(float(number % 2))

    def drawn_from(self, index: int) -> tuple[str, ...]:
        """Name what item ``index`` is made of: paths, and ``made:VOCODER`` for a copy made here."""
        number = self._first + index
        generator = np.random.default_rng([self._config.seed, number])
        if not (self._config.own_copy_share and self._is_of_own_copies(number)):
            entry, copied = self._drawn(number, generator)
            return (entry.path, "made:griffin-lim") if copied else (entry.path,)
        drawn = self._recording(generator)
        if isinstance(drawn, Pair):
            return drawn.paths
        return drawn.path, f"made:{self._copies.maker(drawn.path)}"

    def _drawn(self, number: int, generator: np.random.Generator) -> tuple[VoiceEntry, bool]:
        """Draw a recording, and whether it is genuine and shall be copied."""
        fake = number % 2
        copied = fake == 1 and generator.random() < self._config.copy_share
        return self._entry(0 if copied else fake, generator), copied

    def _is_of_own_copies(self, number: int) -> bool:
        batch = number // self._config.batch_size
        draw = np.random.default_rng([self._config.seed, 2, batch]).random()
        return bool(draw < self._config.own_copy_share)

    def _own_copy(self, number: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Genuine speech with a resynthesised stretch, and which of its columns are forged."""
        rate, hop = self._mel.sample_rate_hz, self._mel.hop_samples
        genuine, whole, length = *self._pair(generator), self._length(number)
        place = generator.bit_generator.state
        crop = random_crop(genuine, generator, length)
        generator.bit_generator.state = place  # the copy is cut where its original is
        copied = random_crop(whole, generator, length)
        spliced, (start, stop) = splice_own_copy(crop, copied, generator, rate)
        spliced = self._cleaned(spliced, generator)
        hides = self._config.vocoders or self._config.kept_batches
        if hides and generator.random() < self._config.hide_share:
            spliced = hide_channel(spliced, generator, IN_STEP)
        centre = torch.arange(self._mel.frames(length)) * hop
        return self._input(spliced, number), ((centre >= start) & (centre < stop)).float()

    def _pair(self, generator: np.random.Generator) -> tuple[Samples, Samples]:
        """Genuine speech and what says it again: a copy of the collection's, or one made here."""
        drawn = self._recording(generator)
        if isinstance(drawn, Pair):
            return drawn.genuine, drawn.copied
        return drawn.samples, self._copies.of(drawn.path, drawn.samples)

    def _recording(self, generator: np.random.Generator) -> Pair | VoiceEntry:
        if len(self._found) and generator.random() < FOUND_SHARE:
            return self._found.draw(generator)
        return self._entry(0, generator)

    def _cleaned(self, crop: Samples, generator: np.random.Generator) -> Samples:
        share = self._config.suppress_share
        if not share or generator.random() >= share:
            return crop
        return suppress_noise(crop, generator, self._mel.sample_rate_hz)

    def _entry(self, fake: int, generator: np.random.Generator) -> VoiceEntry:
        sources = self._sides[fake]
        # A source counts by the root of its size: neither one maker nor one studio dominates.
        chance = np.sqrt([len(entries) for entries in sources.values()])
        picked = sources[list(sources)[generator.choice(len(sources), p=chance / chance.sum())]]
        return picked[int(generator.integers(len(picked)))]

    def _input(self, crop: Samples, number: int) -> Tensor:
        """Give what the network reads, or samples to be kept, as long as all of its batch."""
        length = self._length(number)
        if self._config.reads_samples or self._config.kept_batches:
            whole = np.pad(crop[:length], (0, max(0, length - len(crop))))
            return torch.from_numpy(np.ascontiguousarray(whole))
        return torch.from_numpy(log_mel(crop, self._mel)[:, : self._mel.frames(length)])

    def _length(self, number: int) -> int:
        batch = number // self._config.batch_size
        seconds = np.random.default_rng([self._config.seed, 1, batch]).uniform(
            *self._config.sound_seconds
        )
        return int(seconds * self._mel.sample_rate_hz)


class WholeSounds(Dataset[dict[str, Any]]):
    """Whole files, one an item."""

    def __init__(
        self, entries: list[VoiceEntry], split: str, contract: CropContract, *, samples: bool
    ) -> None:
        self.entries, self._split, self._mel = entries, split, contract.mel
        self._samples = samples

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self.entries[index]
        sound = entry.samples if self._samples else log_mel(entry.samples, self._mel)
        inputs = torch.from_numpy(np.ascontiguousarray(sound))
        return {"inputs": inputs, "label": float(entry.fake), "split": self._split}


class VoiceData(L.LightningDataModule):
    """Reads the sound of a cache once; crops are drawn anew for each epoch."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        folder = Path(config.cache)
        self.contract = read_contract(folder)
        self.copies = Copies(config.seed, self.contract.mel.sample_rate_hz, config.vocoders)
        read = read_caches(config)
        parts = split_read(config, *read)
        self.train = voice_entries(parts.train)
        self.without: frozenset[str] = frozenset()
        if config.leave_out and config.kept_batches:
            # Kept batches are drawn from everything; rows of what is left out are skipped.
            everything = split_read(replace(config, leave_out=""), *read).train
            trained = {entry.path: entry for entry in self.train}
            others = [clip for clip in everything if clip.sample["path"] not in trained]
            left = {entry.path: entry for entry in voice_entries(others)}
            self.without = left_out(config, set(left))
            known = {**trained, **left}
            paths = dict.fromkeys(clip.sample["path"] for clip in everything)
            self.train = [known[path] for path in paths if path in known]
        self.holdout = voice_entries(parts.holdout)
        self.val = voice_entries(parts.val)

    @cached_property
    def found(self) -> FoundCopies:
        """The collection's own copies: made when first drawn from, as kept batches need none."""
        return FoundCopies(self.train if self.config.own_copy_share else [], self.contract.mel)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the crops of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        if self.config.kept_batches:
            workers = self.config.workers
            return DataLoader(self._kept(epoch), batch_size=None, num_workers=workers)
        return train_batches(self._crops(epoch), self.config, self.trainer)

    def _crops(self, epoch: int) -> VoiceCrops:
        return VoiceCrops(
            self.train, self.config, self.contract, self.copies, self.found, epoch=epoch
        )

    def _kept(self, epoch: int) -> KeptBatches:
        size, steps = self.config.batch_size, self.config.steps_per_epoch
        claim_folder(Path(self.config.keep), {k: getattr(self.config, k) for k in DRAWN_BY})

        def draw(number: int) -> Drawn:
            crops, first = self._crops(number // steps), number % steps * size
            items = [crops[first + place] for place in range(size)]
            names = [crops.drawn_from(first + place) for place in range(size)]
            sound, labels = (torch.stack([item[part] for item in items]) for part in (0, 1))
            return Drawn(sound, labels, names)

        return KeptBatches(
            Path(self.config.keep),
            draw,
            count=self.config.kept_batches,
            steps=steps,
            epoch=epoch,
            seed=self.config.seed,
            mel=None if self.config.reads_samples else self.contract.mel,
            without=self.without,
        )

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one file a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one file a batch."""
        entries = {"holdout": self.holdout, "val": self.val}[split]
        dataset = WholeSounds(entries, split, self.contract, samples=self.config.reads_samples)
        return DataLoader(dataset, batch_size=None)


def _by_source(entries: Iterable[VoiceEntry]) -> dict[str, list[VoiceEntry]]:
    grouped: dict[str, list[VoiceEntry]] = defaultdict(list)
    for entry in entries:
        grouped[entry.source].append(entry)
    return dict(grouped)
