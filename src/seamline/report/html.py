"""Verdicts with their evidence go in; one HTML file comes out that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment

from seamline.html.whole_page import environment, policy, style_sheet, write_whole
from seamline.report.page_data import ModelSummary, ReportPage
from seamline.report.pictures import heat_legend, png_uri
from seamline.report.views import SectionView, view_section
from seamline.report.words import Headline, Tone, headline, likelihood_scale, split_path

# Also the order of the index: what asks for a look comes first.
_TONES: dict[Tone, str] = {
    "fake": "likely manipulated",
    "unsure": "inconclusive",
    "unread": "unreadable",
    "real": "with no manipulation found",
}


def write_report(
    path: Path,
    pages: Sequence[ReportPage],
    *,
    model: ModelSummary,
    made_at: datetime | None = None,
) -> None:
    """Writes the report; ``path`` holds either the whole page or what it held before.

    Sections are drawn one after another while the file is written, so that many files need
    no more memory than their evidence.
    """
    template = _templates().get_template("page.html")
    moment = (made_at or datetime.now(UTC)).astimezone(UTC)
    style = style_sheet("report")
    texts = template.generate(
        index=_index(pages),
        summary=_summary(pages),
        sections=_sections(pages),
        model=model,
        likelihoods=likelihood_scale(),
        style=style,
        policy=policy(style),
        legend_uri=png_uri(heat_legend()),
        made_by=f"Seamline {version('seamline')}",
        made_at=f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    )
    write_whole(Path(path), texts)


@cache
def _templates() -> Environment:
    templates = environment("report")
    templates.filters["split_path"] = split_path
    templates.filters["pc"] = lambda value: f"{value:.3f}%"
    return templates


def _sections(pages: Sequence[ReportPage]) -> Iterator[SectionView]:
    for number, page in enumerate(pages, start=1):
        yield view_section(page, number)


def _index(pages: Sequence[ReportPage]) -> list[tuple[int, str, Headline]]:
    """(number, path, headline) of each file, in the order of ``_TONES``, then by probability."""
    rows = [
        (number, page.verdict.path, headline(page.verdict))
        for number, page in enumerate(pages, start=1)
    ]
    order = list(_TONES)

    def place(row: tuple[int, str, Headline]) -> tuple[int, float, int]:
        probability = pages[row[0] - 1].verdict.fake_probability or 0.0
        return order.index(row[2].tone), -probability, row[0]

    return sorted(rows, key=place)


def _summary(pages: Sequence[ReportPage]) -> str:
    counts = Counter(headline(page.verdict).tone for page in pages)
    parts = [f"{counts[tone]} {text}" for tone, text in _TONES.items() if counts[tone]]
    files = f"{len(pages)} file" + ("" if len(pages) == 1 else "s")
    return f"{files}: {', '.join(parts)}." if parts else "No file was scanned."
