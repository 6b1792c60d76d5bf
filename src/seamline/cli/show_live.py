"""A live moment as one line for a terminal, readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seamline.report.words import clock, percent

if TYPE_CHECKING:
    from seamline.scoring.verdict import SenseScore
    from seamline.watch.watch import Moment

_LABELS = {
    "real": "real", "fake_video": "FAKE PICTURE", "fake_audio": "FAKE VOICE",
    "fake_both": "FAKE BOTH", "inconclusive": "inconclusive", None: "unreadable",
}  # fmt: skip


def live_line(moment: Moment) -> str:
    """Say when, what and how sure, by which sense, and whether the judge keeps up."""
    verdict = moment.verdict
    people = len(verdict.people)
    faces = "1 face" if people == 1 else f"{people} faces"
    parts = [
        f"{clock(moment.stop_seconds):>6}",
        f"{_LABELS[verdict.label]:<12}",
        f"picture {_chance(verdict.video)}",
        f"voice {_chance(verdict.audio)}",
        faces,
    ]
    if moment.frames_dropped:
        parts.append(f"{moment.frames_dropped} frames dropped")
    if moment.lag_seconds >= 1:
        parts.append(f"{moment.lag_seconds:.0f} s behind")
    return "  ".join(parts)


def _chance(score: SenseScore) -> str:
    return "   –" if score.fake_probability is None else percent(score.fake_probability).rjust(4)
