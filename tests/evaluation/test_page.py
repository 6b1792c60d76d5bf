from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from evaluation_factory import drawn_rows, verdict

from seamline.data.manifest import Sample
from seamline.evaluation.curves import Bin, Curves
from seamline.evaluation.evaluate import EvaluationResult, measure
from seamline.evaluation.page import write_page
from seamline.evaluation.plots import BOTTOM, HEIGHT_PX, LEFT, RIGHT, TOP, WIDTH_PX, plots_of

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
VOID = {"meta"}


class Page(HTMLParser):
    """Reads a page strictly: tags nest, and every attribute is kept."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def result() -> EvaluationResult:
    samples, verdicts = drawn_rows(120)
    return measure(samples, verdicts, manifest="m.csv", split="val", resamples=20)


def written(result: EvaluationResult, folder: Path) -> str:
    write_page(folder / "e.html", result, made_at=MOMENT)
    assert [path.name for path in folder.iterdir()] == ["e.html"]
    return (folder / "e.html").read_text("utf-8")


def test_the_page_tells_the_figures_of_the_result(result, tmp_path):
    page = Page(written(result, tmp_path))
    overall = result.senses["picture"].overall
    for figure in (overall.auc, overall.log_loss, overall.equal_error_rate, overall.aurc):
        assert f"{figure:.3f}" in page.text
    assert "fake-detector , version 1, on m.csv" in page.text
    assert "120 of 120 files read, split val" in page.text
    assert "Made 2026-03-01 12:30:00 UTC" in page.text
    for name in ("Across sets", "Picture: files, frames, seconds", "S0", "M3", "ROC"):
        assert name in page.text


def test_the_page_asks_nobody_for_anything(result, tmp_path):
    source = written(result, tmp_path)
    page = Page(source)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(v for _, name, v in page.attributes if name == "content" and "default-src" in v)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "<script" not in source
    loading = {"src", "href", "srcset", "data", "action", "style", "onload"}
    assert not {name for _, name, _ in page.attributes} & loading
    assert "url(" not in style
    assert "prefers-color-scheme: dark" in style


def test_hostile_names_stay_text(tmp_path):
    hostile = "<script>alert(1)</script>\u202e"
    samples = [
        Sample(f"{i}", "video", label=label, source=hostile, method=hostile, person=f"p{i}")
        for i, label in enumerate(["real", "fake"] * 3)
    ]
    verdicts = [verdict(s.path, 0.2 + i / 10, None, sound=False) for i, s in enumerate(samples)]
    source = written(measure(samples, verdicts, manifest=hostile, resamples=10), tmp_path)
    assert "<script" not in source
    assert "\u202e" not in source
    assert "\\u202e" in Page(source).text


def test_an_evaluation_of_nothing_is_a_page_too(tmp_path):
    empty = measure([Sample("a", "video")], [verdict("a", 0.5, None)], manifest="m.csv")
    text = Page(written(empty, tmp_path)).text
    assert "No row of the manifest has a label to measure against." in text


def test_points_of_a_plot_lie_where_a_ruler_puts_them():
    curves = Curves(
        roc=((0.0, 0.0), (0.25, 0.75), (1.0, 1.0)),
        reliability=(Bin(0.1, 0.0, 5), Bin(0.8, 1.0, 5)),
        risk_coverage=((0.5, 0.04), (0.8, 0.1)),
    )
    roc, reliable, risk = plots_of(curves)
    x = [LEFT, LEFT + 0.25 * (WIDTH_PX - LEFT - RIGHT), WIDTH_PX - RIGHT]
    y = [HEIGHT_PX - BOTTOM, TOP + 0.25 * (HEIGHT_PX - TOP - BOTTOM), TOP]
    drawn = [[float(n) for n in point.split(",")] for point in roc.line.split()]
    np.testing.assert_allclose(drawn, np.stack([x, y], axis=1), atol=0.05)
    assert [dot.title for dot in reliable.dots] == [
        "5 rows: 0.10 predicted, 0.00 were fake", "5 rows: 0.80 predicted, 1.00 were fake",
    ]  # fmt: skip
    assert [tick.text for tick in risk.y_ticks] == ["0", "0.02", "0.04", "0.06", "0.08", "0.1"]
    assert plots_of(Curves((), (), ())) == []
