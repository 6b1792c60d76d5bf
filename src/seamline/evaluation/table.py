"""Shows an evaluation: as JSON for machines, as a Markdown table, and for the terminal.

In: an ``EvaluationResult``. Out: a dict, a text, or a rich renderable. What could not be measured
is null in JSON and a dash in tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from seamline.evaluation.evaluate import EvaluationResult, Measures

if TYPE_CHECKING:
    from rich.console import Group

DECIMALS = 4
_HEADERS = (  # a column's words stand below each other in a terminal
    (), ("real",), ("fake",), ("scored",), ("AUC",), ("95 %",), ("log", "loss"), ("EER",),
    ("bal.", "acc."), ("ECE",), ("found",), ("blamed",),
)  # fmt: skip
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
        "media_seconds": round(result.media_seconds, 3),
        "scan_seconds": round(result.scan_seconds, 3),
    }


def result_markdown(result: EvaluationResult) -> str:
    """Gives one Markdown table a sense."""
    blocks = []
    for name, rows in _sense_rows(result, 3):
        header = " | ".join(" ".join(words) for words in _HEADERS)
        lines = [f"**{name.capitalize()}**", "", f"| {header} |"]
        lines.append("|---|" + "---:|" * (len(_HEADERS) - 1))
        for row in rows:
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, LEGEND]) + "\n"


def result_table(result: EvaluationResult) -> Group:
    """Gives tables that fit a terminal, overall first, then sources, then methods."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Table | Text] = []
    for name, rows in _sense_rows(result, 2):
        table = Table(title=name.capitalize(), title_justify="left", box=None, padding=(0, 1, 0, 0))
        for index, words in enumerate(_HEADERS):
            justify: Literal["left", "right"] = "right" if index else "left"
            table.add_column("\n".join(words), justify=justify, no_wrap=index > 0, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        parts += [table, Text("")]
    if not result.senses:
        parts.append(Text("No row of the manifest has a label to measure against."))
    parts.append(Text(_summary(result)))
    for path, reason in result.unreadable:
        parts.append(Text(f"  could not be read: {path}: {reason}"))
    return Group(*parts, Text(LEGEND, style="dim"))


def _summary(result: EvaluationResult) -> str:
    read = result.rows - len(result.unreadable)
    text = f"{read} of {result.rows} files read"
    if result.scan_seconds:
        text += f", {result.media_seconds:.0f} s of media in {result.scan_seconds:.0f} s"
    return text + "."


def _sense_rows(
    result: EvaluationResult, digits: int
) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    for name, sense in result.senses.items():
        rows = [_cells("all", sense.overall, digits)]
        for source, measures in sense.by_source.items():
            methods = {m: v for (s, m), v in sense.by_method.items() if s == source}
            if len(sense.by_source) > 1 or methods:
                rows.append(_cells(source, measures, digits))
            rows += [_cells(f"  {method}", m, digits) for method, m in methods.items()]
        yield name, rows


def _cells(name: str, m: Measures, digits: int) -> tuple[str, ...]:
    interval = m.auc_interval
    return (
        name,
        str(m.reals),
        str(m.fakes),
        _share(m.coverage),
        _number(m.auc, digits),
        f"{_number(interval.low, digits)}–{_number(interval.high, digits)}" if interval else "–",
        _number(m.log_loss, digits),
        _number(m.equal_error_rate, digits),
        _number(m.balanced_accuracy, digits),
        _number(m.calibration_error, digits),
        _share(m.fakes_found),
        _share(m.reals_accused),
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    return round(found, DECIMALS) if isinstance(found, float) else found
