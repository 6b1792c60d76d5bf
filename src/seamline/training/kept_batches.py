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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from seamline.training.voice_splices import INT16_MOST
from seamline.voice.logmel import LogMelSettings, log_mel

RECIPE = "recipe.json"
LEAST_ROWS = 4


@dataclass(frozen=True)
class Drawn:
    """A batch as it is drawn: sound, its labels, and the names of what each row is made of."""

    samples: Tensor
    labels: Tensor
    names: Sequence[tuple[str, ...]]


class KeptBatches(Dataset[tuple[Tensor, Tensor]]):
    """Item i is the i-th batch of an epoch: sound and labels, or labels of every column."""

    def __init__(
        self,
        folder: Path,
        draw: Callable[[int], Drawn],
        *,
        count: int,
        steps: int,
        epoch: int,
        seed: int,
        mel: LogMelSettings | None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """``draw`` makes batch n of the run; ``count`` of them are kept and met again.

        Samples become log-mels by ``mel``; without it they stay samples. Rows that are made of
        something ``without`` names are left out, so that runs which leave out different things
        share one folder.
        """
        self._without = without
        self._folder, self._draw, self._count = folder, draw, count
        self._steps, self._first, self._seed = steps, epoch * steps, seed
        self._mel = mel

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        step = self._first + index
        turn, place = divmod(step, self._count)
        order = np.random.default_rng([self._seed, 4, turn]).permutation(self._count)
        number = int(order[place]) if turn else place
        samples, labels = self._kept(number)
        if self._without:
            rows = self._rows(number, len(labels))
            samples, labels = samples[rows], labels[rows]
        if self._mel is None:
            return samples, labels
        hop = self._mel.hop_samples
        late = int(np.random.default_rng([self._seed, 5, step]).integers(hop))
        mels = np.stack([log_mel(each, self._mel) for each in samples[:, late:].numpy()])
        return torch.from_numpy(mels), labels[:, : mels.shape[2]] if labels.ndim == 2 else labels

    def _rows(self, number: int, count: int) -> list[int]:
        """Give the rows of a batch that are made of nothing left out."""
        path = self._folder / f"{number:06d}.json"
        if not path.exists():
            raise FileNotFoundError(
                f"leave_out needs {path}, which tells what batch {number} was drawn from, and "
                "there is no such file: the batch was drawn by an earlier version. Name another "
                "folder (`keep`)."
            )
        names = json.loads(path.read_text())
        rows = [row for row in range(count) if self._without.isdisjoint(names[row])]
        if len(rows) < LEAST_ROWS:
            raise ValueError(
                f"leave_out leaves {len(rows)} of {count} rows of batch {number}; at least "
                f"{LEAST_ROWS} are needed. Leave out less, or draw larger batches."
            )
        return rows

    def _kept(self, number: int) -> tuple[Tensor, Tensor]:
        path = self._folder / f"{number:06d}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                return (
                    torch.from_numpy(kept["samples"].astype(np.float32) / INT16_MOST),
                    torch.from_numpy(kept["labels"].astype(np.float32)),
                )
        drawn = self._draw(number)
        samples, labels = drawn.samples, drawn.labels
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = np.round(samples.clamp(-1.0, 1.0).numpy() * INT16_MOST).astype(np.int16)
        path.with_suffix(".json").write_text(json.dumps(drawn.names))
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
