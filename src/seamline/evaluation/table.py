"""Shows an evaluation: as JSON for machines, as a Markdown table, and for the terminal.

In: an ``EvaluationResult``. Out: a dict, a text, or a rich renderable. What could not be measured
is null in JSON and a dash in tables.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seamline.evaluation.evaluate import EvaluationResult, SenseResult
from seamline.evaluation.intervals import Interval
from seamline.evaluation.measures import Measures
from seamline.evaluation.rows import Rows, parts

if TYPE_CHECKING:
    from rich.console import Group

DECIMALS = 4
_HEADERS = (
    "", "real", "fake", "scored", "AUC", "95 %", "log-loss", "EER", "bal. acc.", "ECE", "found",
    "blamed",
)  # fmt: skip
_SHOWN = (0, 1, 2, 3, 4, 5, 10, 11)  # columns of the breakdown in a terminal
LEGEND = (
    "scored: share of rows with a score · found: fakes called fake · blamed: reals called fake · "
    "ECE: calibration error · 95 %: bootstrap over people · a method's fakes stand against the "
    "reals of its source"
)


def result_json(result: EvaluationResult) -> dict[str, Any]:
    """Gives the JSON object of an evaluation, numbers rounded to 4 decimals."""
    senses = {
        name: {
            "overall": _rounded(asdict(sense.overall)),
            "by_source": {source: _rounded(asdict(m)) for source, m in sense.by_source.items()},
            "by_method": [
                {"source": source, "method": method, **_rounded(asdict(m))}
                for (source, method), m in sense.by_method.items()
            ],
        }
        for name, sense in result.senses.items()
    }
    return {
        "schema": 1,
        "manifest": result.manifest,
        "split": result.split,
        "model": asdict(result.model) if result.model else None,
        "rows": result.rows,
        "unreadable": [{"path": path, "reason": reason} for path, reason in result.unreadable],
        "senses": senses,
        "four_way": _rounded(asdict(result.four_way)) if result.four_way else None,
        "segments": {name: _rounded(asdict(m)) for name, m in result.segments.items()},
        "media_seconds": round(result.media_seconds, 3),
        "scan_seconds": round(result.scan_seconds, 3),
    }


def result_markdown(result: EvaluationResult) -> str:
    """Gives one Markdown table a sense."""
    blocks = []
    for name, sense in result.senses.items():
        header = " | ".join(_HEADERS)
        lines = [f"**{name.capitalize()}**", "", f"| {header} |"]
        lines.append("|---|" + "---:|" * (len(_HEADERS) - 1))
        for row in _sense_rows(sense, 3):
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
        rows = _sense_rows(sense, 2)[1:]
        if rows:
            table = Table(box=None, padding=(0, 1, 0, 0))
            for index in _SHOWN:
                table.add_column(
                    _HEADERS[index] or "by source and method",
                    justify="right" if index else "left",
                    no_wrap=index > 0,
                    overflow="fold",
                )
            for row in rows:
                table.add_row(*(Text(row[index]) for index in _SHOWN))
            shown += [table, Text("")]
    for part in parts(result):
        table = Table(*part.rows[0], box=None, padding=(0, 1, 0, 0))
        for column in table.columns[1:]:
            column.justify = "right"
        for row in part.rows[1:]:
            table.add_row(*row)
        shown += [Text(part.title, style="bold"), table, Text("  " + part.told), Text("")]
    if not result.senses:
        shown.append(Text("No row of the manifest has a label to measure against."))
    shown.append(Text(_summary(result)))
    for path, reason in result.unreadable:
        shown.append(Text(f"  could not be read: {path}: {reason}"))
    return Group(*shown)


def _told(m: Measures) -> list[str]:
    """Tells a sense's overall measures in words."""
    interval = "no interval" if m.auc_interval is None else f"95 %: {_interval(m.auc_interval, 3)}"
    coverage = _share(m.coverage)
    calls = f"found {_share(m.fakes_found)} of fakes, blamed {_share(m.reals_accused)} of reals"
    return [
        f"  rows              {m.reals} real, {m.fakes} fake; {coverage} could be scored",
        f"  AUC               {_number(m.auc, 3)} ({interval}; drawn by person)",
        f"  log-loss          {_number(m.log_loss, 3)} (a constant 0.5 has 0.693)",
        f"  equal error rate  {_number(m.equal_error_rate, 3)}",
        f"  balanced accuracy {_number(m.balanced_accuracy, 3)}: {calls}",
        f"  calibration error {_number(m.calibration_error, 3)}; Brier {_number(m.brier, 3)}",
    ]


def _summary(result: EvaluationResult) -> str:
    read = result.rows - len(result.unreadable)
    text = f"{read} of {result.rows} files read"
    if result.scan_seconds:
        text += f", {result.media_seconds:.0f} s of media in {result.scan_seconds:.0f} s"
    return text + "."


def _sense_rows(sense: SenseResult, digits: int) -> list[tuple[str, ...]]:
    """Gives the cells of a sense: all rows first, then each source with its methods below."""
    rows = [_cells("all", sense.overall, digits)]
    for source, measures in sense.by_source.items():
        methods = {m: v for (s, m), v in sense.by_method.items() if s == source}
        if len(sense.by_source) > 1 or methods:
            rows.append(_cells(source, measures, digits))
        rows += [_cells(f"  {method}", m, digits) for method, m in methods.items()]
    return rows


def _cells(name: str, m: Measures, digits: int) -> tuple[str, ...]:
    return (
        name,
        str(m.reals),
        str(m.fakes),
        _share(m.coverage),
        _number(m.auc, digits),
        "–" if m.auc_interval is None else _interval(m.auc_interval, digits),
        _number(m.log_loss, digits),
        _number(m.equal_error_rate, digits),
        _number(m.balanced_accuracy, digits),
        _number(m.calibration_error, digits),
        _share(m.fakes_found),
        _share(m.reals_accused),
    )


def _interval(interval: Interval, digits: int) -> str:
    return f"{interval.low:.{digits}f}–{interval.high:.{digits}f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    return round(found, DECIMALS) if isinstance(found, float) else found
