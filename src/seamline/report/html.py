"""Verdicts with their evidence go in; one HTML file comes out that needs nothing else.

Pictures and style are inside the file, it runs no script, and its Content-Security-Policy
forbids it to ask any host for anything. Every text is escaped.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seamline.report.page_data import ModelSummary, ReportPage
from seamline.report.pictures import heat_legend, png_uri
from seamline.report.views import SectionView, view_section
from seamline.report.words import Headline, Tone, headline, likelihood_scale, split_path, visible

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
    template = _environment().get_template("page.html")
    moment = (made_at or datetime.now(UTC)).astimezone(UTC)
    style = _style()
    texts = template.generate(
        index=_index(pages),
        summary=_summary(pages),
        sections=_sections(pages),
        model=model,
        likelihoods=likelihood_scale(),
        style=style,
        policy=_policy(style),
        legend_uri=png_uri(heat_legend()),
        made_by=f"Seamline {version('seamline')}",
        made_at=f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    )
    _write_whole(Path(path), texts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("seamline", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["split_path"] = split_path
    environment.filters["pc"] = lambda value: f"{value:.3f}%"
    return environment


def _shown(value: Any) -> Any:
    """Spells out unseen characters of every text on its way into the page."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _style() -> Markup:
    """The style sheet; it is our own text, so it goes into the page as it is."""
    return Markup(_environment().get_template("style.html").render())


def _policy(style: str) -> str:
    """Allows this very style sheet and pictures inside the file, and nothing else."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


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


def _write_whole(path: Path, texts: Iterator[str]) -> None:
    """Writes beside the target and then takes its place, so that no half page is ever seen."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(texts)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
