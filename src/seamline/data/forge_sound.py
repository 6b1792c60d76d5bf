"""Forges a clip's sound in one kind: genuine samples in; samples and exact segments out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from seamline.data.copy_synthesis import find_vocoder
from seamline.data.forge_kinds import ForgeSettings, Kind
from seamline.data.forge_spans import Span
from seamline.data.forge_sync import draw_shift, other_sound, shift_sound
from seamline.data.forge_voice import copy_span, copy_voice, splice
from seamline.media.audio import read_audio

RATE_HZ = 16000

Samples = Float32[np.ndarray, " sample"]
Donor = Callable[[np.random.Generator], "tuple[str, Samples] | None"]
"""Gives another clip's path and sound; None where there is none."""


class NothingToForge(Exception):
    """A draw met nothing to forge in this clip; the text says what was missing."""


@dataclass
class ForgedSound:
    """The sound to write, and what was done to it."""

    samples: Samples | None
    segments: list[dict[str, object]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    shift_seconds: float | None = None
    donor: str = ""
    """Where a swapped sound came from."""


def forge_sound(
    kind: Kind,
    samples: Samples | None,
    spans: Sequence[Span] | None,
    generator: np.random.Generator,
    settings: ForgeSettings,
    donor: Donor,
) -> ForgedSound:
    """Shift or swap, then resynthesise what the kind asks for: all of it, or only ``spans``.

    Raises `NothingToForge` where no other clip gives a sound.
    """
    if samples is None or not kind.changes_sound:
        return ForgedSound(samples)
    made, moved = _part(kind, samples, generator, settings, donor)
    vocoder = find_vocoder(settings.vocoder)
    forged = [(0.0, len(samples) / RATE_HZ)]
    if spans is not None:
        made.samples, forged = splice(
            samples,
            spans,
            lambda start, stop: (
                copy_span(moved, start, stop, generator, RATE_HZ, vocoder)
                if kind.voice
                else moved[start:stop]
            ),
            RATE_HZ,
        )
    elif kind.voice:
        made.samples = copy_voice(moved, generator, RATE_HZ, vocoder)
    if kind.voice:
        made.methods.insert(0, settings.vocoder)
    modalities = ["audio"] * kind.voice + ["sync"] * bool(kind.sync)
    made.segments = [segment(name, None, span) for name in modalities for span in forged]
    return made


def read_sound(path: Path, notes: list[str]) -> Samples:
    """Read a clip's sound at 16 kHz from 0 s on; raises `UnreadableMedia`."""
    sound = next(read_audio(path, sample_rate_hz=RATE_HZ, warnings=notes))
    start = round(sound.start_seconds * RATE_HZ)
    placed = np.pad(sound.samples[max(0, -start) :], (max(0, start), 0))
    return placed.astype(np.float32, copy=False)


def segment(modality: str, track: int | None, span: Span) -> dict[str, object]:
    """Give one forged span in the words of a verdict's segments."""
    return {
        "modality": modality,
        "track": track,
        "start_seconds": span[0],
        "stop_seconds": span[1],
    }


def _part(
    kind: Kind,
    samples: Samples,
    generator: np.random.Generator,
    settings: ForgeSettings,
    donor: Donor,
) -> tuple[ForgedSound, Samples]:
    """Shift or swap the whole sound, as the kind asks."""
    if kind.sync == "sync":
        shift = settings.shift_seconds
        if shift is None:
            shift = draw_shift(len(samples) / RATE_HZ, generator)
        moved = shift_sound(samples, shift, RATE_HZ)
        return ForgedSound(moved, [], [f"sound shifted by {shift:+g} s"], shift), moved
    if kind.sync == "swap":
        found = donor(generator)
        if found is None:
            raise NothingToForge("no other clip with a sound to take")
        source, donated = found
        moved = other_sound(samples, donated, generator, RATE_HZ)
        return ForgedSound(moved, [], ["sound of another clip"], donor=source), moved
    return ForgedSound(samples), samples
