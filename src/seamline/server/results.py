"""One job's work, in a worker: an upload in; a verdict, a report page and evidence files out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seamline.report.html import write_report
from seamline.report.looks import choose_looks, peak_of_heat
from seamline.report.page_data import Look, ModelSummary, ReportPage
from seamline.report.pages import report_page
from seamline.report.pictures import heat_layer, png_bytes
from seamline.scale.examine import Outcome
from seamline.scoring.verdict import Verdict

if TYPE_CHECKING:
    from seamline.scoring.evidence import Evidence

MOST_PEOPLE = 6
HIGHEST_LOOKS, SPREAD_LOOKS = 3, 5


@dataclass(frozen=True)
class Order:
    """One attempt at a job, as a worker gets it."""

    claim: str
    media: Path
    part: Path
    """The folder that is made for what the attempt writes."""
    name: str
    """What the sender calls the file: shown in the verdict and the report, never opened."""
    references: tuple[tuple[Path, str], ...]
    """Genuine footage to judge against: where it lies, and its sender's name for it."""
    keep_files: bool


def named(verdict: Verdict, name: str) -> Verdict:
    """Gives the verdict under the sender's name of the file instead of our path."""
    return replace(verdict, path=name)


def write_results(order: Order, outcome: Outcome, model: ModelSummary) -> None:
    """Writes ``report.html``, ``evidence.json`` and the looks' pictures."""
    order.part.mkdir(parents=True, exist_ok=True, mode=0o700)
    page = report_page(outcome.verdict, outcome.evidence)
    shown = replace(page, verdict=named(outcome.verdict, order.name))
    write_report(order.part / "report.html", [shown], model=model)
    looks = _write_looks(order.part / "looks", page)
    found = {**_frame_size(outcome.verdict), "faces": _faces(outcome.evidence), "looks": looks}
    (order.part / "evidence.json").write_text(json.dumps(found, allow_nan=False))


def _frame_size(verdict: Verdict) -> dict[str, int | None]:
    video = verdict.media["video"] or {}
    return {"width": video.get("width"), "height": video.get("height")}


def _faces(evidence: Evidence | None) -> list[dict[str, Any]]:
    """One entry a track: when it was seen, where, and how it scored."""
    tracks: dict[int, dict[str, Any]] = {}
    for seen in evidence.faces if evidence is not None else ():
        row = tracks.setdefault(
            seen.track, {"track": seen.track, "seconds": [], "boxes": [], "fake_probability": []}
        )
        row["seconds"] += np.round(seen.seconds.astype(float), 3).tolist()
        row["boxes"] += np.round(seen.boxes.astype(float), 1).tolist()
        row["fake_probability"] += np.round(seen.fake_probabilities.astype(float), 4).tolist()
    return [tracks[track] for track in sorted(tracks)]


def _write_looks(folder: Path, page: ReportPage) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    order = {person.track: -(person.fake_probability or 0.0) for person in page.verdict.people}
    people = sorted(page.people, key=lambda one: order.get(one.track, 0.0))[:MOST_PEOPLE]
    for person in people:
        for look, _ in choose_looks(person.looks, HIGHEST_LOOKS, SPREAD_LOOKS):
            _write_pictures(folder / str(len(rows)), look)
            heat = look.heat
            peak = None if heat is None or not heat.size else peak_of_heat(heat)
            rows.append(
                {
                    "track": person.track,
                    "seconds": round(look.seconds, 3),
                    "fake_probability": round(look.fake_probability, 4),
                    "has_heat": peak is not None,
                    "heat_peak": peak,
                }
            )
    return rows


def _write_pictures(folder: Path, look: Look) -> None:
    folder.mkdir(parents=True)
    (folder / "face.png").write_bytes(png_bytes(look.crop))
    if look.heat is not None and look.heat.size:
        height, width = look.crop.shape[:2]
        (folder / "heat.png").write_bytes(png_bytes(heat_layer(look.heat, (width, height))))
