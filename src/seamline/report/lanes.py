"""Time becomes geometry: cells, brackets and ticks at percentages of a lane's width.

Percentages, not a view box, so that a lane fills any screen while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seamline.report.words import clock, interval, percent

MOST_CELLS = 240
LEAST_GAP_SECONDS = 0.05
_MINUTE = 60.0
_HOUR = 3600.0
_TICK_STEPS = (
    *(0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 4, 12)),
)
_MOST_TICKS = 6
_LABEL_ROWS = 3
# A label's width is judged on a narrow phone: lanes 300 px wide, digits 6.5 px.
_PERCENT_PER_CHARACTER = 100 * 6.5 / 300

Step = tuple[float, float, float | None]
"""Start and stop in seconds, and the probability, None where not examined."""


@dataclass(frozen=True)
class Axis:
    """The time shown, ``[start_seconds, stop_seconds)``, stop after start."""

    start_seconds: float
    stop_seconds: float

    def at(self, seconds: float) -> float:
        """The percentage of the width at which a time lies, kept inside the axis."""
        share = (seconds - self.start_seconds) / (self.stop_seconds - self.start_seconds)
        return 100.0 * min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class Tick:
    """A labelled time; ``anchor`` is SVG's text-anchor."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Bar:
    """One cell of a lane; ``level`` (0 to 4) names its colour, None means not examined."""

    x: float
    width: float
    height: float
    level: int | None
    title: str


@dataclass(frozen=True)
class Bracket:
    """A segment under a lane; without ``label`` where there is no room for one."""

    x0: float
    x1: float
    row: int
    label: str | None
    label_x: float
    anchor: str
    title: str


@dataclass(frozen=True)
class Lane:
    """One sense over time, ready to be drawn."""

    name: str
    bars: tuple[Bar, ...]
    brackets: tuple[Bracket, ...]
    rows: int
    description: str


def ticks(axis: Axis) -> tuple[Tick, ...]:
    """Round times along the axis, few enough for a phone; one without room has no label."""
    length = axis.stop_seconds - axis.start_seconds
    step = next((step for step in _TICK_STEPS if length / step <= _MOST_TICKS), length / 4)
    found: list[Tick] = []
    end = -1.0
    for count in range(-int(-axis.start_seconds // step), 10**6):
        seconds = count * step
        if seconds > axis.stop_seconds + 1e-9:
            break
        x, label = axis.at(seconds), clock(seconds)
        left, right, anchor = _span_of_text(x, label)
        found.append(Tick(x, label if left >= end else "", anchor))
        end = max(end, right if left >= end else end)
    return tuple(found)


def _span_of_text(x: float, text: str) -> tuple[float, float, str]:
    """(left, right, SVG's text-anchor) of a text that is centred at ``x`` or kept inside."""
    width = len(text) * _PERCENT_PER_CHARACTER
    if x < width / 2:
        return x, x + width, "start"
    if x > 100 - width / 2:
        return x - width, x, "end"
    return x - width / 2, x + width / 2, "middle"


def steps_of(
    values: Sequence[float | None], step_seconds: float, stop_seconds: float
) -> list[Step]:
    """A timeline's values as steps up to ``stop_seconds``, where the file ends."""
    steps: list[Step] = []
    for index, value in enumerate(values):
        start = index * step_seconds
        if start < stop_seconds:
            steps.append((start, min(start + step_seconds, stop_seconds), value))
    covered = steps[-1][1] if steps else 0.0
    if covered < stop_seconds:
        steps.append((covered, stop_seconds, None))
    return steps


def join_steps(steps: Sequence[Step], joined: int) -> list[Step]:
    """Joins each ``joined`` neighbours into one step with the highest of their values."""
    return [
        (
            steps[first][0],
            steps[min(first + joined, len(steps)) - 1][1],
            max((p for *_, p in steps[first : first + joined] if p is not None), default=None),
        )
        for first in range(0, len(steps), joined)
    ]


def merge_unexamined(steps: Sequence[Step]) -> list[Step]:
    """Joins neighbours that were not examined, so that each gap is one step."""
    merged: list[Step] = []
    for start, stop, value in steps:
        if value is None and merged and merged[-1][2] is None:
            merged[-1] = (merged[-1][0], stop, None)
        else:
            merged.append((start, stop, value))
    return merged


def gaps(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """The intervals that were not examined; rests of a step that would read as 0 s are none."""
    return [
        (start, stop)
        for start, stop, value in merge_unexamined(steps)
        if value is None and stop - start >= LEAST_GAP_SECONDS
    ]


def draw_lane(
    name: str, steps: Sequence[Step], segments: Sequence[tuple[float, float, float]], axis: Axis
) -> Lane:
    """Lays out one sense: bars for its steps, brackets for its (start, stop, probability)."""
    bars = tuple(_bar(step, axis) for step in merge_unexamined(steps))
    brackets = _place_brackets(segments, axis)
    rows = max((bracket.row + 1 for bracket in brackets), default=0)
    return Lane(name, bars, brackets, rows, _describe(name, steps, segments))


def _bar(step: Step, axis: Axis) -> Bar:
    start, stop, value = step
    x = axis.at(start)
    width = axis.at(stop) - x
    if value is None:
        return Bar(x, width, 1.0, None, f"{interval(start, stop)}: not examined")
    # A sliver stays visible at probability 0, to tell "examined" from an empty lane.
    height = min(max(value, 0.04), 1.0)
    level = min(int(5 * value), 4)
    return Bar(x, width, height, level, f"{interval(start, stop)}: {percent(value)}")


def _place_brackets(
    segments: Sequence[tuple[float, float, float]], axis: Axis
) -> tuple[Bracket, ...]:
    """Gives each segment the first row with room for its bracket and label.

        |0:02–0:06|        |0:09–0:11|      row 0
             |0:04–0:08|                    row 1

    Where all rows are taken, the bracket goes without a label into the last one.
    """
    taken = [-1.0] * _LABEL_ROWS
    placed = []
    for start, stop, value in sorted(segments):
        x0, x1 = axis.at(start), axis.at(stop)
        text = interval(start, stop)
        label_left, label_right, anchor = _span_of_text((x0 + x1) / 2, text)
        left, right = min(x0, label_left), max(x1, label_right)
        row = next((row for row, end in enumerate(taken) if left >= end), None)
        label = None if row is None else text
        if row is None:
            row = _LABEL_ROWS - 1
        taken[row] = max(taken[row], right)
        title = f"Segment {text}: {percent(value)}"
        placed.append(Bracket(x0, x1, row, label, (x0 + x1) / 2, anchor, title))
    return tuple(placed)


def _describe(
    name: str, steps: Sequence[Step], segments: Sequence[tuple[float, float, float]]
) -> str:
    """The lane in words, for those who hear the page."""
    seen = [(value, start, stop) for start, stop, value in steps if value is not None]
    if not seen:
        return f"{name} over time: not examined."
    value, start, stop = max(seen)
    text = f"{name} over time: highest {percent(value)} at {interval(start, stop)}."
    missing = gaps(steps)
    if missing:
        text += f" Not examined: {', '.join(interval(*gap) for gap in missing[:6])}"
        text += ", and more." if len(missing) > 6 else "."
    for start, stop, value in segments[:6]:
        text += f" Segment {interval(start, stop)}: {percent(value)}."
    return text
