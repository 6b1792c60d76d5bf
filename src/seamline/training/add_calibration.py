"""Writes numbers that were fitted elsewhere, a JSON file, into an exported bundle."""

from __future__ import annotations

import json
from pathlib import Path

from seamline.clips.contract import CropContract
from seamline.scoring.quality import QualityLimits
from seamline.training.export import replay
from seamline.zoo.bundle import Bundle
from seamline.zoo.layout import read_branch, write_bundle

CALIBRATED = {
    "calibration", "threshold", "usual_logits",
    "reference_calibration", "reference_share", "reference_threshold", "reference_usual_logits",
    "splices", "weight", "even_logit", "shortfall_weight", "pool_sharpness", "crops",
}  # fmt: skip
"""What a file of further calibration may say of a branch."""


def add_calibration(folder: Path, file: Path) -> Bundle:
    """Write numbers that were fitted elsewhere into an exported bundle; JSON, all keys optional::

        {"picture": {"reference_calibration": {"temperature": 0.8, "bias": -1.2},
                     "reference_threshold": 0.9, "reference_usual_logits": [-4, 9],
                     "crops": {"mask_share": 0.4, "detail_weight": 0.4}},
         "voice": {"splices": {"calibration": {"temperature": 0.2, "bias": -3.0},
                               "threshold": 0.8, "spread_floor": 2.4}},
         "quality": {"sharpness": [0.2, 0.09], "strangeness": [1.9, 2.2]}}

    A branch's fields are those of `Branch`, quality's those of `QualityLimits`; all others stay.
    """
    values = json.loads(file.read_text(encoding="utf-8"))
    stored = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    quality = values.pop("quality", None) or stored.get("quality")
    for name, fields in values.items():
        if name not in stored["branches"]:
            known = ", ".join(sorted(stored["branches"]))
            raise ValueError(f"{file} has numbers for {name}; the bundle has {known}.")
        odd = sorted(set(fields) - CALIBRATED)
        if odd:
            raise ValueError(
                f"{file}: {name} has no {', '.join(odd)}; "
                f"known are {', '.join(sorted(CALIBRATED))}."
            )
        stored["branches"][name] |= fields
        pair = ("reference_calibration", "reference_threshold")
        missing = [key for key in pair if stored["branches"][name].get(key) is None]
        if len(missing) == 1 or (missing and "reference_usual_logits" in fields):
            raise ValueError(
                f"{file}: {name} lacks {' and '.join(missing)}; against a reference a branch is "
                "judged by a calibration and a threshold of its own."
            )
    branches = {name: read_branch(values) for name, values in stored["branches"].items()}
    write_bundle(
        folder,
        name=stored["name"],
        version=stored["version"],
        contract=CropContract.from_json(stored["contract"]),
        branches=branches,
        summary=stored["summary"],
        quality=None if quality is None else QualityLimits.from_json(quality),
    )
    return replay(folder)
