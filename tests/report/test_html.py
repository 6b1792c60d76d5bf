from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from report_factory import HOSTILE, MODEL, MODEL_ID, make_look, make_page, make_verdict

from seamline.report.html import write_report
from seamline.report.page_data import ModelSummary, PersonEvidence, ReportPage, Spectrogram
from seamline.scoring.verdict import SenseScore, SyncScore, Timeline, unreadable_verdict

VOID = {"meta", "img", "br", "input", "link", "hr"}
MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Page(HTMLParser):
    """Reads a page strictly: elements with attributes, texts, and that tags nest."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).replace("\u00a0", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(folder: Path, *pages: ReportPage, model: ModelSummary = MODEL) -> Page:
    path = folder / "report.html"
    write_report(path, pages, model=model, made_at=MOMENT)
    return Page(path)


def test_hostile_texts_are_shown_and_not_run(tmp_path: Path) -> None:
    hostile = make_page(
        path=HOSTILE,
        warnings=(HOSTILE,),
        sync=SyncScore(None, None, HOSTILE),
        media={"duration_seconds": 10.0, "video": {"codec": HOSTILE, "width": 9, "height": 9}},
    )
    error = ReportPage(unreadable_verdict(HOSTILE, HOSTILE, MODEL_ID))
    model = ModelSummary(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,), (HOSTILE,))
    page = report(tmp_path, hostile, error, model=model)
    assert {"script", "iframe", "object", "embed", "link", "base", "form"}.isdisjoint(
        tag for tag, _ in page.elements
    )
    assert all(not name.startswith("on") for _, found in page.elements for name in found)
    assert all(image["src"] != "x" for image in page.all("img"))
    # Path in index and section, warning, reason, codec, error; model name, version, hash, card.
    assert page.text.count(HOSTILE) >= 12
    assert "49.mp4" not in page.text


def test_page_asks_no_host_for_anything(tmp_path: Path) -> None:
    page = report(tmp_path, make_page(), make_page())
    addresses = [
        value
        for _, found in page.elements
        for name, value in found.items()
        if name in {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
    ]
    assert len(addresses) > 30
    assert all(str(address).startswith(("data:image/", "#")) for address in addresses)
    assert "://" not in page.source
    assert "@import" not in page.source
    assert set(re.findall(r"url\(([^)]*)\)", page.source)) == {"#hatch"}


def test_policy_allows_the_pages_own_style_and_nothing_else(tmp_path: Path) -> None:
    page = report(tmp_path, make_page())
    policy = next(
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    (style,) = re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    # A style attribute would be refused by that policy.
    assert not any("style" in found for _, found in page.elements)


def test_every_picture_decodes(tmp_path: Path) -> None:
    page = report(tmp_path, make_page())
    sources = [str(image["src"]) for image in page.all("img")]
    for source in sources:
        data = np.frombuffer(base64.b64decode(source.split(",", 1)[1], validate=True), np.uint8)
        assert cv2.imdecode(data, cv2.IMREAD_COLOR) is not None
    # Eight looks of three pictures, the legend and the spectrogram.
    assert len(sources) == 8 * 3 + 2


def test_page_can_be_heard(tmp_path: Path) -> None:
    page = report(tmp_path, make_page(), make_page(label="real", fake_probability=0.1))
    assert all(image.get("alt") for image in page.all("img"))
    for drawing in page.all("svg"):
        named = drawing.get("role") == "img" and drawing.get("aria-label")
        assert named or drawing.get("aria-hidden") == "true"
    assert all(cell.get("scope") in {"col", "row"} for cell in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    pointed = [str(link["href"])[1:] for link in page.all("a")]
    pointed += [
        str(found["aria-labelledby"]) for _, found in page.elements if "aria-labelledby" in found
    ]
    assert set(pointed) <= set(ids)
    lane = next(str(drawing["aria-label"]) for drawing in page.all("svg") if "role" in drawing)
    assert "Segment 0:02\u20130:06: 99\u00a0%" in lane


def test_verdict_stands_in_words_and_figures(tmp_path: Path) -> None:
    text = report(tmp_path, make_page()).text
    for expected in (
        "Very likely manipulated picture: 97 %",
        "Strongest in the picture at 0:02–0:06, face 0.",
        "Voice 4 % very unlikely 9.5 s of 10 s",
        "Synchrony not examined this model does not judge synchrony",
        "Picture: 1 s without a score, at 0:08–0:09",
        "Face 1: seen at 0:08–0:08.5, not scored",
        "heavy compression: scores are less certain",
        "A probability is not a proof",
        "Ask for the original file",
        "h264, 640×480 px, 25 frames/s",
        "5.1 MB (5 123 456 bytes)",
        "c0ffee00" * 8,
        "ab" * 32,
        "seamline-test, version 7",
        "synthetic faces",
        "knows nothing of singing",
        "Picture, AUC 0.83",
        "Made 2026-03-01 12:30:00 UTC by Seamline 0.",
        "8 of 20 examined looks are shown",
        "x 320 to 480, y 120 to 360 px",
        "20 to 7600 Hz",
    ):
        assert expected in text, expected


def test_unread_file_gets_its_reason_and_no_figures(tmp_path: Path) -> None:
    verdict = unreadable_verdict("broken.mp4", "this is text, not media", MODEL_ID)
    section = report(tmp_path, ReportPage(verdict)).text.split("How to read this")[0]
    assert "Could not be read This is text, not media." in section
    assert "%" not in section


def test_file_without_evidence_is_inconclusive_and_never_half(tmp_path: Path) -> None:
    verdict = make_verdict(
        label="inconclusive",
        fake_probability=None,
        video=SenseScore(None, 0.0, "no face of at least 48 px for at least 1 s"),
        audio=SenseScore(None, 0.0, "no audio stream"),
        people=(),
        segments=(),
        timeline=Timeline(1.0, (None,) * 10, (None,) * 10, (None,) * 10),
    )
    page = report(tmp_path, ReportPage(verdict))
    assert "Inconclusive Nothing could be examined because of this: picture: no face" in page.text
    assert not [found for tag, found in page.elements if "bar" in str(found.get("class")).split()]
    assert "manipulated picture" not in page.text.lower()


def test_photo_has_no_timeline(tmp_path: Path) -> None:
    media = {
        "duration_seconds": None,
        "video": {"codec": "mjpeg", "width": 640, "height": 480, "frames_per_second": None},
        "audio": None,
    }
    timeline = Timeline(1.0, (0.9,), (None,), (None,))
    page = report(
        tmp_path, ReportPage(make_verdict(media=media, timeline=timeline, segments=(), people=()))
    )
    assert not [one for one in page.all("svg") if one.get("class") == "lane"]
    assert "9 s examined" in page.text


def test_several_files_are_listed_with_the_most_suspicious_first(tmp_path: Path) -> None:
    pages = [
        ReportPage(make_verdict(path="quiet.mp4", label="real", fake_probability=0.1)),
        ReportPage(unreadable_verdict("broken.mp4", "no media", MODEL_ID)),
        ReportPage(make_verdict(path="loud.mp4", fake_probability=0.8)),
        ReportPage(make_verdict(path="louder.mp4", fake_probability=0.9)),
        ReportPage(make_verdict(path="open.mp4", label="inconclusive", fake_probability=None)),
    ]
    page = report(tmp_path, *pages)
    links = [link["href"] for link in page.all("a") if str(link["href"]).startswith("#file-")]
    assert links == ["#file-4", "#file-3", "#file-5", "#file-2", "#file-1"]
    assert (
        "5 files: 2 likely manipulated, 1 inconclusive, 1 unreadable, 1 with no manipulation found."
        in page.text
    )


def test_no_files_make_a_page_that_says_so(tmp_path: Path) -> None:
    assert "No file was scanned." in report(tmp_path).text


def test_names_that_are_not_text_or_turn_it_around_are_spelled_out(tmp_path: Path) -> None:
    path = "a\udcff/evil\u202egpj.mp4\n"
    page = report(tmp_path, ReportPage(make_verdict(path=path)))
    assert "a\\udcff/evil\\u202egpj.mp4\\u000a" in page.text
    assert "\u202e" not in page.source


def test_failed_report_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [make_page()], model=MODEL, made_at=MOMENT)
    before = path.read_bytes()
    broken = Spectrogram(5.0, 5.0, np.zeros((4, 4), np.float32), [])
    with pytest.raises(ValueError, match=r"stop after start, not 5\.0 s to 5\.0 s"):
        write_report(path, [make_page(), ReportPage(make_verdict(), (), broken)], model=MODEL)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_many_faces_and_segments_are_cut_short_with_a_word(tmp_path: Path) -> None:
    verdict = make_verdict()
    many = tuple(PersonEvidence(k, (make_look(float(k), k / 20),)) for k in range(10))
    segments = verdict.segments * 60
    page = report(tmp_path, ReportPage(make_verdict(segments=segments, people=()), many))
    assert "4 further face(s) with lower probabilities are not pictured" in page.text
    assert "10 further segments with lower probabilities are not listed" in page.text
    assert "Face 9: " not in page.text.split("Face 9")[0]
    assert [name for name in range(10) if f"Face {name} at" in page.source] == [4, 5, 6, 7, 8, 9]


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_keep_their_contrast(tmp_path: Path, scheme: int) -> None:
    style = report(tmp_path, make_page()).source
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for text in ("ink", "quiet", "link", "fake", "real", "unsure"):
        for ground in ("back", "card"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for level in range(5):
        assert _contrast(colours[f"p{level}"], colours["cell"]) >= 3.0, level
