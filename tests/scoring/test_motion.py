"""What motion adds: its own windows as measured, the others their track's mean, or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.findings import FaceScores
from seamline.scoring.motion import joined_logits, motion_added


def scores(track: int, start: float, motion: float | None) -> FaceScores:
    return FaceScores(track, start + np.arange(4) * 0.25, np.zeros(4), 200, motion=motion)


def test_windows_not_looked_at_get_their_track_s_mean() -> None:
    faces = [scores(0, 0, 1.0), scores(0, 2, None), scores(0, 4, 3.0), scores(1, 0, None)]
    assert motion_added(faces) == {(0, 0.0): 1.0, (0, 2.0): 2.0, (0, 4.0): 3.0, (1, 0.0): 0.0}
    assert joined_logits(faces[:3]).tolist() == [1.0] * 4 + [2.0] * 4 + [3.0] * 4


def test_evidence_goes_no_further_than_validation_saw() -> None:
    branch = Branch("motion.onnx", Calibration(2.0, 0.5), 0.0, usual_logits=(-4.0, 6.0), weight=3.0)
    genuine = 1 - branch.calibration.probability(2.0)
    assert branch.evidence(2.0) == pytest.approx(-3 * np.log(genuine))
    assert branch.evidence(100.0) == branch.evidence(6.0) == pytest.approx(3 * 3.53, abs=0.01)
    assert branch.evidence(-100.0) == branch.evidence(-4.0) == pytest.approx(3 * 0.20, abs=0.01)
