"""Shows an evaluation: as JSON for machines, as a Markdown table, and for the terminal.

In: an ``EvaluationResult``. Out: a dict, a text, or a rich renderable. What could not be measured
is null in JSON and a dash in tables.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seamline.evaluation.evaluate import EvaluationResult
from seamline.evaluation.measures import Measures, MomentMeasures
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

if TYPE_CHECKING:
    from rich.console import Group

DECIMALS = 4
_SHOWN = (0, 1, 2, 3, 4, 5, 10, 11)  # columns of the breakdown in a terminal


def result_json(result: EvaluationResult) -> dict[str, Any]:
    """Gives the JSON object of an evaluation, numbers rounded to 4 decimals."""
    return {
        "schema": 1,
        "manifest": result.manifest,
        "split": result.split,
        "model": asdict(result.model) if result.model else None,
        "rows": result.rows,
        "unreadable": [{"path": path, "reason": reason} for path, reason in result.unreadable],
        "senses": {name: _sense_json(sense) for name, sense in result.senses.items()},
        "four_way": _rounded(asdict(result.four_way)) if result.four_way else None,
        "segments": {name: _rounded(asdict(m)) for name, m in result.segments.items()},
        "false_stretches": {
            name: {**_rounded(asdict(m)), "per_hour": _rounded(m.per_hour)}
            for name, m in result.false_stretches.items()
        },
        "sweep": _rounded(asdict(result.sweep)) if result.sweep else None,
        "media_seconds": round(result.media_seconds, 3),
        "scan_seconds": round(result.scan_seconds, 3),
    }


def _sense_json(sense: SenseResult) -> dict[str, Any]:
    return {
        "overall": _rounded(asdict(sense.overall)),
        "by_source": {source: _rounded(asdict(m)) for source, m in sense.by_source.items()},
        "by_method": [
            {"source": source, "method": method, **_rounded(asdict(m))}
            for (source, method), m in sense.by_method.items()
        ],
        "by_generator": [
            {"method": method, **_rounded(asdict(m))} for method, m in sense.by_generator.items()
        ],
        "cross_set": _rounded(asdict(sense.cross_set)) if sense.cross_set else None,
        "curves": _rounded(asdict(sense.curves)) if sense.curves else None,
    }


def result_markdown(result: EvaluationResult) -> str:
    """Gives one Markdown table a sense."""
    blocks = []
    for name, sense in result.senses.items():
        header = " | ".join(HEADERS)
        lines = [f"**{name.capitalize()}**", "", f"| {header} |"]
        lines.append("|---|" + "---:|" * (len(HEADERS) - 1))
        for row in sense_rows(sense, 3):
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        blocks.append("\n".join(lines))
    for part in parts(result):
        blocks.append("\n\n".join([f"**{part.title}**", _markdown(part.rows), part.told]))
    return "\n\n".join([*blocks, LEGEND]) + "\n"


def _markdown(rows: Rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---|" + "---:|" * (len(rows[0]) - 1), *lines[1:]])


def result_table(result: EvaluationResult) -> Group:
    """Gives what fits a terminal: each sense in words, then its sources and methods."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown: list[Table | Text] = []
    for name, sense in result.senses.items():
        shown += [Text(name.capitalize(), style="bold"), *map(Text, _told(sense.overall)), Text("")]
        rows = sense_rows(sense, 2)[1:]
        if rows:
            table = Table(box=None, padding=(0, 1, 0, 0))
            for index in _SHOWN:
                table.add_column(
                    HEADERS[index] or "by source and method",
                    justify="right" if index else "left",
                    no_wrap=index > 0,
                    overflow="fold",
                )
            for row in rows:
                table.add_row(*(Text(row[index]) for index in _SHOWN))
            shown += [table, Text("")]
    for part in parts(result):
        table = Table(*part.rows[0], box=None, padding=(0, 1, 0, 0))
        table.columns[0].overflow = "fold"
        for column in table.columns[1:]:
            column.justify = "right"
        for row in part.rows[1:]:
            table.add_row(*map(Text, row))
        shown += [Text(part.title, style="bold"), table, Text("  " + part.told), Text("")]
    if not result.senses:
        shown.append(Text("No row of the manifest has a label to measure against."))
    shown.append(Text(_summary(result)))
    for path, reason in result.unreadable:
        shown.append(Text(f"  could not be read: {path}: {reason}"))
    return Group(*shown)


def _told(m: Measures) -> list[str]:
    """Tells a sense's overall measures in words."""
    interval = (
        "no interval" if m.auc_interval is None else f"95 %: {interval_text(m.auc_interval, 3)}"
    )
    coverage = share_text(m.coverage)
    calls = (
        f"found {share_text(m.fakes_found)} of fakes, blamed {share_text(m.reals_accused)} of reals"
    )
    return [
        f"  rows              {m.reals} real, {m.fakes} fake; {coverage} could be scored",
        f"  AUC               {number_text(m.auc, 3)} ({interval}; drawn by person)",
        f"    per frame       {_moments_told(m.frames)}",
        f"    per second      {_moments_told(m.seconds)}",
        f"  log-loss          {number_text(m.log_loss, 3)} (a constant 0.5 has 0.693)",
        f"  equal error rate  {number_text(m.equal_error_rate, 3)}",
        f"  balanced accuracy {number_text(m.balanced_accuracy, 3)}: {calls}",
        f"  judged            {share_text(m.judged)}, {share_text(m.risk)} of them wrongly; "
        f"AURC {number_text(m.aurc, 3)}",
        f"  calibration error {number_text(m.calibration_error, 3)}; "
        f"Brier {number_text(m.brier, 3)}",
    ]


def _moments_told(m: MomentMeasures | None) -> str:
    if m is None:
        return "–"
    interval = "no interval" if m.auc_interval is None else interval_text(m.auc_interval, 3)
    return f"{number_text(m.auc, 3)} ({interval}); {m.reals} real, {m.fakes} fake, {m.files} files"


def _summary(result: EvaluationResult) -> str:
    read = result.rows - len(result.unreadable)
    text = f"{read} of {result.rows} files read"
    if result.scan_seconds:
        text += f", {result.media_seconds:.0f} s of media in {result.scan_seconds:.0f} s"
    return text + "."


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_rounded(value) for value in found]
    return round(found, DECIMALS) if isinstance(found, float) else found
