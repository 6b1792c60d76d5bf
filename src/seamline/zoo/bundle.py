"""A bundle: the folder that holds a model, and the only thing that the runtime loads.

``bundle.json`` (contract, calibration and threshold
a branch, the hash of every file), ONNX graphs, ``card.md``
and ``golden.npz``. Nothing in it is executed or unpickled; a file whose hash differs is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from jaxtyping import Float, UInt8

from seamline.clips.contract import CropContract
from seamline.errors import BadBundle, UnknownModel
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.verdict import ModelId

SCHEMA = 1
GOLDEN_TOLERANCE = 2e-2  # logits; processors round differently, weights are stored as float16


@dataclass(frozen=True)
class GoldenCheck:
    """One replayed golden output."""

    name: str
    largest_difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Tell whether the replay gave what was stored."""
        return self.largest_difference <= self.tolerance


@dataclass(frozen=True)
class Bundle:
    """A loaded, verified bundle."""

    folder: Path
    name: str
    version: str
    sha256: str
    contract: CropContract
    branches: dict[str, Branch]
    summary: dict[str, Any] = field(default_factory=dict)
    threads: int = 0

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 0) -> Bundle:
        """Read and verify a bundle; `UnknownModel` if there is none, `BadBundle` if altered."""
        folder = Path(folder)
        path = folder / "bundle.json"
        if not path.is_file():
            raise UnknownModel(
                f"No bundle in {folder}: bundle.json is missing. `seamline models` lists what "
                "is installed; a training run makes a bundle with `seamline train`."
            )
        data = path.read_bytes()
        try:
            values = json.loads(data)
            _verify(folder, values)
            return cls(
                folder=folder,
                name=values["name"],
                version=values["version"],
                sha256=hashlib.sha256(data).hexdigest(),
                contract=CropContract.from_json(values["contract"]),
                branches={k: _branch(v) for k, v in values["branches"].items()},
                summary=values.get("summary", {}),
                threads=threads,
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise BadBundle(
                f"{path} does not follow the layout ({type(error).__name__}: {error}). "
                "Export the bundle again."
            ) from error

    @property
    def model_id(self) -> ModelId:
        """Name, version and hash, as a verdict carries them."""
        return ModelId(self.name, self.version, self.sha256)

    @property
    def card(self) -> str:
        """The text of the model card."""
        return (self.folder / "card.md").read_text(encoding="utf-8")

    @cached_property
    def _sessions(self) -> dict[str, ort.InferenceSession]:
        return {k: _session(self.folder / b.graph, self.threads) for k, b in self.branches.items()}

    def score_faces(
        self, crops: UInt8[np.ndarray, "time size size 3"]
    ) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, "time rows columns"]]:
        """Score crops: a forgery logit a crop, and the mask logits of the heatmap."""
        size = self.contract.size_px
        if crops.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{self.name} takes crops of {size}×{size}×3 px, got {crops.shape[1:]}. "
                "Extract them with the bundle's contract."
            )
        logit, mask = self._sessions["picture"].run(None, {"crops": crops})
        return logit.astype(np.float64), mask

    def score_voice(self, log_mel: Float[np.ndarray, "mel frame"]) -> Float[np.ndarray, " step"]:
        """Score sound: a forgery logit every `step_seconds` of the voice branch."""
        (logit,) = self._sessions["voice"].run(None, {"log_mel": log_mel[None].astype(np.float32)})
        return logit[0].astype(np.float64)

    def replay_golden(self) -> list[GoldenCheck]:
        """Run the stored inputs again and compare with the stored outputs."""
        with np.load(self.folder / "golden.npz", allow_pickle=False) as golden:
            checks = []
            if "picture" in self.branches:
                logit, mask = self.score_faces(golden["crops"])
                checks.append(_check("picture logits", logit, golden["picture_logit"]))
                checks.append(_check("picture masks", mask, golden["picture_mask"]))
            if "voice" in self.branches:
                voice = self.score_voice(golden["log_mel"])
                checks.append(_check("voice logits", voice, golden["voice_logit"]))
        return checks


def write_bundle(
    folder: Path,
    *,
    name: str,
    version: str,
    contract: CropContract,
    branches: Mapping[str, Branch],
    summary: Mapping[str, Any],
) -> None:
    """Write ``bundle.json`` over the graphs, card and golden file that lie in ``folder``."""
    values = {
        "schema": SCHEMA,
        "name": name,
        "version": version,
        "contract": contract.to_json(),
        "branches": {key: _branch_json(branch) for key, branch in branches.items()},
        "summary": dict(summary),
        "files": {
            path.name: _sha256(path)
            for path in sorted(folder.iterdir())
            if path.suffix in (".onnx", ".npz", ".md")
        },
    }
    (folder / "bundle.json").write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _verify(folder: Path, values: dict[str, Any]) -> None:
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


def _branch(values: dict[str, Any]) -> Branch:
    usual = values.get("usual_logits")
    return Branch(
        graph=values["graph"],
        calibration=Calibration(**values["calibration"]),
        pool_sharpness=values["pool_sharpness"],
        step_seconds=values.get("step_seconds"),
        threshold=values["threshold"],
        usual_logits=None if usual is None else (usual[0], usual[1]),
    )


def _branch_json(branch: Branch) -> dict[str, Any]:
    calibration = branch.calibration
    return {
        "graph": branch.graph,
        "calibration": {"temperature": calibration.temperature, "bias": calibration.bias},
        "pool_sharpness": branch.pool_sharpness,
        "step_seconds": branch.step_seconds,
        "usual_logits": branch.usual_logits,
        "threshold": branch.threshold,
    }


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Spinning threads would steal the decoder's cores between calls.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(name: str, found: np.ndarray, expected: np.ndarray) -> GoldenCheck:
    if found.shape != expected.shape:
        return GoldenCheck(name, float("inf"), GOLDEN_TOLERANCE)
    return GoldenCheck(name, float(np.max(np.abs(found - expected))), GOLDEN_TOLERANCE)
