"""What lies on a time axis, ready to be drawn: the senses' lanes, and the voice's spectrogram."""

from __future__ import annotations

from dataclasses import dataclass

from seamline.report.lanes import (
    MOST_CELLS,
    Axis,
    Lane,
    Step,
    Tick,
    draw_lane,
    join_steps,
    steps_of,
    ticks,
)
from seamline.report.page_data import Spectrogram
from seamline.report.pictures import jpeg_uri, spectrogram_picture
from seamline.report.words import SENSE_NAMES, SENSES, interval, percent, seconds_text
from seamline.scoring.verdict import Verdict


@dataclass(frozen=True)
class TimelineView:
    """All lanes on one axis, and the same numbers as a table."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    cell: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class SpectrogramView:
    """The picture of the voice with the strip of probabilities under it."""

    uri: str
    description: str
    lane: Lane
    ticks: tuple[Tick, ...]
    bands: str | None


def _timeline_stop(verdict: Verdict) -> float:
    """Where the axis ends: the file's duration, or where its scores end if that is unknown."""
    line = verdict.timeline
    cells = max(len(line.video), len(line.audio), len(line.sync))
    duration = verdict.media.get("duration_seconds") or 0.0
    stops = [segment.stop_seconds for segment in verdict.segments]
    return max([duration or cells * line.step_seconds, *stops])


def sense_steps(verdict: Verdict) -> dict[str, list[Step]]:
    """Each sense's steps over the whole file; empty for a photo, which has no time."""
    line, stop = verdict.timeline, _timeline_stop(verdict)
    values = {sense: getattr(line, sense) for sense in SENSES}
    longest = max(len(several) for several in values.values())
    unmoving = longest == 1 and not verdict.media.get("duration_seconds")
    if longest == 0 or stop <= 0 or unmoving:
        return {}
    even = {
        sense: tuple(several) + (None,) * (longest - len(several))
        for sense, several in values.items()
    }
    return {sense: steps_of(several, line.step_seconds, stop) for sense, several in even.items()}


def view_timeline(verdict: Verdict) -> TimelineView | None:
    """Lays out the three senses over the file; None where there is no time to show."""
    steps = sense_steps(verdict)
    if not steps:
        return None
    axis = Axis(0.0, _timeline_stop(verdict))
    joined = max(1, -(-len(steps["video"]) // MOST_CELLS))
    shown = {sense: join_steps(several, joined) for sense, several in steps.items()}
    lanes = tuple(
        draw_lane(SENSE_NAMES[sense], shown[sense], _segments_of(verdict, sense), axis)
        for sense in SENSES
    )
    width = seconds_text(joined * verdict.timeline.step_seconds)
    cell = f"Each bar is {width}" + (" and shows the highest in it." if joined > 1 else ".")
    rows = []
    for together in zip(*shown.values(), strict=True):
        figures = tuple("not examined" if p is None else percent(p) for *_, p in together)
        rows.append((interval(*together[0][:2]), figures))
    names = tuple(SENSE_NAMES[sense] for sense in SENSES)
    return TimelineView(lanes, ticks(axis), cell, names, tuple(rows))


def _segments_of(verdict: Verdict, sense: str) -> list[tuple[float, float, float]]:
    return [
        (segment.start_seconds, segment.stop_seconds, segment.fake_probability)
        for segment in verdict.segments
        if segment.modality == sense
    ]


def view_spectrogram(spectrogram: Spectrogram | None) -> SpectrogramView | None:
    """Draws the spectrogram and lays out its strip of probabilities."""
    if spectrogram is None or not spectrogram.log_mel.size:
        return None
    start, stop = spectrogram.start_seconds, spectrogram.stop_seconds
    if stop <= start:
        raise ValueError(f"A spectrogram needs stop after start, not {start} s to {stop} s.")
    axis = Axis(start, stop)
    bands = None
    if spectrogram.low_hz is not None and spectrogram.high_hz is not None:
        bands = f"{spectrogram.low_hz:.0f} to {spectrogram.high_hz:.0f}\u00a0Hz, mel scale"
    lane = draw_lane("Voice", spectrogram.step_probability, [], axis)
    uri = jpeg_uri(spectrogram_picture(spectrogram.log_mel))
    description = f"Spectrogram of the sound from {interval(start, stop)}"
    return SpectrogramView(uri, description, lane, ticks(axis), bands)
