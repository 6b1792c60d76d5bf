from __future__ import annotations

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.scoring.verdict import (
    ModelId,
    Person,
    Segment,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
    media_summary,
    unreadable_verdict,
)

# The public contract, letter for letter as it was promised.
PROMISED = """
{"schema": 1, "path": "talk.mp4", "sha256": "ab12",
 "media": {"duration_seconds": 10.0,
           "video": {"codec": "h264", "width": 1920, "height": 1080, "frames_per_second": 29.97},
           "audio": {"codec": "aac", "sample_rate_hz": 44100}},
 "label": "fake_video", "fake_probability": 0.97,
 "video": {"fake_probability": 0.98, "examined_seconds": 8.0, "reason": null},
 "audio": {"fake_probability": 0.04, "examined_seconds": 9.5, "reason": null},
 "sync":  {"fake_probability": 0.10, "offset_seconds": 0.04, "reason": null},
 "people": [{"track": 0, "start_seconds": 0.0, "stop_seconds": 10.0,
             "fake_probability": 0.98, "face_px": 212}],
 "segments": [{"modality": "video", "track": 0, "start_seconds": 2.0, "stop_seconds": 6.0,
               "fake_probability": 0.99}],
 "timeline": {"step_seconds": 1.0, "video": [0.1, 0.2], "audio": [0.0, 0.1], "sync": [null, 0.1]},
 "warnings": ["heavy compression: scores are less certain"],
 "model": {"name": "seamline-small", "version": "1", "sha256": "cd34"},
 "seconds": {"decode": 0.8, "faces": 0.3, "model": 0.4, "total": 1.6},
 "reference": null}
"""
MODEL = ModelId("seamline-small", "1", "cd34")


def test_the_promised_json_survives_a_round_trip_with_its_order():
    promised = json.loads(PROMISED)
    verdict = Verdict.from_json(promised)
    assert verdict.people == (Person(0, 0.0, 10.0, 0.98, 212),)
    assert verdict.segments == (Segment("video", 0, 2.0, 6.0, 0.99),)
    assert verdict.timeline.sync == (None, 0.1)
    assert json.dumps(verdict.to_json()) == json.dumps(promised)


def test_proposals_are_in_the_json_only_where_they_were_asked_for():
    plain = Verdict.from_json(json.loads(PROMISED))
    assert plain.proposals is None
    assert "proposals" not in plain.to_json()
    some = dataclasses.replace(plain, proposals=(Segment("video", 0, 7.0, 8.0, 0.12345),))
    told = some.to_json()["proposals"]
    assert told == [{"modality": "video", "track": 0, "start_seconds": 7.0, "stop_seconds": 8.0,
                     "fake_probability": 0.1235}]  # fmt: skip
    again = Verdict.from_json(json.loads(json.dumps(some.to_json())))
    assert again.proposals == (Segment("video", 0, 7.0, 8.0, 0.1235),)
    assert dataclasses.replace(plain, proposals=()).to_json()["proposals"] == []


PROBABILITY = st.one_of(st.none(), st.floats(0, 1))
SECONDS = st.floats(0, 1e5)


@given(PROBABILITY, SECONDS, st.lists(PROBABILITY, max_size=5), st.sampled_from([None, "no face"]))
def test_any_verdict_survives_json_up_to_its_rounding(chance, seconds, row, reason):
    verdict = dataclasses.replace(
        Verdict.from_json(json.loads(PROMISED)),
        fake_probability=chance,
        video=SenseScore(chance, seconds, reason or "no face"),
        people=(Person(1, seconds, seconds + 1, chance, 60),),
        timeline=Timeline(1.0, tuple(row), (), ()),
        seconds={"total": seconds},
    )
    once = verdict.to_json()
    again = Verdict.from_json(json.loads(json.dumps(once, allow_nan=False)))
    assert again.to_json() == once
    assert (again.fake_probability is None) == (chance is None)
    if chance is not None:
        assert abs(again.fake_probability - chance) <= 0.5e-4 + 1e-12
    assert abs(again.video.examined_seconds - seconds) <= 0.5e-3 + 1e-9
    assert again.label == "fake_video"


def test_probabilities_carry_four_decimals_and_seconds_three():
    verdict = dataclasses.replace(
        Verdict.from_json(json.loads(PROMISED)),
        fake_probability=np.float64(0.123456),
        timeline=Timeline(0.33333, (0.123456,), (None,), ()),
        seconds={"total": 1.23456},
        sync=SyncScore(0.123456, -0.00001, None),
    )
    found = verdict.to_json()
    assert found["fake_probability"] == 0.1235
    assert found["timeline"] == {
        "step_seconds": 0.333, "video": [0.1235], "audio": [None], "sync": []
    }  # fmt: skip
    assert found["seconds"] == {"total": 1.235}
    assert json.dumps(found["sync"]["offset_seconds"]) == "0.0"


def test_an_unreadable_file_is_a_row_with_a_reason_and_no_label():
    found = unreadable_verdict("empty.mp4", "the file is empty", MODEL).to_json()
    assert found["label"] is None
    assert found["error"] == "the file is empty"
    assert found["sha256"] is None
    assert found["fake_probability"] is None
    assert Verdict.from_json(found) == unreadable_verdict("empty.mp4", "the file is empty", MODEL)


def test_a_readable_file_has_no_error_key():
    assert "error" not in Verdict.from_json(json.loads(PROMISED)).to_json()


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_what_is_no_probability_is_refused_where_it_is_made(value):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        SenseScore(value, 1.0, None)


def test_a_nan_never_reaches_the_json():
    verdict = dataclasses.replace(
        Verdict.from_json(json.loads(PROMISED)), sync=SyncScore(0.5, math.nan, None)
    )
    with pytest.raises(ValueError, match="missing evidence is None"):
        verdict.to_json()


def test_an_unexamined_sense_needs_a_reason():
    with pytest.raises(ValueError, match="needs a reason"):
        SenseScore(None, 0.0, None)


def test_a_verdict_of_another_schema_is_refused():
    with pytest.raises(ValueError, match="schema 1, found 2"):
        Verdict.from_json({**json.loads(PROMISED), "schema": 2})


def test_further_keys_are_ignored():
    promised = json.loads(PROMISED)
    promised["people"][0]["hat"] = "red"
    assert Verdict.from_json({**promised, "input": {}}).to_json() == json.loads(PROMISED)


def test_media_summary_names_what_is_there_and_nulls_what_is_not():
    video = SimpleNamespace(
        codec="h264", width=640, height=480, frames_per_second=None,
        rotation_degrees=90, duration_seconds=2.0,
    )  # fmt: skip
    info = SimpleNamespace(duration_seconds=2.0, video=video, audio=None)
    assert media_summary(info) == {
        "duration_seconds": 2.0,
        "video": {"codec": "h264", "width": 640, "height": 480, "frames_per_second": None},
        "audio": None,
    }
