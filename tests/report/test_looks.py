from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_factory import make_look, make_verdict

from seamline.report.looks import choose_looks, view_person
from seamline.report.page_data import PersonEvidence

scores = st.lists(st.floats(0, 1), min_size=9, max_size=60)


@given(scores)
def test_highest_looks_are_always_among_the_chosen(several: list[float]) -> None:
    looks = [make_look(float(k), score) for k, score in enumerate(several)]
    chosen = choose_looks(looks[::-1], 3, 5)
    times = [look.seconds for look, _ in chosen]
    assert times == sorted(set(times))
    assert len(times) == 8
    highest = [look.fake_probability for look, why in chosen if why.startswith("one of")]
    assert sorted(highest) == sorted(several)[-3:]


def test_other_looks_spread_over_the_whole_track() -> None:
    looks = [make_look(float(k), 1.0 if k >= 97 else 0.1) for k in range(100)]
    even = [look.seconds for look, why in choose_looks(looks, 3, 5) if why.startswith("even")]
    assert even == pytest.approx([9.7, 29.1, 48.5, 67.9, 87.3], abs=1.0)


def test_few_looks_are_all_shown() -> None:
    looks = tuple(make_look(float(k)) for k in range(8))
    assert [look for look, _ in choose_looks(looks, 3, 5)] == list(looks)
    verdict = make_verdict()
    view = view_person(PersonEvidence(5, looks), None, verdict.media, highest=3, spread=5)
    assert view.note == "8 of 8 examined looks are shown, in order of time."
    assert (view.when, view.probability) == (None, None)


@pytest.mark.parametrize(
    ("cell", "place"),
    [((0, 0), "top left"), ((2, 2), "centre"), ((4, 2), "bottom centre"), ((2, 4), "middle right")],
)
def test_hottest_place_is_told_in_words(cell: tuple[int, int], place: str) -> None:
    heat = np.zeros((5, 5), np.float32)
    heat[cell] = 0.8
    view = view_person(PersonEvidence(0, (make_look(heat=heat),)), None, {}, highest=3, spread=5)
    assert view.looks[0].heat_peak == f"highest 80\u00a0%, {place}"
    assert not view.looks[0].boxed


def test_look_without_heat_or_frame_has_neither_picture() -> None:
    evidence = PersonEvidence(0, (make_look(heat=None, frame=None),))
    (look,) = view_person(evidence, None, make_verdict().media, highest=3, spread=5).looks
    assert (look.heat_uri, look.heat_peak, look.frame_uri, look.boxed) == (None, None, None, False)
