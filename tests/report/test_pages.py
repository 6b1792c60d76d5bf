from __future__ import annotations

import numpy as np
from cli_fakes import MODEL, make_verdict

from seamline.report.pages import MOST_COLUMNS, model_summary, report_page
from seamline.scoring.evidence import Evidence, FaceLook, Listened


def look(track: int, seconds: float) -> FaceLook:
    crop = np.full((8, 8, 3), track, np.uint8)
    return FaceLook(track, seconds, crop, np.zeros((2, 2)), np.array([1.0, 2.0, 3.0, 4.0]), 0.5)


def listened(start: float, level: float, chances: list[float] | None) -> Listened:
    mel = np.full((4, 200), level, np.float32)
    return Listened(start, start + 2.0, mel, None if chances is None else np.array(chances), 1.0)


def test_looks_go_to_the_person_that_they_are_of():
    evidence = Evidence(looks=[look(0, 1.0), look(5, 1.0), look(0, 2.0)])
    page = report_page(make_verdict("a.mp4", 0.9), evidence)
    assert [person.track for person in page.people] == [0]
    assert [one.seconds for one in page.people[0].looks] == [1.0, 2.0]
    assert page.people[0].looks[0].box == (1.0, 2.0, 3.0, 4.0)


def test_sound_lies_where_it_was_heard_and_gaps_are_silent_and_unjudged():
    sound = [listened(0.0, 5.0, [0.1, 0.2]), listened(6.0, 7.0, None)]
    spectrogram = report_page(make_verdict("a", 0.9), Evidence(sound=sound)).spectrogram
    assert spectrogram is not None
    assert (spectrogram.start_seconds, spectrogram.stop_seconds) == (0.0, 8.0)
    assert spectrogram.log_mel.shape == (4, 800)
    row = spectrogram.log_mel[0]
    assert (row[:200] == 5.0).all()
    assert (row[600:] == 7.0).all()
    assert (row[200:600] == 5.0).all()  # the quietest that was heard
    assert list(spectrogram.step_probability) == [
        (0.0, 1.0, 0.1), (1.0, 2.0, 0.2), (2.0, 6.0, None), (6.0, 8.0, None)
    ]  # fmt: skip


def test_an_hour_of_sound_stays_small():
    sound = [listened(0.0, 1.0, [0.1, 0.1]), listened(3598.0, 2.0, [0.1, 0.1])]
    spectrogram = report_page(make_verdict("a", 0.9), Evidence(sound=sound)).spectrogram
    assert spectrogram is not None
    assert spectrogram.log_mel.shape == (4, MOST_COLUMNS)


def test_no_evidence_leaves_the_words():
    page = report_page(make_verdict("gone.mp4", 0.9), None)
    assert (page.people, page.spectrogram, page.size_bytes) == ((), None, None)


def test_the_model_is_summed_up_from_what_its_bundle_says():
    found = model_summary(
        MODEL, {"line": "one line", "limits": ["a", "b"], "figures": {"AUC": 0.9}}
    )
    assert found.summary_lines == ("one line",)
    assert found.limits == ("a", "b")
    assert found.figures == (("AUC", "0.9"),)
    assert model_summary(MODEL, {}).trained_on == ()
