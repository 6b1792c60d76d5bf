"""What lies in a bundle's folder: written by training, read and verified by the runtime.

``bundle.json`` (contract, calibration and threshold a branch, the hash of every file), ONNX graphs,
``card.md`` and ``golden.npz``. Nothing in it is executed or unpickled; a file whose hash differs is
refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seamline.clips.contract import CropContract
from seamline.errors import BadBundle
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.crop_logits import CropWeights
from seamline.scoring.quality import QualityLimits
from seamline.scoring.splices import SpliceRule

SCHEMA = 1


def write_bundle(
    folder: Path,
    *,
    name: str,
    version: str,
    contract: CropContract,
    branches: Mapping[str, Branch],
    summary: Mapping[str, Any],
    quality: QualityLimits | None = None,
) -> None:
    """Write ``bundle.json`` over the graphs, card and golden file that lie in ``folder``."""
    values = {
        "schema": SCHEMA,
        "name": name,
        "version": version,
        "contract": contract.to_json(),
        "branches": {key: _branch_json(branch) for key, branch in branches.items()},
        **({} if quality is None else {"quality": quality.to_json()}),
        "summary": dict(summary),
        "files": {
            path.name: _sha256(path)
            for path in sorted(folder.iterdir())
            if path.suffix in (".onnx", ".npz", ".md")
        },
    }
    (folder / "bundle.json").write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def verify_files(folder: Path, values: dict[str, Any]) -> None:
    """Raise `BadBundle` if a file is missing or is not the one that was written."""
    if values.get("schema") != SCHEMA:
        raise BadBundle(
            f"{folder} is a bundle of schema {values.get('schema')}; this version reads "
            f"schema {SCHEMA}. Update Seamline or export the bundle again."
        )
    needed = {branch["graph"] for branch in values["branches"].values()}
    unlisted = needed - set(values["files"])
    if unlisted:
        raise BadBundle(f"{folder}: bundle.json lists no hash of {', '.join(sorted(unlisted))}.")
    for file, expected in values["files"].items():
        path = folder / file
        if Path(file).name != file or not path.is_file():
            raise BadBundle(f"{folder}: the file {file} is missing. Install or export it again.")
        if (found := _sha256(path)) != expected:
            raise BadBundle(
                f"{path} was altered: its sha256 is {found[:12]}…, bundle.json says "
                f"{expected[:12]}…. Install or export the bundle again."
            )


def read_branch(values: dict[str, Any]) -> Branch:
    """Read what `bundle.json` says of a branch."""
    reference = values.get("reference_calibration")
    return Branch(
        graph=values["graph"],
        calibration=Calibration(**values["calibration"]),
        pool_sharpness=values["pool_sharpness"],
        step_seconds=values.get("step_seconds"),
        context_seconds=values.get("context_seconds", 0.0),
        threshold=values["threshold"],
        usual_logits=_pair(values.get("usual_logits")),
        reference_calibration=None if reference is None else Calibration(**reference),
        reference_share=values.get("reference_share", 1.0),
        reference_threshold=values.get("reference_threshold"),
        reference_usual_logits=_pair(values.get("reference_usual_logits")),
        splices=_splice_rule(values.get("splices")),
        even_logit=values.get("even_logit"),
        shortfall_weight=values.get("shortfall_weight", 0.0),
        crops=CropWeights.from_json(values.get("crops")),
        weight=values.get("weight", 1.0),
    )


def _splice_rule(values: dict[str, Any] | None) -> SpliceRule | None:
    if values is None:
        return None
    return SpliceRule(**{**values, "calibration": Calibration(**values["calibration"])})


def _pair(values: Sequence[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def _branch_json(branch: Branch) -> dict[str, Any]:
    found = {
        "graph": branch.graph,
        "calibration": asdict(branch.calibration),
        "pool_sharpness": branch.pool_sharpness,
        "step_seconds": branch.step_seconds,
        "usual_logits": branch.usual_logits,
        "threshold": branch.threshold,
    }
    if branch.splices is not None:
        found["splices"] = asdict(branch.splices)
    if branch.even_logit is not None:
        found["even_logit"] = branch.even_logit
    if branch.shortfall_weight:
        found["shortfall_weight"] = branch.shortfall_weight
    if branch.crops.any:
        found["crops"] = asdict(branch.crops)
    if branch.weight != 1.0:
        found["weight"] = branch.weight
    if branch.context_seconds:
        found["context_seconds"] = branch.context_seconds
    if branch.reference_calibration is not None:
        found |= {
            "reference_calibration": asdict(branch.reference_calibration),
            "reference_share": branch.reference_share,
            "reference_threshold": branch.reference_threshold,
            "reference_usual_logits": branch.reference_usual_logits,
        }
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
