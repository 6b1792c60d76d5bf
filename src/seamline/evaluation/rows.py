"""Puts figures into rows of text, for the terminal, Markdown and the HTML page alike.

In: an ``EvaluationResult``. Out: titled tables of strings; a dash where nothing could be measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from seamline.evaluation.evaluate import EvaluationResult
from seamline.evaluation.false_stretches import FalseStretches
from seamline.evaluation.four_way import TOLD, TRUTHS, FourWay
from seamline.evaluation.intervals import Interval
from seamline.evaluation.measures import Measures, MomentMeasures
from seamline.evaluation.segments import OVERLAPS, SegmentMeasures
from seamline.evaluation.senses import Sense, SenseResult
from seamline.evaluation.sweep import Sweep

Rows = list[tuple[str, ...]]

HEADERS = (
    "", "real", "fake", "scored", "AUC", "95 %", "log-loss", "EER", "bal. acc.", "ECE", "found",
    "blamed",
)  # fmt: skip
LEGEND = (
    "scored: share of rows with a score · found: fakes called fake · blamed: reals called fake · "
    "ECE: calibration error · 95 %: bootstrap over people · a method's fakes stand against the "
    "reals of its source"
)


@dataclass(frozen=True)
class Part:
    """A titled table, its header first, and a sentence below it."""

    title: str
    rows: Rows
    told: str


def parts(result: EvaluationResult) -> list[Part]:
    """Give the tables beside those of the senses, where an evaluation has what they tell."""
    found = [_levels(name, sense) for name, sense in result.senses.items()]
    found += [_generators(n, sense) for n, sense in result.senses.items() if sense.by_generator]
    if any(sense.cross_set for sense in result.senses.values()):
        found.append(_cross_set(result.senses))
    if result.sweep is not None:
        found.append(_sweep(result.sweep))
    if result.four_way is not None:
        told = _four_way_told(result.four_way)
        found.append(Part("Picture or voice (truth by row)", _four_way_rows(result.four_way), told))
    if result.segments:
        told = (
            "Average precision at an overlap of so much, and average recall, as in LAV-DF: of all "
            "proposals, ranked, and of those that are called, which a verdict shows."
        )
        found.append(Part("Forged stretches", _segment_rows(result.segments), told))
    if result.false_stretches:
        told = "Genuine files in which some seconds are pointed at, whatever the file is called."
        rows = _false_stretch_rows(result.false_stretches)
        found.append(Part("Stretches shown in genuine files", rows, told))
    return found


def _four_way_rows(found: FourWay) -> Rows:
    rows: Rows = [("", *TOLD, "F1")]
    for truth in TRUTHS:
        f1 = f"{found.f1[truth]:.2f}" if truth in found.f1 else "–"
        rows.append((truth, *(str(found.counts[truth][told]) for told in TOLD), f1))
    return rows


def _four_way_told(found: FourWay) -> str:
    accused = found.reals_called_fake
    return (
        f"{found.rows} rows with both labels: macro-F1 {found.macro_f1:.3f}, accuracy "
        f"{found.accuracy:.3f}, {'–' if accused is None else f'{100 * accused:.1f} %'} of the real "
        "called fake."
    )


def _segment_rows(measured: dict[str, SegmentMeasures]) -> Rows:
    rows: Rows = [("", "files", "true", "found", *(f"AP@{o:g}" for o in OVERLAPS), "AR")]
    for name, m in measured.items():
        numbers = [*(m.average_precision[str(o)] for o in OVERLAPS), m.average_recall]
        told = ["–" if number is None else f"{number:.3f}" for number in numbers]
        rows.append((name, str(m.files), str(m.segments), str(m.found), *told))
    return rows


def _false_stretch_rows(measured: dict[Sense, FalseStretches]) -> Rows:
    rows: Rows = [("", "files", "with some", "stretches", "hours", "per hour")]
    for name, m in measured.items():
        counts = (str(m.files), str(m.files_with_some), str(m.stretches))
        rows.append((name, *counts, f"{m.examined_seconds / 3600:.2f}", number_text(m.per_hour, 1)))
    return rows


def _levels(name: str, sense: SenseResult) -> Part:
    """Rows, frames and seconds of one sense side by side."""
    rows: Rows = [
        ("", "DeLong 95 %", "per frame", "95 %", "per second", "95 %", "judged", "AURC"),
        *((label, *_level_cells(m)) for label, m in _named(sense)),
    ]
    told = (
        "DeLong: the AUC's interval over files, as if each were another person's. Per frame, per "
        "second: the AUC of all examined frames, and of all seconds of the timelines, against "
        "their own truth. Judged: share of files that got a call. AURC: mean share of wrong calls "
        "among the surest 1, 2, ... of them; lower is better."
    )
    return Part(f"{name.capitalize()}: files, frames, seconds", rows, told)


def _level_cells(m: Measures) -> tuple[str, ...]:
    delong = "–" if m.auc_delong is None else interval_text(m.auc_delong, 2)
    cells = [*_moment_cells(m.frames), *_moment_cells(m.seconds)]
    return (delong, *cells, share_text(m.judged), number_text(m.aurc, 3))


def _moment_cells(m: MomentMeasures | None) -> tuple[str, str]:
    if m is None:
        return "–", "–"
    interval = "–" if m.auc_interval is None else interval_text(m.auc_interval, 2)
    return number_text(m.auc, 2), interval


def _generators(name: str, sense: SenseResult) -> Part:
    rows: Rows = [("", "fake", "AUC", "95 %", "EER", "found")]
    for method, m in sense.by_generator.items():
        interval = "–" if m.auc_interval is None else interval_text(m.auc_interval, 3)
        figures = (number_text(m.auc, 3), interval, number_text(m.equal_error_rate, 3))
        rows.append((method, str(m.fakes), *figures, share_text(m.fakes_found)))
    told = f"Against all {sense.overall.reals} real files, of whatever source; the hardest first."
    return Part(f"{name.capitalize()}: each method", rows, told)


def _cross_set(senses: dict[Sense, SenseResult]) -> Part:
    rows: Rows = [("", "sets", "mean AUC", "pooled AUC", "95 %", "left out")]
    for name, sense in senses.items():
        found = sense.cross_set
        if found is not None:
            interval = found.pooled_auc_interval
            told = "–" if interval is None else interval_text(interval, 3)
            figures = (f"{found.mean_auc:.3f}", f"{found.pooled_auc:.3f}", told)
            rows.append((name, str(len(found.sets)), *figures, str(len(found.left_out))))
    return Part(
        "Across sets",
        rows,
        "The mean asks for order within each set; pooled asks that one threshold fit all of them. "
        "Pooled below the mean: scores shift from set to set. Left out: sets of one class only.",
    )


def _sweep(sweep: Sweep) -> Part:
    rows: Rows = [
        ("", "scored", "AUC", "change", "95 %", "log-loss", "found", "blamed"),
        ("clean", *_sweep_cells(sweep.clean, "", "")),
    ]
    for one in sweep.changes:
        change = "–" if one.change is None else f"{one.change:+.3f}"
        interval = one.change_interval
        told = "–" if interval is None else f"{interval.low:+.3f} to {interval.high:+.3f}"
        rows.append((one.name, *_sweep_cells(one.measures, change, told)))
    unwritten = sum(one.unwritten for one in sweep.changes)
    return Part(
        "Corrupted pictures",
        rows,
        "Change: of the AUC, over the files that were scored both clean and corrupted; its "
        f"interval draws the same people for both. Seed {sweep.seed}."
        + (f" {unwritten} files could not be rewritten." if unwritten else ""),
    )


def _sweep_cells(m: Measures, change: str, interval: str) -> tuple[str, ...]:
    figures = (share_text(m.coverage), number_text(m.auc, 3), change, interval)
    shares = (share_text(m.fakes_found), share_text(m.reals_accused))
    return (*figures, number_text(m.log_loss, 3), *shares)


def _named(sense: SenseResult) -> list[tuple[str, Measures]]:
    """All rows first, then each source with its methods below."""
    found = [("all", sense.overall)]
    for source, measures in sense.by_source.items():
        methods = {m: v for (s, m), v in sense.by_method.items() if s == source}
        if len(sense.by_source) > 1 or methods:
            found.append((source, measures))
        found += [(f"  {method}", m) for method, m in methods.items()]
    return found


def sense_rows(sense: SenseResult, digits: int) -> Rows:
    """Gives the cells of a sense under ``HEADERS``."""
    return [_cells(name, measures, digits) for name, measures in _named(sense)]


def _cells(name: str, m: Measures, digits: int) -> tuple[str, ...]:
    return (
        name,
        str(m.reals),
        str(m.fakes),
        share_text(m.coverage),
        number_text(m.auc, digits),
        "–" if m.auc_interval is None else interval_text(m.auc_interval, digits),
        number_text(m.log_loss, digits),
        number_text(m.equal_error_rate, digits),
        number_text(m.balanced_accuracy, digits),
        number_text(m.calibration_error, digits),
        share_text(m.fakes_found),
        share_text(m.reals_accused),
    )


def interval_text(interval: Interval, digits: int) -> str:
    """Gives both ends."""
    return f"{interval.low:.{digits}f}–{interval.high:.{digits}f}"


def number_text(value: float | None, digits: int) -> str:
    """Gives a number, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def share_text(value: float | None) -> str:
    """Gives a share in whole percent, or a dash."""
    return "–" if value is None else f"{100 * value:.0f} %"
