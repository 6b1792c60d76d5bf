"""Curves go in; what a template needs to draw them as SVG comes out: points, ticks, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seamline.evaluation.curves import Bin, Curves, Points

WIDTH_PX, HEIGHT_PX = 320, 270
LEFT, RIGHT, TOP, BOTTOM = 54, 10, 10, 44
"""Margins around the square in which the curve runs."""
_HIGHEST_RISKS = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point that is drawn as such; ``title`` shows when pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Plot:
    """One diagram, in pixels of its own."""

    title: str
    words: str
    """What one should see, also for those who cannot."""
    x_label: str
    y_label: str
    line: str
    """The curve, as a polyline's points."""
    reference: str
    """What it is to be compared with, dashed; empty where there is nothing."""
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def plots_of(curves: Curves) -> list[Plot]:
    """Gives the diagrams whose curves are there."""
    found = []
    if curves.roc:
        found.append(_roc(curves.roc))
    if curves.reliability:
        found.append(_reliability(curves.reliability))
    if curves.risk_coverage:
        found.append(_risk(curves.risk_coverage))
    return found


def _roc(points: Points) -> Plot:
    return _plot(
        "ROC",
        "The further the curve bends to the upper left, the better. Dashed: guessing.",
        ("reals accused", "fakes found"),
        points,
        reference=((0, 0), (1, 1)),
    )


def _reliability(bins: Sequence[Bin]) -> Plot:
    points = tuple((one.predicted, one.observed) for one in bins)
    titles = [
        f"{one.rows} rows: {one.predicted:.2f} predicted, {one.observed:.2f} were fake"
        for one in bins
    ]
    return _plot(
        "Reliability",
        "On the dashed line a probability is what it says. Each dot has as many files.",
        ("predicted probability of a fake", "share that is fake"),
        points,
        reference=((0, 0), (1, 1)),
        titles=titles,
    )


def _risk(points: Points) -> Plot:
    worst = max(risk for _, risk in points)
    top = next(bound for bound in _HIGHEST_RISKS if worst <= bound)
    return _plot(
        "Risk over coverage",
        "Wrong calls when only the surest files are called: low on the left means that the odds "
        "know what they do not know. Where the line ends, the rest got no call.",
        ("share of files that is called", "share of wrong calls"),
        points,
        top=top,
    )


def _plot(
    title: str,
    words: str,
    labels: tuple[str, str],
    points: Points,
    *,
    reference: Points = (),
    titles: Sequence[str] = (),
    top: float = 1.0,
) -> Plot:
    """Scales points into pixels; ``top`` is the highest value on the upright axis."""

    def x(value: float) -> float:
        return round(LEFT + value * (WIDTH_PX - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(TOP + (1 - value / top) * (HEIGHT_PX - TOP - BOTTOM), 1)

    def line(every: Points) -> str:
        return " ".join(f"{x(a)},{y(b)}" for a, b in every)

    parts = [i / 5 for i in range(6)]
    return Plot(
        title=title,
        words=words,
        x_label=labels[0],
        y_label=labels[1],
        line=line(points),
        reference=line(reference),
        dots=tuple(Dot(x(a), y(b), t) for (a, b), t in zip(points, titles, strict=False)),
        x_ticks=tuple(Tick(x(part), f"{part:g}") for part in parts),
        y_ticks=tuple(Tick(y(part * top), f"{part * top:.3g}") for part in parts),
    )
