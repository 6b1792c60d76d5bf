"""A verdict as text for a terminal: what, how sure, who, when, what was not examined and why.

In: verdicts. Out: lines of at most the given width, readable without colour; ``print_*`` add
colour where the terminal has it.
"""

from __future__ import annotations

import shlex
import shutil
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seamline.html.visible import visible
from seamline.report.words import (
    Tone,
    clock,
    doubtful_sync,
    headline,
    interval,
    lag_text,
    percent,
    person_name,
    reference_lines,
    seconds_text,
)
from seamline.scoring.verdict import Person, Segment, SenseScore, SyncScore, Verdict

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 100
MOST_ROWS = 8  # of people or segments; the report and --json have all
_INDENT = "  "
_LABEL_CELLS = 11
_STYLES: dict[Tone, str] = {
    "fake": "bold red", "real": "bold green", "unsure": "bold yellow", "unread": "bold magenta",
}  # fmt: skip
_SHORT = {
    "real": "real", "fake_video": "fake picture", "fake_audio": "fake voice",
    "fake_both": "fake both", "inconclusive": "inconclusive", None: "unreadable",
}  # fmt: skip
_SENSES = {"video": "picture", "audio": "voice", "sync": "synchrony"}


def text_width() -> int:
    """Columns to write in: the terminal's, but no more than reads well."""
    return min(shutil.get_terminal_size((80, 24)).columns, WIDEST)


def print_full(console: Console, verdict: Verdict, *, report: str | None = None) -> None:
    """Prints everything that one file's verdict tells."""
    head = headline(verdict)
    console.print(visible(verdict.path), style="bold")
    title = head.title
    if head.figure and head.figure not in title:
        title += f" (chance of one: {head.figure})"
    for line in _wrap(title, text_width()):
        console.print(line, style=_STYLES[head.tone])
    for line in body_lines(verdict, text_width(), report=report):
        console.print(line)


def body_lines(verdict: Verdict, width: int = 80, *, report: str | None = None) -> list[str]:
    """Gives what stands below the headline, as lines of at most ``width`` columns."""
    if verdict.error is not None:
        return _wrap(f"{verdict.error}.", width)
    lines = [""]
    for name, label in _SENSES.items():
        lines += _field(label, _sense(getattr(verdict, name)), width)
    lines += _many("who", [_person_line(person) for person in verdict.people], width)
    lines += _many("when", [_segment_line(segment) for segment in verdict.segments], width)
    lines += _many("reference", reference_lines(verdict), width)
    for note in (doubtful_sync(verdict), *verdict.warnings):
        lines += _field("note", note, width) if note else []
    return [*lines, "", *_wrap(advice(verdict, report=report), width)]


def print_row(console: Console, verdict: Verdict) -> None:
    """Prints one file's line of a longer list; below it, where to look."""
    for line, style in row_lines(verdict, text_width()):
        console.print(line, style=style)


ROW_HEADER = f"{'verdict':<13} {'fake':>9}  file"


def row_lines(verdict: Verdict, width: int = 80) -> list[tuple[str, str | None]]:
    """Gives a file's line, and further ones for the details of fakes or for the reason."""
    chance = "–" if verdict.fake_probability is None else percent(verdict.fake_probability)
    short = "fake sync" if verdict.fake_by_sync else _SHORT[verdict.label]
    first = f"{short:<13} {chance:>9}  {visible(verdict.path)}"
    tone = headline(verdict).tone
    details: list[str] = []
    if verdict.error is not None:
        details = [verdict.error]
    elif tone == "unsure":
        details = [headline(verdict).sentence]
    else:  # a part may stand out of a file that is real on the whole
        details = [_segment_line(segment) for segment in verdict.segments[:MOST_ROWS]]
        if len(verdict.segments) > MOST_ROWS:
            details.append(f"and {len(verdict.segments) - MOST_ROWS} more")
    margin = " " * 25
    lines = [part for text in details for part in _wrap(text, width, margin)]
    return [(first, _STYLES[tone]), *((line, None) for line in lines)]


def summary(labels: Counter[str | None]) -> str:
    """Gives the closing line of a list: how many of each."""
    kinds = {
        "fake": sum(n for label, n in labels.items() if label and label.startswith("fake")),
        "real": labels["real"],
        "inconclusive": labels["inconclusive"],
        "could not be read": labels[None],
    }
    total = sum(kinds.values())
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    return f"{total} file{'' if total == 1 else 's'}: {told or 'nothing to tell'}."


def advice(verdict: Verdict, *, report: str | None = None) -> str:
    """Says what to do with a verdict."""
    file = shlex.quote(visible(verdict.path))
    see = f"Open {visible(report)}" if report else f"`seamline scan {file} --report report.html`"
    if verdict.label == "inconclusive":
        small = (verdict.video.reason or "").startswith("no face of at least")
        hint = " For smaller faces: --min-face-px 24." if small else ""
        return f"No verdict is made where there is no evidence.{hint}"
    if verdict.label == "real" and verdict.segments:
        start = clock(verdict.segments[0].start_seconds)
        return (
            f"Too little for a verdict, but look and listen yourself from {start}. "
            f"{see if report else 'See it in detail: ' + see}."
        )
    if verdict.label == "real":
        return (
            "Nothing was found in what was examined. That is no proof: a new kind of forgery can "
            f"pass unseen. {see if report else 'See it in detail: ' + see}."
        )
    parts = verdict.segments[:1]
    where = f" from {clock(parts[0].start_seconds)}" if parts else ""
    shows = "for" if report else "shows"
    return (
        f"A chance, not a proof: look and listen yourself{where}. "
        f"{see} {shows} the faces, where in them it was found, and the voice over time."
    )


def _sense(score: SenseScore | SyncScore) -> str:
    if score.fake_probability is None:
        return f"not examined: {score.reason}"
    text = f"{percent(score.fake_probability)} chance of manipulation"
    if isinstance(score, SenseScore):
        return f"{text}, {seconds_text(score.examined_seconds)} examined"
    return text if score.offset_seconds is None else f"{text}, {lag_text(score)}"


def _person_line(person: Person) -> str:
    when = f"{clock(person.start_seconds)} to {clock(person.stop_seconds)}"
    chance = "not judged" if person.fake_probability is None else percent(person.fake_probability)
    return f"{person_name(person.track)}, {when}, {person.face_px} px high: {chance}"


def _segment_line(segment: Segment) -> str:
    who = "" if segment.track is None else f", {person_name(segment.track).lower()}"
    when = interval(segment.start_seconds, segment.stop_seconds)
    return f"{when} {_SENSES[segment.modality]}{who}: {percent(segment.fake_probability)}"


def _many(label: str, texts: Sequence[str], width: int) -> list[str]:
    shown = list(texts[:MOST_ROWS])
    if len(texts) > MOST_ROWS:
        shown.append(f"and {len(texts) - MOST_ROWS} more")
    lines = []
    for place, text in enumerate(shown):
        lines += _field(label if place == 0 else "", text, width)
    return lines


def _field(label: str, text: str, width: int) -> list[str]:
    margin = _INDENT + " " * _LABEL_CELLS
    first, *others = _wrap(text, width, margin)
    return [f"{_INDENT}{label:<{_LABEL_CELLS}}{first[len(margin) :]}", *others]


def _wrap(text: str, width: int, margin: str = "") -> list[str]:
    return textwrap.wrap(
        visible(text),
        max(width, len(margin) + 20),
        initial_indent=margin,
        subsequent_indent=margin,
        break_on_hyphens=False,
    ) or [margin]
