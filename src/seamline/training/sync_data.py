"""The sync branch's data: mouths and sound of genuine talking heads, and pairs that do not belong.

In training every clip is genuine; what does not belong together is made inside a batch, by moving
and exchanging sound. Held-out clips are judged beside copies whose sound is late, early or another
person's, each in the same seconds of mouth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch
from jaxtyping import Float16, Float32, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.clips.cache import CachedClip, read_cache, read_contract
from seamline.clips.contract import CropContract
from seamline.data.mel_augment import hide_mel_channel
from seamline.data.mouth_augment import plain_mouths, vary_mouths
from seamline.models.sync_net import COLUMNS_PER_STEP
from seamline.training.config import TrainConfig
from seamline.training.folds import sample_of, split_cache
from seamline.training.loading import train_batches
from seamline.voice.logmel import log_mel

SHIFTS_STEPS = (5, 10, 20)  # 0.2, 0.4 and 0.8 s
LEAST_STEPS, JUDGED_STEPS = 24, 50  # about 1 to 2 s of a clip are judged


@dataclass(frozen=True)
class SyncEntry:
    """A stretch in which one face is seen at every step, with the sound of the same time."""

    path: str
    source: str
    person: str
    mouths: UInt8[np.ndarray, "step store store"]
    log_mel: Float16[np.ndarray, "mel column"]
    """One column more than `COLUMNS_PER_STEP` a step, as `log_mel` gives."""

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.mouths)


@dataclass(frozen=True)
class Judged:
    """One held-out pairing: which steps of which clip, and whose sound from where."""

    path: str
    source: str
    method: str
    """Empty for the genuine sound; `swapped`, or `late 0.2 s` and the like."""
    person: str
    mouth: SyncEntry
    sound: SyncEntry
    first: int
    sound_first: int
    steps: int


class SyncCrops(Dataset[tuple[Tensor, Tensor]]):
    """Genuine pairs behind random light, framing and channel; item i depends on seed and i."""

    def __init__(
        self, entries: Sequence[SyncEntry], config: TrainConfig, cut: CropContract, *, epoch: int
    ) -> None:
        self._config, self._cut = config, cut
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count
        self._steps = config.sync_steps
        self._sources = _by_source(e for e in entries if e.steps >= self._steps)
        if not self._sources:
            raise ValueError(
                f"The cache holds no face seen for {self._steps} steps with sound. Prepare it "
                "with --mouths, or lower sync_steps."
            )

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
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
        mouth = self._cut.mouth
        assert mouth is not None
        crops = vary_mouths(
            entry.mouths[first : first + self._steps],
            rng,
            stored_margin=mouth.margin,
            size_px=config.mouth_px,
        )
        mel = mel_of(entry, first, self._steps)
        if rng.random() < config.hide_share:
            mel = hide_mel_channel(mel, rng)
        return torch.from_numpy(crops), torch.from_numpy(mel)


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
        return {"inputs": inputs, "label": float(pair.method != ""), "split": self._split}


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
        self.train = sync_entries(parts.train, self.contract)
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


def mel_of(entry: SyncEntry, first: int, steps: int) -> Float32[np.ndarray, "mel column"]:
    """Cut the log-mel of so many steps."""
    columns = slice(first * COLUMNS_PER_STEP, (first + steps) * COLUMNS_PER_STEP + 1)
    return entry.log_mel[:, columns].astype(np.float32)


def sync_entries(clips: Iterable[CachedClip], cut: CropContract) -> list[SyncEntry]:
    """Join each file's windows and keep its longest stretch with one face; fakes are left out.

    With several faces in the picture nobody has noted who speaks: such windows end a stretch.
    """
    files: dict[str, dict[int, list[CachedClip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        if clip.error is None and clip.sample["label"] == "real" and clip.sound is not None:
            files[clip.sample["path"]][clip.window].append(clip)
    entries = []
    for path, windows in files.items():
        stretch = _longest([windows[number] for number in sorted(windows)], cut)
        if stretch is not None:
            mouths, sound = stretch
            mel = log_mel(sound.astype(np.float32) / 32768, cut.mel)
            columns = COLUMNS_PER_STEP * len(mouths) + 1
            sample = sample_of(next(iter(windows.values()))[0])
            entries.append(
                SyncEntry(
                    path=path,
                    source=sample.source,
                    person=sample.person or path,
                    mouths=np.stack([_halved(crop) for crop in mouths]),
                    log_mel=mel[:, :columns].astype(np.float16),
                )
            )
    return entries


def _halved(crop: UInt8[np.ndarray, "store store"]) -> UInt8[np.ndarray, "half half"]:
    side = crop.shape[0] // 2
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)


def _longest(
    windows: Sequence[list[CachedClip]], cut: CropContract
) -> tuple[np.ndarray, np.ndarray] | None:
    runs: list[tuple[list[np.ndarray], list[np.ndarray]]] = []
    ends: tuple[int, int | None] = (-1, None)  # the window and track that a run may go on from
    for clips in windows:
        clip = clips[0]
        if len(clips) > 1 or clip.mouth_strip is None or not clip.speech_seconds:
            ends = (-1, None)
            continue
        assert clip.sound is not None
        sound = np.frombuffer(clip.sound, "<i2")
        each = COLUMNS_PER_STEP * cut.mel.hop_samples
        crops = clip.mouths()
        seen = np.array(clip.mouth_seen)[: len(sound) // each]
        for first, stop in _true_runs(seen):
            joins = first == 0 and runs and ends == (clip.window - 1, clip.track)
            if not joins:
                runs.append(([], []))
            runs[-1][0].append(crops[first:stop])
            runs[-1][1].append(sound[first * each : stop * each])
            ends = (-1, None)
            if stop == len(clip.mouth_seen):
                ends = (clip.window, clip.track)
    if not runs:
        return None
    mouths, sounds = max(runs, key=lambda run: sum(len(part) for part in run[0]))
    return np.concatenate(mouths), np.concatenate(sounds)


def _true_runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def judged_pairs(entries: Sequence[SyncEntry]) -> list[Judged]:
    """Pair each clip of a second or more with its own sound, moved sound and another's sound."""
    long = [entry for entry in entries if entry.steps >= LEAST_STEPS]
    pairs = []
    for index, entry in enumerate(long):
        others = [e for e in long if e.person != entry.person and e.steps >= LEAST_STEPS]
        for shift in (0, *SHIFTS_STEPS):
            steps = min(JUDGED_STEPS, entry.steps - shift)
            if steps < LEAST_STEPS:
                continue
            late = (index % 2) == 0  # the mouth is of later seconds than the sound, or earlier
            first, sound_first = (0, shift) if late else (shift, 0)
            method = f"moved {shift * 0.04:.1f} s" if shift else ""
            pairs.append(_pair(entry, entry, method, first, sound_first, steps))
        if others:
            other = others[(7 * index + 3) % len(others)]
            steps = min(JUDGED_STEPS, entry.steps, other.steps)
            pairs.append(_pair(entry, other, "swapped", 0, 0, steps))
    return pairs


def _pair(
    mouth: SyncEntry, sound: SyncEntry, method: str, first: int, sound_first: int, steps: int
) -> Judged:
    return Judged(
        mouth.path, mouth.source, method, mouth.person, mouth, sound, first, sound_first, steps
    )


def _by_source(entries: Iterable[SyncEntry]) -> dict[str, dict[str, list[SyncEntry]]]:
    grouped: dict[str, dict[str, list[SyncEntry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        grouped[entry.source][entry.person].append(entry)
    return {source: dict(people) for source, people in grouped.items()}
