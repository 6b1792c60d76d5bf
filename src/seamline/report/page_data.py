"""What the report page shows, as plain records: a verdict with its pictures and sounds go in.

The detector's evidence is turned into these records by the caller, so that the page knows
nothing of models and bundles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from seamline.scoring.verdict import Verdict


@dataclass(frozen=True)
class Look:
    """One examined face at one moment."""

    seconds: float
    crop: UInt8[np.ndarray, "height width 3"]
    """The aligned face as the model saw it, RGB."""
    heat: Float[np.ndarray, "rows columns"] | None
    """Probability of manipulation, 0 to 1, for each cell of a grid laid over the crop."""
    fake_probability: float
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels of the full frame."""
    frame: UInt8[np.ndarray, "frame_height frame_width 3"] | None = None
    """A small copy of the whole frame, RGB."""


@dataclass(frozen=True)
class PersonEvidence:
    """The looks at one track; ``track`` is the number that the verdict's people carry."""

    track: int
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class Spectrogram:
    """The voice as a picture over ``[start_seconds, stop_seconds)``, and how it was judged."""

    start_seconds: float
    stop_seconds: float
    log_mel: Float[np.ndarray, "mel time"]
    """Lowest band first."""
    step_probability: Sequence[tuple[float, float, float | None]]
    """(start seconds, stop seconds, probability); None where nothing was judged."""
    low_hz: float | None = None
    high_hz: float | None = None


@dataclass(frozen=True)
class ReportPage:
    """One file's section of the report."""

    verdict: Verdict
    people: tuple[PersonEvidence, ...] = ()
    spectrogram: Spectrogram | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class ModelSummary:
    """The model's card, in the few lines that a reader of one report needs."""

    name: str
    version: str
    sha256: str
    summary_lines: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    """(what was measured, the figure), both as text, in the order of the table."""
