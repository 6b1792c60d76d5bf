"""The page says, draws and chooses the same as the report: both are asked about the same things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from page_browser import Browser
from page_double import PAGE, running_double
from report_factory import make_look, make_verdict

from seamline.html.visible import visible
from seamline.report import lanes, words
from seamline.report.looks import choose_looks
from seamline.report.overlay import marks_at
from seamline.scoring.verdict import Segment, SenseScore, SyncScore, Timeline, Verdict

CHANCES = [0.0, 0.004, 0.01, 0.1, 0.125, 0.145, 0.1649, 0.33, 0.5, 0.66, 0.875, 0.9, 0.985, 0.99]
CHANCES += [0.9949, 0.995, 0.999, 1.0]
TIMES = [0.0, 0.04, 0.05, 0.25, 0.349, 0.95, 1.0, 1.25, 9.96, 59.94, 59.95, 59.96, 60.0, 61.5]
TIMES += [119.97, 125.4, 3599.96, 3600.0, 3725.25, 86399.0]
NAMES = [
    "talk.mp4",
    "a\u202egpm.exe",
    "tab\there",
    "\u200f\u2066x\u2069",
    "é 漢字 🙂",
    "\x00\x7f\x9f",
]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Browser]:
    """The browser at the page, from where its modules can be imported."""
    with running_double() as double:
        browser.open(double.address)
        browser.find("h1")
        yield browser
        browser.driver.get("about:blank")


def ask(page: Browser, module: str, expression: str, given: Any) -> Any:
    """Evaluate an expression of a module's names (`m`) for each of the given values (`x`)."""
    script = (
        f"const given = JSON.parse(arguments[0]);"
        f"return import(`/static/{module}`).then((m) => given.map((x) => {expression}));"
    )
    return page.js(script, json.dumps(given))


@pytest.mark.parametrize(
    ("name", "told", "given"),
    [
        ("percent", words.percent, CHANCES),
        ("likelihood", words.likelihood, CHANCES),
        ("clock", words.clock, TIMES),
        ("secondsText", words.seconds_text, TIMES),
        ("visible", visible, NAMES),
        ("personName", words.person_name, [0, 7]),
    ],
)
def test_page_and_report_use_the_same_words(
    page: Browser, name: str, told: Any, given: list[Any]
) -> None:
    assert ask(page, "words.js", f"m.{name}(x)", given) == [told(one) for one in given]


def test_page_and_report_show_the_same_scale_of_likelihood(page: Browser) -> None:
    assert ask(page, "words.js", "m.likelihoodScale()", [0])[0] == [
        list(row) for row in words.likelihood_scale()
    ]


def some_verdicts() -> list[Verdict]:
    """Verdicts of every kind, among them those that say least."""
    unseen = SenseScore(None, 0.0, "no face of at least 48 px for at least 1 s")
    unheard = SenseScore(None, 0.0, "no audio stream")
    apart = SyncScore(None, None, "no audio stream")
    found = [make_verdict(), make_verdict(segments=()), make_verdict(label="inconclusive")]
    labels = ["real", "fake_video", "fake_audio", "fake_both"]
    found += [
        make_verdict(label=label, fake_probability=p, audio=unheard)
        for label in labels
        for p in CHANCES
    ]
    found += [make_verdict(label="real", fake_probability=p, segments=()) for p in CHANCES]
    found += [
        make_verdict(
            label="fake_both", fake_probability=max(p, 0.95), video=SenseScore(p, 0.0, None),
            audio=SenseScore(0.95, 0.0, None),
        )
        for p in CHANCES
    ]  # fmt: skip
    found += [
        make_verdict(
            fake_probability=p, video=SenseScore(0.2, 9.0, None), sync=SyncScore(p, 0.0, None)
        )
        for p in CHANCES
    ]
    found += [
        make_verdict(label="real", fake_probability=0.04, segments=(), sync=SyncScore(p, 0.0, None))
        for p in CHANCES
    ]
    many = tuple(Segment("audio", None, k / 3, k / 3 + 0.7, 0.5 + k / 20) for k in range(9))
    found.append(make_verdict(segments=many, sync=SyncScore(0.2, 0.04, None)))
    found.append(
        make_verdict(
            label="inconclusive", fake_probability=None, video=unseen, audio=unheard, sync=apart,
            people=(), segments=(),
        )
    )  # fmt: skip
    return found


def test_page_and_report_have_the_same_headline_for_every_kind_of_verdict(page: Browser) -> None:
    verdicts = some_verdicts()
    told = ask(page, "words.js", "m.headline(x)", [verdict.to_json() for verdict in verdicts])
    for verdict, found in zip(verdicts, told, strict=True):
        expected = words.headline(Verdict.from_json(verdict.to_json()))
        assert found == expected.__dict__


def test_page_and_report_lay_out_time_alike(page: Browser) -> None:
    generator = np.random.default_rng(4)
    for stop in (0.7, 4.0, 10.0, 94.2, 611.0, 7300.0):
        values = [None if p < 0.2 else round(float(p), 3) for p in generator.random(int(stop) + 1)]
        starts = np.sort(generator.random(7) * stop)
        segments = [(float(s), min(float(s) + stop / 9, stop), 0.9) for s in starts]
        given = {
            "stop": stop,
            "values": values,
            "segments": [
                {"start_seconds": a, "stop_seconds": b, "fake_probability": p}
                for a, b, p in segments
            ],
        }
        steps = "m.fewer(m.stepsOf(x.values, 1, x.stop))"
        expression = (
            f"({{ticks: m.ticks(x.stop), bars: m.bars({steps}, x.stop), "
            f"told: m.describe('Voice', {steps}, x.segments), "
            "brackets: m.placeBrackets(x.segments, x.stop)})"
        )
        found = ask(page, "lanes.js", expression, [given])[0]

        axis = lanes.Axis(0.0, stop)
        every = lanes.steps_of(values, 1.0, stop)
        joined = lanes.join_steps(every, max(1, -(-len(every) // lanes.MOST_CELLS)))
        lane = lanes.draw_lane("Voice", joined, segments, axis)
        assert [t["label"] for t in found["ticks"]] == [t.label for t in lanes.ticks(axis)]
        assert [t["x"] for t in found["ticks"]] == pytest.approx([t.x for t in lanes.ticks(axis)])
        assert [b["level"] for b in found["bars"]] == [b.level for b in lane.bars]
        assert [b["title"] for b in found["bars"]] == [b.title for b in lane.bars]
        for side in ("x", "width", "height"):
            assert [b[side] for b in found["bars"]] == pytest.approx(
                [getattr(b, side) for b in lane.bars]
            )
        assert found["told"] == lane.description
        assert [(b["row"], b["label"] or None) for b in found["brackets"]] == [
            (b.row, b.label) for b in lane.brackets
        ]


def test_examined_frames_fill_the_file_and_their_gaps_are_not_examined(page: Browser) -> None:
    seconds, values = [1.0, 1.25, 1.5, 3.0], [0.1, 0.2, 0.3, 0.4]
    steps = ask(page, "lanes.js", "m.frameSteps(x[0], x[1], 5)", [[seconds, values]])[0]
    assert steps == [
        [0, 0.875, None], [0.875, 1.125, 0.1], [1.125, 1.375, 0.2], [1.375, 1.625, 0.3],
        [1.625, 2.875, None], [2.875, 3.125, 0.4], [3.125, 5, None],
    ]  # fmt: skip


def test_the_lane_of_a_face_tells_the_score_that_its_box_tells(page: Browser) -> None:
    generator = np.random.default_rng(3)
    seconds = [round(0.25 * k + float(generator.random()) / 50, 3) for k in range(33)]
    face = {
        "track": 0,
        "seconds": seconds,
        "boxes": [[0, 0, 9, 9]] * 33,
        "fake_probability": [k / 100 for k in range(33)],
    }
    moments = [round(k / 23, 3) for k in range(23 * 8)]
    given = [{"face": face, "at": moment} for moment in moments]
    boxes = ask(page, "boxes.js", "m.marksAt([x.face], x.at)[0].probability", given)
    expression = "m.valueAt(m.frameSteps(x.face.seconds, x.face.fake_probability, 8.2), x.at)"
    assert ask(page, "lanes.js", expression, given) == boxes


def test_boxes_move_as_in_the_annotated_video(page: Browser) -> None:
    generator = np.random.default_rng(9)
    faces, tracks = [], {}
    for track in range(3):
        seconds = np.sort(np.round(generator.random(12) * 12, 3)).tolist()
        boxes = np.round(generator.random((12, 4)) * 200, 1).tolist()
        chances = np.round(generator.random(12), 4).tolist()
        face = {"track": track, "seconds": seconds, "boxes": boxes, "fake_probability": chances}
        faces.append(face)
        tracks[track] = list(zip(seconds, map(tuple, boxes), chances, strict=True))
    moments = [round(0.1 * k, 1) for k in range(130)] + [faces[0]["seconds"][3]]
    given = [{"faces": faces, "at": moment} for moment in moments]
    told = ask(page, "boxes.js", "m.marksAt(x.faces, x.at)", given)
    shown = 0
    for moment, found in zip(moments, told, strict=True):
        expected = marks_at(tracks, moment)
        assert [words.person_name(one["track"]) for one in found] == [m.name for m in expected]
        for one, mark in zip(found, expected, strict=True):
            assert one["box"] == pytest.approx(mark.box)
            assert one["probability"] == mark.fake_probability
            shown += 1
    assert shown > 50


def test_a_picture_is_found_inside_its_letterbox(page: Browser) -> None:
    wide, tall = ask(
        page, "boxes.js", "m.containedRect(...x)", [[400, 400, 1280, 720], [400, 300, 300, 600]]
    )
    assert wide == {"x": 0, "y": 87.5, "width": 400, "height": 225}
    assert tall == {"x": 125, "y": 0, "width": 150, "height": 300}


@pytest.mark.parametrize("count", [1, 8, 9, 20, 61])
def test_page_and_report_choose_the_same_looks(page: Browser, count: int) -> None:
    generator = np.random.default_rng(count)
    looks = [make_look(k / 4, round(float(p), 2)) for k, p in enumerate(generator.random(count))]
    given = [{"seconds": one.seconds, "fake_probability": one.fake_probability} for one in looks]
    found = ask(page, "faces.js", "m.chooseLooks(x).map((one) => one.seconds)", [given])[0]
    assert found == [look.seconds for look, _ in choose_looks(looks, 3, 5)]


def test_every_module_is_fetched_at_once_and_nothing_that_is_not_there() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:href|src)="static/([^"]+)"', html))
    assert named == {path.name for path in PAGE.iterdir()} - {"index.html"}


def test_a_file_without_time_has_no_timeline(page: Browser) -> None:
    still = {"duration_seconds": None, "video": None, "audio": None}
    photo = make_verdict(media=still, segments=(), timeline=Timeline(1.0, (0.5,), (None,), (None,)))
    given = [photo.to_json(), make_verdict().to_json()]
    assert ask(page, "lanes.js", "m.hasTime(x)", given) == [False, True]
