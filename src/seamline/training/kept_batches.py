"""Keeps training batches in a folder: what is slow to make is drawn once and met several times.

A batch of voices takes a few seconds where copies are synthesised, as long as several steps of a
small network. So the first ``kept_batches`` batches of a run are written as they are drawn, and
every later pass meets them in another order; samples are cut a little later each time, so that
no column of a log-mel is met twice. Runs whose recipes draw alike can share a folder, which holds
its recipe beside the batches.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from seamline.training.voice_splices import INT16_MOST
from seamline.voice.logmel import LogMelSettings, log_mel

RECIPE = "recipe.json"


class KeptBatches(Dataset[tuple[Tensor, Tensor]]):
    """Item i is the i-th batch of an epoch: sound and labels, or labels of every column."""

    def __init__(
        self,
        folder: Path,
        draw: Callable[[int], tuple[Tensor, Tensor]],
        *,
        count: int,
        steps: int,
        epoch: int,
        seed: int,
        mel: LogMelSettings | None,
    ) -> None:
        """``draw`` makes batch n of the run; ``count`` of them are kept and met again.

        Samples become log-mels by ``mel``; without it they stay samples.
        """
        self._folder, self._draw, self._count = folder, draw, count
        self._steps, self._first, self._seed = steps, epoch * steps, seed
        self._mel = mel

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        step = self._first + index
        turn, place = divmod(step, self._count)
        order = np.random.default_rng([self._seed, 4, turn]).permutation(self._count)
        samples, labels = self._kept(int(order[place]) if turn else place)
        if self._mel is None:
            return samples, labels
        hop = self._mel.hop_samples
        late = int(np.random.default_rng([self._seed, 5, step]).integers(hop))
        mels = np.stack([log_mel(each, self._mel) for each in samples[:, late:].numpy()])
        return torch.from_numpy(mels), labels[:, : mels.shape[2]] if labels.ndim == 2 else labels

    def _kept(self, number: int) -> tuple[Tensor, Tensor]:
        path = self._folder / f"{number:06d}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                return (
                    torch.from_numpy(kept["samples"].astype(np.float32) / INT16_MOST),
                    torch.from_numpy(kept["labels"].astype(np.float32)),
                )
        samples, labels = self._draw(number)
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = np.round(samples.clamp(-1.0, 1.0).numpy() * INT16_MOST).astype(np.int16)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            np.savez(file, samples=whole, labels=labels.numpy())
        unfinished.replace(path)
        return samples, labels


def claim_folder(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Write what a folder's batches are drawn by, or raise `ValueError` where it says otherwise."""
    path = folder / RECIPE
    wanted = json.loads(json.dumps(recipe))
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted, indent=2) + "\n")
        return
    found = json.loads(path.read_text())
    other = [key for key in wanted if found.get(key) != wanted[key]]
    if other:
        told = "; ".join(f"{key} {found.get(key)!r}, not {wanted[key]!r}" for key in other)
        raise ValueError(f"{folder} keeps batches drawn with {told}. Name another folder (`keep`).")
