"""From all looks at a face to the few that the page shows, as pictures with captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from seamline.report.page_data import Look, PersonEvidence
from seamline.report.pictures import (
    CROP_PX,
    FRAME_PX,
    jpeg_uri,
    mark_box,
    overlay_heat,
    shrunk,
)
from seamline.report.words import clock, interval, likelihood, percent, person_name
from seamline.scoring.verdict import Person


@dataclass(frozen=True)
class LookView:
    """One look, as addresses of pictures and texts."""

    time: str
    probability: str
    why_shown: str
    box: str
    crop_uri: str
    crop_px: tuple[int, int]
    heat_uri: str | None
    heat_peak: str | None
    frame_uri: str | None
    boxed: bool


@dataclass(frozen=True)
class PersonView:
    """One track with its looks; ``note`` says how many looks were left out."""

    name: str
    when: str | None
    probability: str | None
    note: str
    looks: tuple[LookView, ...]


def choose_looks(looks: Sequence[Look], highest: int, spread: int) -> list[tuple[Look, str]]:
    """Takes the ``highest`` scoring looks and ``spread`` more evenly over the rest, in time order.

    Only the highest would hide that a face scored low most of the time; only an even choice
    could miss the second that made the verdict. Each comes with the reason for its choice,
    empty where all are shown.
    """
    in_time = sorted(looks, key=lambda look: look.seconds)
    by_score = sorted(
        range(len(in_time)), key=lambda i: (-in_time[i].fake_probability, in_time[i].seconds)
    )
    top = set(by_score[:highest])
    rest = [i for i in range(len(in_time)) if i not in top]
    if len(rest) <= spread:
        return [(look, "") for look in in_time]
    count = spread
    # The middles of `count` equal parts of the rest.
    even = {rest[(2 * k + 1) * len(rest) // (2 * count)] for k in range(count)}
    return [
        (in_time[i], "one of the highest" if i in top else "evenly chosen over time")
        for i in sorted(top | even)
    ]


def view_person(
    evidence: PersonEvidence,
    person: Person | None,
    media: Mapping[str, Any],
    *,
    highest: int,
    spread: int,
) -> PersonView:
    """One track as the page shows it; ``person`` is the verdict's entry for the same track."""
    chosen = choose_looks(evidence.looks, highest, spread)
    frame_width_px = (media.get("video") or {}).get("width")
    note = f"{len(chosen)} of {len(evidence.looks)} examined looks are shown, in order of time."
    if person is not None and person.fake_probability is None:
        note = "This face was seen, but not judged: it has no figures."
    when = probability = None
    if person is not None:
        when = interval(person.start_seconds, person.stop_seconds)
        if person.fake_probability is not None:
            probability = percent(person.fake_probability)
    looks = tuple(_view_look(look, why, frame_width_px) for look, why in chosen)
    return PersonView(person_name(evidence.track), when, probability, note, looks)


def _view_look(look: Look, why_shown: str, frame_width_px: int | None) -> LookView:
    crop = shrunk(look.crop, CROP_PX)
    heat_uri = heat_peak = None
    if look.heat is not None and look.heat.size:
        heat_uri = jpeg_uri(overlay_heat(crop, look.heat))
        heat_peak = peak_of_heat(look.heat)
    frame_uri = None
    boxed = look.frame is not None and bool(frame_width_px)
    if look.frame is not None:
        frame = shrunk(look.frame, FRAME_PX)
        if frame_width_px:
            frame = mark_box(frame, look.box, frame.shape[1] / frame_width_px)
        frame_uri = jpeg_uri(frame)
    x0, y0, x1, y1 = (round(value) for value in look.box)
    return LookView(
        time=clock(look.seconds),
        probability=f"{percent(look.fake_probability)}, {likelihood(look.fake_probability)}",
        why_shown=why_shown,
        box=f"x {x0} to {x1}, y {y0} to {y1} px",
        crop_uri=jpeg_uri(crop),
        crop_px=(crop.shape[1], crop.shape[0]),
        heat_uri=heat_uri,
        heat_peak=heat_peak,
        frame_uri=frame_uri,
        boxed=boxed,
    )


def peak_of_heat(heat: Float[np.ndarray, "rows columns"]) -> str:
    """How high the heat rises and where, in words, as the viewer sees the picture.

    Below even odds the place is mere noise, and not told.
    """
    highest = float(heat.max())
    if highest < 0.5:
        return f"highest only {percent(highest)}"
    rows, columns = heat.shape
    row, column = divmod(int(heat.argmax()), columns)
    down = ("top", "middle", "bottom")[min(3 * (2 * row + 1) // (2 * rows), 2)]
    across = ("left", "centre", "right")[min(3 * (2 * column + 1) // (2 * columns), 2)]
    place = "centre" if (down, across) == ("middle", "centre") else f"{down} {across}"
    return f"highest {percent(highest)}, {place}"
