"""Splices for the voice branch: a stretch of another clip, or of the clip's own copy, laid in.

A loss on a clip's mean never asks a network to tell one second from the next; one on the steps of
spliced clips does (as CutMix does in pictures, Yun et al., ICCV 2019).
"""

from __future__ import annotations

import zlib
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Float32, Int16
from torch import Tensor
from torch.nn import functional as F

from seamline.data.copy_synthesis import VOCODERS, Vocoder, find_vocoder, has_vocoder
from seamline.data.forge_voice import copy_span, splice
from seamline.models.voice_cnn import level_bands
from seamline.training.vocoders import RATE_HZ as VOCODER_RATE_HZ
from seamline.training.vocoders import Vocoders

Samples = Float32[np.ndarray, " sample"]

LEAST_COLUMNS = 24
"""Of the stretch, 10 ms each; it may reach beyond the clip's end."""
RANGE_NATS = 12.0
LEAST_COPY_SECONDS = 0.25
INT16_MOST = 32767.0
NO_COPY_SHARE, WHOLE_COPY_SHARE = 0.15, 0.1


def splice_clips(
    mel: Float[Tensor, "batch mel time"],
    labels: Float[Tensor, " batch"],
    columns_per_step: int,
) -> tuple[Float[Tensor, "batch mel time"], Float[Tensor, "batch step"]]:
    """Lay a stretch of another clip of the batch into each, as loud; gives each step's truth.

    The truth of a step is the share of its columns that are fake. Draws from torch's generator.
    """
    count, _, columns = mel.shape
    if columns <= LEAST_COLUMNS + columns_per_step:
        raise ValueError(
            f"Clips of {columns} columns are too short to splice; sound_seconds must give more "
            f"than {LEAST_COLUMNS + columns_per_step}."
        )
    other = torch.randperm(count, device=mel.device)
    start = torch.rand(count, 1, device=mel.device) * (columns - columns_per_step)
    length = LEAST_COLUMNS + torch.rand(count, 1, device=mel.device) * (columns - LEAST_COLUMNS)
    place = torch.arange(columns, device=mel.device)
    inside = (place >= start) & (place < start + length)
    level = level_bands(mel, RANGE_NATS)
    spliced = torch.where(inside[:, None], level[other], level)
    truth = torch.where(inside, labels[other][:, None], labels[:, None])
    return spliced, step_truth(truth, columns_per_step)


def step_truth(
    columns: Float[Tensor, "batch time"], columns_per_step: int
) -> Float[Tensor, "batch step"]:
    """Give the share of each step's columns that are fake."""
    return F.avg_pool1d(
        columns[:, None], columns_per_step, ceil_mode=True, count_include_pad=False
    ).squeeze(1)


class Copies:
    """Recordings resynthesised whole, each by one vocoder when it is first asked for, and kept.

    A vocoder takes longer than a training step. What a copy is depends on the seed and the
    recording's name alone. ``networks`` (a folder of scripts/train_vocoders.py) count beside WORLD
    and Griffin-Lim as one vocoder each.
    """

    def __init__(self, seed: int, sample_rate_hz: int, networks: str = "") -> None:
        self._seed, self._rate = seed, sample_rate_hz
        self._vocoders: list[tuple[str, Vocoder]] = [
            (name, find_vocoder(name)) for name in VOCODERS if has_vocoder(name)
        ]
        if networks:
            read = Vocoders.read(networks)
            self._vocoders += [
                (f"network-{place}", partial(_by_network, read, place))
                for place in range(len(read))
            ]
        self._made: dict[str, Int16[np.ndarray, " sample"]] = {}

    def of(self, name: str, samples: Samples) -> Samples:
        """Give the copy of a recording, as long and as loud as it."""
        if name not in self._made:
            generator = np.random.default_rng([self._seed, zlib.crc32(name.encode())])
            vocoder = self._vocoders[self._place(name)][1]
            copied = copy_span(samples, 0, len(samples), generator, self._rate, vocoder)
            self._made[name] = np.round(copied * INT16_MOST).astype(np.int16)
        return self._made[name].astype(np.float32) / INT16_MOST

    def maker(self, name: str) -> str:
        """Name what makes the copy of a recording: a vocoder of `forge_voice`, or `network-N`."""
        return self._vocoders[self._place(name)][0]

    def _place(self, name: str) -> int:
        return zlib.crc32(name.encode()) % len(self._vocoders)


def _by_network(
    networks: Vocoders, place: int, samples: Samples, rng: np.random.Generator, rate: int
) -> Samples:
    if rate != VOCODER_RATE_HZ:
        raise ValueError(f"Vocoders copy sound at {VOCODER_RATE_HZ} Hz, not at {rate} Hz.")
    return networks.copy(samples, rng, place)


def splice_own_copy(
    samples: Samples, copied: Samples, generator: np.random.Generator, sample_rate_hz: int
) -> tuple[Samples, tuple[int, int]]:
    """Lay a stretch of speech's copy into it, as `seamline forge` does; gives its ends in samples.

    The same voice says the same words on both sides of the seam, so that only the vocoder tells
    them apart. Some clips stay as they are (the stretch is empty), some are resynthesised whole.
    """
    count, least = len(samples), round(LEAST_COPY_SECONDS * sample_rate_hz)
    kind = generator.random()
    if kind < NO_COPY_SHARE or count < least:
        return samples.copy(), (0, 0)
    start, stop = 0, count
    if kind > NO_COPY_SHARE + WHOLE_COPY_SHARE:
        length = int(generator.integers(least, count + 1))
        place = int(generator.integers(least // 2 - length, count - least // 2))
        start, stop = max(0, place), min(count, place + length)
    spliced, _ = splice(
        samples,
        [(start / sample_rate_hz, stop / sample_rate_hz)],
        lambda first, last: copied[first:last],
        sample_rate_hz,
    )
    return spliced, (start, stop)
