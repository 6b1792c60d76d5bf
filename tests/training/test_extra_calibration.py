"""Numbers fitted elsewhere are written into a finished bundle, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seamline.scoring.calibration import Calibration
from seamline.scoring.crop_logits import CropWeights
from seamline.scoring.quality import QualityLimits
from seamline.scoring.splices import SpliceRule
from seamline.training.add_calibration import add_calibration
from tiny_bundle import write_tiny_bundle


def test_numbers_for_references_come_from_a_file(tmp_path: Path) -> None:
    before = write_tiny_bundle(tmp_path / "tiny")
    file = tmp_path / "extra.json"
    numbers = {
        "reference_calibration": {"temperature": 0.8, "bias": -1.2},
        "reference_threshold": 0.9,
        "reference_usual_logits": [-4, 9],
        "even_logit": -1.5,
        "shortfall_weight": 1.25,
        "pool_sharpness": 0.25,
        "crops": {"mask_share": 0.4, "detail_weight": 0.3},
        "splices": {
            "calibration": {"temperature": 0.1, "bias": -4.0},
            "threshold": 0.9,
            "spread_floor": 5.0,
        },
    }
    limits = {"sharpness": [0.3, 0.1], "strangeness": [1.5, 2.5]}
    file.write_text(json.dumps({"picture": numbers, "quality": limits}))
    after = add_calibration(before.folder, file)
    branch = after.branches["picture"]
    assert branch.reference_calibration == Calibration(0.8, -1.2)
    assert branch.reference_threshold == 0.9
    assert branch.reference_usual_logits == (-4, 9)
    assert (branch.even_logit, before.branches["picture"].even_logit) == (-1.5, None)
    assert (branch.shortfall_weight, before.branches["picture"].shortfall_weight) == (1.25, 0.0)
    assert (branch.pool_sharpness, branch.crops) == (0.25, CropWeights(0.4, 0.3))
    assert branch.splices == SpliceRule(Calibration(0.1, -4.0), threshold=0.9, spread_floor=5.0)
    assert branch.calibration == before.branches["picture"].calibration
    assert after.quality == QualityLimits(sharpness=(0.3, 0.1), strangeness=(1.5, 2.5))
    assert before.quality == QualityLimits()
    assert after.branches["voice"] == before.branches["voice"]
    assert after.contract == before.contract
    assert after.summary == before.summary


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"mouth": {}}, "numbers for mouth; the bundle has picture, voice"),
        ({"quality": {"blur": [1, 2]}}, "quality has no blur; known are darkness"),
        ({"picture": {"reference_threshold": 0.9}}, "picture lacks reference_calibration"),
        ({"picture": {"reference_usual_logits": [-1, 1]}}, "lacks reference_calibration and"),
        ({"picture": {"crops": {"mask": 0.5}}}, "crops has no mask; known are detail_weight, mask"),
        ({"picture": {"treshold": 0.5}}, "picture has no treshold; known are calibration"),
    ],
)
def test_numbers_that_belong_nowhere_are_refused(
    tmp_path: Path, values: dict[str, object], reason: str
) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    (tmp_path / "extra.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match=reason):
        add_calibration(bundle.folder, tmp_path / "extra.json")
