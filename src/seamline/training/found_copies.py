"""Copies that a manifest has beside their originals: voice entries in, aligned pairs out.

A demonstration of a codec or vocoder often holds the recording that it says again. The same voice
says the same words in both, so that nothing but the system tells them apart; `voice_splices` lays
stretches of the copy into the recording.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32

from seamline.training.voice_entries import VoiceEntry
from seamline.voice.logmel import LogMelSettings, log_mel

Samples = Float32[np.ndarray, " sample"]

MOST_LAG_SECONDS = 0.15
"""Codecs and vocoders delay speech by less; what is later was said anew."""
LEAST_CORRELATION = 0.7
"""Of the band levels over time: conversion to another voice and re-enacted speech lie below."""
LEAST_SECONDS = 0.8
RANGE_NATS = 9.0


@dataclass(frozen=True)
class Pair:
    """Genuine speech and its copy: as long, as loud, and sample for sample at the same place."""

    genuine: Samples
    copied: Samples
    paths: tuple[str, ...] = ()
    """Of the genuine recording and of its copy, in their manifest."""


class FoundCopies:
    """All pairs of a collection's entries, drawn by system so that no system dominates."""

    def __init__(self, entries: Sequence[VoiceEntry], mel: LogMelSettings) -> None:
        self._systems: dict[tuple[str, str], list[Pair]] = defaultdict(list)
        genuine = {
            name: entry
            for entry in entries
            if not entry.fake
            for name in (os.path.normpath(entry.path), entry.original)
            if name
        }
        for copy in entries:
            original = genuine.get(copy.original) if copy.fake and copy.original else None
            pair = align(original.samples, copy.samples, mel) if original else None
            if original and pair:
                named = replace(pair, paths=(original.path, copy.path))
                self._systems[copy.source, copy.method].append(named)

    def __len__(self) -> int:
        return sum(len(pairs) for pairs in self._systems.values())

    def draw(self, generator: np.random.Generator) -> Pair:
        """Draw a pair; a system counts by the root of its size."""
        systems = list(self._systems.values())
        chance = np.sqrt([len(pairs) for pairs in systems])
        pairs = systems[int(generator.choice(len(systems), p=chance / chance.sum()))]
        return pairs[int(generator.integers(len(pairs)))]


def align(
    genuine: Float[np.ndarray, " sample"],
    copied: Float[np.ndarray, " other"],
    mel: LogMelSettings,
) -> Pair | None:
    """Bring a copy to its original's place and loudness; None where it does not follow it.

    Their band levels are correlated at lags of whole columns of the log-mel.
    """
    hop = mel.hop_samples
    ours, theirs = (_levels(sound, mel) for sound in (genuine, copied))
    most = round(MOST_LAG_SECONDS * mel.sample_rate_hz / hop)
    likeness = {lag: _likeness(ours, theirs, lag) for lag in range(-most, most + 1)}
    lag = max(likeness, key=likeness.__getitem__)
    if likeness[lag] < LEAST_CORRELATION:
        return None
    first, second = max(0, -lag) * hop, max(0, lag) * hop
    length = min(len(genuine) - first, len(copied) - second)
    if length < LEAST_SECONDS * mel.sample_rate_hz:
        return None
    ours, theirs = genuine[first : first + length], copied[second : second + length]
    loud = [float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) for sound in (ours, theirs)]
    as_loud = np.clip(theirs * (loud[0] / max(loud[1], 1e-6)), -1, 1)
    return Pair(ours.astype(np.float32), as_loud.astype(np.float32))


def _levels(sound: Float[np.ndarray, " sample"], mel: LogMelSettings) -> np.ndarray:
    bands = log_mel(sound.astype(np.float32), mel)
    return np.maximum(bands, bands.max() - RANGE_NATS)


def _likeness(ours: np.ndarray, theirs: np.ndarray, lag: int) -> float:
    """Correlate what is left of two log-mels when each band's mean is gone."""
    ours, theirs = ours[:, max(0, -lag) :], theirs[:, max(0, lag) :]
    columns = min(ours.shape[1], theirs.shape[1])
    if columns < 2:
        return 0.0
    a, b = (x[:, :columns] - x[:, :columns].mean(axis=1, keepdims=True) for x in (ours, theirs))
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else 0.0
