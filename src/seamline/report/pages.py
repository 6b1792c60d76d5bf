"""From a verdict and the detector's evidence to the records that the HTML report shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seamline.report.page_data import (
    Look,
    ModelSummary,
    PersonEvidence,
    ReportPage,
    Spectrogram,
)
from seamline.scoring.verdict import ModelId, Verdict

if TYPE_CHECKING:
    from seamline.scoring.evidence import Evidence, FaceLook, Listened

MOST_COLUMNS = 2400
"""Columns of a spectrogram: more than a page shows, and no hour fills the memory."""


def report_page(verdict: Verdict, evidence: Evidence | None) -> ReportPage:
    """Gives one file's section; without evidence (an unreadable file) it has words only."""
    size_bytes = os.path.getsize(verdict.path) if os.path.isfile(verdict.path) else None
    if evidence is None:
        return ReportPage(verdict, size_bytes=size_bytes)
    people = tuple(
        PersonEvidence(p.track, tuple(_look(one) for one in evidence.looks if one.track == p.track))
        for p in verdict.people
    )
    return ReportPage(verdict, people, _spectrogram(evidence.sound), size_bytes)


def _look(look: FaceLook) -> Look:
    x0, y0, x1, y1 = (float(side) for side in look.box)
    return Look(look.seconds, look.crop, look.heat, look.fake_probability, (x0, y0, x1, y1))


def _spectrogram(sound: Sequence[Listened]) -> Spectrogram | None:
    """Lays the examined stretches on one even grid of time; what lies between stays silent."""
    parts = [part for part in sound if part.log_mel.shape[1] > 0]
    if not parts:
        return None
    start, stop = parts[0].start_seconds, max(part.stop_seconds for part in parts)
    rate = parts[0].log_mel.shape[1] / (parts[0].stop_seconds - parts[0].start_seconds)
    columns = max(1, min(MOST_COLUMNS, round((stop - start) * rate)))
    quietest = min(float(part.log_mel.min()) for part in parts)
    grid = np.full((parts[0].log_mel.shape[0], columns), quietest, np.float32)
    for part in parts:
        length = part.log_mel.shape[1]
        moments = part.start_seconds + (np.arange(length) + 0.5) / length * (
            part.stop_seconds - part.start_seconds
        )
        places = ((moments - start) / (stop - start) * columns).astype(int).clip(0, columns - 1)
        for column, place in enumerate(places):
            np.maximum(grid[:, place], part.log_mel[:, column], out=grid[:, place])
    return Spectrogram(start, stop, grid, list(_steps(parts)))


def _steps(parts: Iterable[Listened]) -> Iterable[tuple[float, float, float | None]]:
    reached = None
    for part in parts:
        if reached is not None and part.start_seconds > reached:
            yield reached, part.start_seconds, None
        reached = part.stop_seconds
        if part.step_probabilities is None:
            yield part.start_seconds, part.stop_seconds, None
            continue
        for index, chance in enumerate(part.step_probabilities):
            begin = part.start_seconds + index * part.step_seconds
            if begin < part.stop_seconds:
                yield begin, min(begin + part.step_seconds, part.stop_seconds), float(chance)


def model_summary(model: ModelId, summary: dict[str, Any]) -> ModelSummary:
    """Takes what a reader of one report needs from a bundle's summary."""

    def lines(key: str) -> tuple[str, ...]:
        found = summary.get(key, ())
        return (found,) if isinstance(found, str) else tuple(str(line) for line in found)

    figures = summary.get("figures", {})
    pairs = figures.items() if isinstance(figures, dict) else figures
    return ModelSummary(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        summary_lines=lines("line"),
        trained_on=lines("trained_on"),
        limits=lines("limits"),
        figures=tuple((str(name), str(value)) for name, value in pairs),
    )
