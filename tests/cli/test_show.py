from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from cli_fakes import MODEL, make_verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.cli.show import advice, body_lines, row_lines, summary
from seamline.report.words import headline
from seamline.scoring.verdict import (
    Person,
    Segment,
    SenseScore,
    SyncScore,
    Verdict,
    unreadable_verdict,
)


def text(verdict: Verdict, **options) -> str:
    return "\n".join(body_lines(verdict, **options)).replace("\xa0", " ")


def test_every_sense_is_told_with_its_number_or_its_reason():
    verdict = dataclasses.replace(
        make_verdict("a.mp4", 0.97),
        audio=SenseScore(0.042, 9.5, None),
        sync=SyncScore(0.1, -0.04, None),
    )
    shown = text(verdict)
    assert "picture    97 % chance of manipulation, 8 s examined" in shown
    assert "voice      4 % chance of manipulation, 9.5 s examined" in shown
    assert "synchrony  10 % chance of manipulation, the sound comes 0.04 s early" in shown
    unseen = text(make_verdict("a.mp4", 0.97))
    assert "voice      not examined: no audio stream" in unseen


def test_lips_that_fit_poorly_and_accuse_nobody_are_explained():
    shown = " ".join(text(dataclasses.replace(
        make_verdict("a.mp4", 0.04), sync=SyncScore(0.75, 0.0, None),
    )).split())  # fmt: skip
    assert "synchrony 75 % chance of manipulation, no natural lag fits" in shown
    assert "note Lips and sound fit poorly (75 %), too little to call the file fake" in shown


def test_a_row_tells_lips_and_sound_apart_from_a_forged_picture():
    apart = dataclasses.replace(
        make_verdict("a.mp4", 0.96), video=SenseScore(0.2, 8.0, None),
        sync=SyncScore(0.96, 0.0, None),
    )  # fmt: skip
    assert row_lines(apart)[0][0].startswith("fake sync ")
    assert row_lines(make_verdict("a.mp4", 0.96))[0][0].startswith("fake picture ")


def test_who_and_when_are_listed_and_the_rest_counted():
    people = tuple(Person(i, 0.0, 75.5, 0.5, 90) for i in range(11))
    segments = tuple(Segment("audio", None, i * 10, i * 10 + 4, 0.8) for i in range(9))
    verdict = dataclasses.replace(make_verdict("a", 0.9), people=people, segments=segments)
    shown = text(verdict)
    assert "who        Face 0, 0:00 to 1:15.5, 90 px high: 50 %" in shown
    assert "and 3 more" in shown
    assert "when       0:00–0:04 voice: 80 %" in shown
    assert "and 1 more" in shown


def test_certainty_is_never_claimed():
    assert "over 99 %" in text(make_verdict("a", 1.0))
    assert "under 1 %" in text(make_verdict("a", 0.0))


def test_the_closing_line_says_what_to_do():
    fake, real = make_verdict("my film.mp4", 0.9), make_verdict("my film.mp4", 0.1)
    assert "look and listen yourself from 0:02" in advice(fake)
    assert "seamline scan 'my film.mp4' --report report.html" in advice(fake)
    assert "Open r.html" in advice(fake, report="r.html")
    assert "That is no proof" in advice(real)
    unseen = dataclasses.replace(
        fake, label="inconclusive", fake_probability=None, segments=(),
        video=SenseScore(None, 0.0, "no face of at least 48 px for at least 1 s"),
    )  # fmt: skip
    assert "--min-face-px 24" in advice(unseen)


def test_an_unreadable_file_shows_its_reason_alone():
    lines = body_lines(unreadable_verdict("a.mp4", "the file is empty", MODEL))
    assert lines == ["the file is empty."]


def test_a_file_name_cannot_write_into_the_terminal():
    evil = "a\x1b[2J\u202egpm.mp4"
    (row, _), *_ = row_lines(make_verdict(evil, 0.1))
    assert "\x1b" not in row
    assert "\u202e" not in row
    warned = dataclasses.replace(make_verdict("a", 0.1), warnings=("odd \x1b[31m codec",))
    assert "\x1b" not in text(warned)


@given(
    st.text(max_size=60),
    st.integers(60, 100),
    st.sampled_from(["real", "fake_video", "inconclusive"]),
)
@settings(max_examples=40)
def test_no_line_is_wider_than_asked(warning, width, label):
    verdict = dataclasses.replace(
        make_verdict("a.mp4", 0.9), warnings=(f"long {warning} " * 5,), label=label
    )
    assert all(len(line) <= width for line in body_lines(verdict, width))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["real"], "1 file: 1 real."),
        (["fake_video", "fake_both", None, "inconclusive"],
         "4 files: 2 fake, 1 inconclusive, 1 could not be read."),
    ],
)  # fmt: skip
def test_the_summary_counts(labels, expected):
    assert summary(Counter(labels)) == expected


def test_a_part_that_stands_out_of_a_real_file_is_told():
    part = (Segment("audio", None, 0.64, 4.08, 0.91),)
    verdict = dataclasses.replace(make_verdict("a.m4a", 0.4), segments=part)
    lines = [line.replace("\xa0", " ").strip() for line, _ in row_lines(verdict)]
    assert lines == ["real               40 %  a.m4a", "0:00.6–0:04.1 voice: 91 %"]
    assert "look and listen yourself from 0:00.6" in advice(verdict)
    assert headline(verdict).title == "No manipulation found on the whole, but a part stands out"
    assert "Strongest in the voice at 0:00.6–0:04.1" in headline(verdict).sentence
