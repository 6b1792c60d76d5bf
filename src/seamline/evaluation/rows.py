"""Says in rows of text which of picture and voice was called fake, and how stretches were found."""

from __future__ import annotations

from dataclasses import dataclass

from seamline.evaluation.evaluate import EvaluationResult
from seamline.evaluation.four_way import TOLD, TRUTHS, FourWay
from seamline.evaluation.segments import OVERLAPS, SegmentMeasures

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Part:
    """A titled table, its header first, and a sentence below it."""

    title: str
    rows: Rows
    told: str


def parts(result: EvaluationResult) -> list[Part]:
    """Give what an evaluation has of the two."""
    found = []
    if result.four_way is not None:
        told = _four_way_told(result.four_way)
        found.append(Part("Picture or voice (truth by row)", _four_way_rows(result.four_way), told))
    if result.segments:
        told = "Average precision at an overlap of so much, and average recall, as in LAV-DF."
        found.append(Part("Forged stretches", _segment_rows(result.segments), told))
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
