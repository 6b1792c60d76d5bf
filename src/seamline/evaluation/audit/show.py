"""Shows an audit: as JSON for machines, as Markdown, and for the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seamline.evaluation.audit.cues import REMEDIES
from seamline.evaluation.audit.leaks import Crossing, Twins
from seamline.evaluation.audit.run import Audit
from seamline.evaluation.audit.tells import SENSES, Tells

if TYPE_CHECKING:
    from rich.console import Group

MOST_LISTED = 8
HEADERS = ("set", "real", "fake", "all cues", "tells", "best other")
LEGEND = (
    "The AUC of a cue that has nothing to do with forgery, whichever way it points: 0.5 tells "
    "nothing, 1 everything. All cues: together, cross-validated over people. Tells: at least 0.65, "
    "and more than three standard errors from 0.5."
)
Rows = list[tuple[str, ...]]


def audit_json(found: Audit) -> dict[str, Any]:
    """Give the JSON object of an audit; AUCs rounded to 4 decimals."""
    return {
        "schema": 1,
        "rows": found.rows,
        "real": found.reals,
        "fake": found.fakes,
        "measured": found.measured,
        "unreadable": [{"path": path, "reason": reason} for path, reason in found.unreadable],
        "sets": [
            {
                **asdict(one),
                "cues": {cue: round(auc, 4) for cue, auc in one.cues.items()},
                "together": None if one.together is None else round(one.together, 4),
                "tells": one.marked,
            }
            for one in found.tells
        ],
        "people_in_several_splits": [asdict(one) for one in found.crossings],
        "same_files": [asdict(one) for one in found.twins],
        "sources_of_one_class": [asdict(one) for one in found.one_class],
        "remedies": {cue: REMEDIES[cue] for cue in _telling(found)},
    }


def audit_markdown(found: Audit) -> str:
    """Give a table a sense, then what else was found."""
    blocks = [_summary(found)]
    for sense in SENSES:
        if rows := _rows(found, sense):
            lines = [
                "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
            ]
            rule = "|---|---:|---:|---:|---|---|"
            blocks.append("\n".join([f"**{sense.capitalize()}**", "", lines[0], rule, *lines[1:]]))
    blocks.append(LEGEND)
    for title, lines in _lists(found):
        blocks.append("\n".join([f"**{title}**", "", *(f"- {line}" for line in lines)]))
    return "\n\n".join(blocks) + "\n"


def audit_table(found: Audit) -> Group:
    """Give what fits a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown: list[Table | Text] = [Text(_summary(found)), Text("")]
    for sense in SENSES:
        if rows := _rows(found, sense):
            table = Table(box=None, padding=(0, 1, 0, 0))
            for place, header in enumerate(rows[0]):
                number = 1 <= place <= 3
                table.add_column(
                    header if place else sense,
                    justify="right" if number else "left",
                    no_wrap=number,
                    overflow="fold",
                    ratio=None if number else 3 if place in (0, 4) else 2,
                )
            for row in rows[1:]:
                table.add_row(*map(Text, row))
            shown += [table, Text("")]
    if found.tells:
        shown += [Text(LEGEND), Text("")]
    for title, lines in _lists(found):
        shown += [Text(title, style="bold"), *(Text(f"  {line}") for line in lines), Text("")]
    return Group(*shown[:-1])


def _rows(found: Audit, sense: str) -> Rows:
    sets = [one for one in found.tells if one.sense == sense]
    return [HEADERS, *map(_row, sets)] if sets else []


def _row(one: Tells) -> tuple[str, ...]:
    marked = one.marked
    rest = {cue: auc for cue, auc in one.cues.items() if cue not in marked}
    best = max(rest, key=lambda cue: rest[cue], default="")
    return (
        _name(one),
        str(one.reals),
        str(one.fakes),
        "–" if one.together is None else f"{one.together:.2f}",
        ", ".join(f"{cue} {one.cues[cue]:.2f}" for cue in marked) or "none",
        f"{best} {rest[best]:.2f}" if best else "–",
    )


def _name(one: Tells) -> str:
    source = "all sources" if one.source is None else one.source or "(no source)"
    split = f", {one.split}" if one.split else ""
    kind = {("picture", "face"): ", photos", ("voice", "video"): ", video"}
    return f"{source}{split}{kind.get((one.sense, one.kind), '')}"


def _summary(found: Audit) -> str:
    text = (
        f"{found.rows} rows: {found.reals} real, {found.fakes} fake. "
        f"{found.measured} files measured"
    )
    return text + (f", {len(found.unreadable)} could not be read." if found.unreadable else ".")


def _lists(found: Audit) -> list[tuple[str, list[str]]]:
    """Titles and lines of what is not a table, those that say anything."""
    lists = [
        ("People in several splits", [_crossing(one) for one in found.crossings]),
        ("Same file twice", [_twins(one) for one in found.twins]),
        (
            "Sources of one class, where the source tells it",
            [
                f"{one.source or '(no source)'}{', ' + one.split if one.split else ''}: "
                f"{one.files} {one.label} ({one.sense}), none "
                f"{'real' if one.label == 'fake' else 'fake'}"
                for one in found.one_class
            ],
        ),
        ("Could not be read", [f"{path}: {reason}" for path, reason in found.unreadable]),
    ]
    todo = [f"{cue}: {REMEDIES[cue]}" for cue in _telling(found)]
    shown = [(title, _some(lines)) for title, lines in lists if lines]
    return [("What to do", todo), *shown] if todo else shown


def _some(lines: list[str]) -> list[str]:
    left = len(lines) - MOST_LISTED
    return lines if left <= 0 else [*lines[:MOST_LISTED], f"and {left} more (all are in --json)"]


def _crossing(one: Crossing) -> str:
    people = ", ".join(one.people[:3]) + (" …" if len(one.people) > 3 else "")
    files = ", ".join(f"{count} in {split}" for split, count in sorted(one.files.items()))
    example = " and ".join(path for _, path in sorted(one.examples.items()))
    return f"{people or 'a file and its original'}: {files} ({example})"


def _twins(one: Twins) -> str:
    notes = []
    if len(one.labels) > 1:
        notes.append("labelled " + " and ".join(label or "nothing" for label in one.labels))
    if len(one.splits) > 1:
        notes.append("in " + " and ".join(split or "no split" for split in one.splits))
    shown = " = ".join(one.paths[:3]) + (" …" if len(one.paths) > 3 else "")
    return shown + (f": {', '.join(notes)}" if notes else "")


def _telling(found: Audit) -> list[str]:
    """The cues that tell anywhere, in the order of what is to be done about them."""
    told = {cue for one in found.tells for cue in one.marked}
    return [cue for cue in REMEDIES if cue in told]
