"""An evaluation goes in; one HTML file comes out, with its tables and curves, that needs no other.

What the figures mean stands beside them; the same rows are in Markdown and in the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from seamline.evaluation.evaluate import EvaluationResult
from seamline.evaluation.intervals import Interval
from seamline.evaluation.measures import Measures, MomentMeasures
from seamline.evaluation.plots import BOTTOM, HEIGHT_PX, LEFT, RIGHT, TOP, WIDTH_PX, Plot, plots_of
from seamline.evaluation.rows import (
    HEADERS,
    LEGEND,
    Rows,
    interval_text,
    number_text,
    parts,
    sense_rows,
    share_text,
)
from seamline.evaluation.senses import SenseResult
from seamline.html.whole_page import environment, policy, style_sheet, write_whole

FOLDER = "evaluation"
_PLOT_BOX = {
    "width": WIDTH_PX, "height": HEIGHT_PX, "left": LEFT, "top": TOP,
    "right": WIDTH_PX - RIGHT, "bottom": HEIGHT_PX - BOTTOM,
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One headline figure: what it is, its value, and what to compare it with."""

    name: str
    value: str
    told: str


@dataclass(frozen=True)
class SensePage:
    """One sense's section."""

    name: str
    figures: list[Figure]
    plots: list[Plot]
    rows: Rows


def write_page(
    path: str | Path, result: EvaluationResult, *, made_at: datetime | None = None
) -> None:
    """Writes the page; ``path`` holds either all of it or what it held before."""
    moment = (made_at or datetime.now(UTC)).astimezone(UTC)
    style = style_sheet(FOLDER, "page_style.html")
    texts = (
        environment(FOLDER)
        .get_template("page.html")
        .generate(
            result=result,
            senses=[_sense_page(name, sense) for name, sense in result.senses.items()],
            parts=parts(result),
            legend=LEGEND,
            box=_PLOT_BOX,
            style=style,
            policy=policy(style),
            made_by=f"Seamline {version('seamline')}",
            made_at=f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        )
    )
    write_whole(Path(path), texts)


def _sense_page(name: str, sense: SenseResult) -> SensePage:
    rows = [tuple(HEADERS), *sense_rows(sense, 3)]
    curves = [] if sense.curves is None else plots_of(sense.curves)
    return SensePage(name.capitalize(), _figures(sense.overall), curves, rows)


def _figures(m: Measures) -> list[Figure]:
    calls = f"found {share_text(m.fakes_found)} of fakes, blamed {share_text(m.reals_accused)}"
    wrong = f"{share_text(m.risk)} of them wrongly; AURC {number_text(m.aurc, 3)}"
    return [
        Figure("AUC", number_text(m.auc, 3), _spread(m.auc, m.auc_interval)),
        _moments("AUC per frame", m.frames),
        _moments("AUC per second", m.seconds),
        Figure("equal error rate", number_text(m.equal_error_rate, 3), "guessing has 0.5"),
        Figure("balanced accuracy", number_text(m.balanced_accuracy, 3), f"{calls} of reals"),
        Figure("log-loss", number_text(m.log_loss, 3), "a constant 0.5 has 0.693"),
        Figure("calibration error", number_text(m.calibration_error, 3), "0 is honest odds"),
        Figure("judged", share_text(m.judged), wrong),
    ]


def _moments(name: str, m: MomentMeasures | None) -> Figure:
    if m is None:
        return Figure(name, "–", "none here, or not kept")
    return Figure(name, number_text(m.auc, 3), _spread(m.auc, m.auc_interval))


def _spread(auc: float | None, interval: Interval | None) -> str:
    if auc is None:
        return "needs reals and fakes"
    if interval is None:
        return "too few people, or all in order: no interval"
    return f"95 %: {interval_text(interval, 3)}, drawn by person"
