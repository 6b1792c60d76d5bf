"""Stretches shown in genuine files: counted by sense, forged and unexamined files left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evaluation_factory import verdict

from seamline.data.manifest import Sample
from seamline.evaluation.evaluate import measure
from seamline.evaluation.false_stretches import FalseStretches, measure_false_stretches
from seamline.evaluation.rows import parts
from seamline.evaluation.table import result_json
from seamline.scoring.verdict import Segment, Verdict

GENUINE = Sample("a.mp4", "video", label="real", video_label="real", audio_label="real")
FAKE_VOICE = replace(GENUINE, path="b.mp4", label="fake", audio_label="fake")


def shown(modalities: list[str], picture: float | None = 0.1, voice: float | None = 0.1) -> Verdict:
    pointed_at = tuple(
        Segment(modality, 0, i, i + 0.5, 0.9)  # type: ignore[arg-type]
        for i, modality in enumerate(modalities)
    )
    return replace(verdict("a.mp4", picture, voice), segments=pointed_at)


def test_counts_files_and_stretches_by_sense():
    verdicts = [shown(["audio", "audio", "sync"]), shown([]), shown(["video", "audio"])]
    found = measure_false_stretches([GENUINE, GENUINE, FAKE_VOICE], verdicts)
    assert found["picture"] == FalseStretches(3, 1, 1, examined_seconds=6.0)
    assert found["voice"] == FalseStretches(2, 1, 2, examined_seconds=4.0)
    assert found["voice"].per_hour == 1800


def test_what_was_not_examined_is_no_evidence_of_calm():
    assert measure_false_stretches([GENUINE], [shown([], None, None)]) == {}


def test_reports_carry_them():
    result = measure([GENUINE, FAKE_VOICE], [shown(["audio"]), shown(["audio"], voice=0.9)])
    assert result_json(result)["false_stretches"]["voice"] == {
        "files": 1, "files_with_some": 1, "stretches": 1, "examined_seconds": 2.0,
        "per_hour": 1800.0,
    }  # fmt: skip
    table = next(part for part in parts(result) if part.title.startswith("Stretches shown"))
    assert table.rows[-1] == ("voice", "1", "1", "1", "0.00", "1800.0")


def test_nothing_examined_has_no_rate():
    assert FalseStretches(1, 0, 0, examined_seconds=0.0).per_hour is None
    assert FalseStretches(2, 1, 3, examined_seconds=60.0).per_hour == pytest.approx(180)
