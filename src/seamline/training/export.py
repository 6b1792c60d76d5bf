"""From finished runs to a bundle: ONNX graphs, calibration, card and golden file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from seamline.clips.cache import CONTRACT_FILE, read_contract
from seamline.clips.contract import CropContract, MotionSettings, MouthSettings
from seamline.models.usual import UsualFaces
from seamline.models.voice_cnn import VoiceCNN
from seamline.scoring.branch import JUDGES, Branch
from seamline.scoring.calibration import Calibration, fit_calibration
from seamline.scoring.synchrony import STEP_SECONDS
from seamline.training.build import load_weights
from seamline.training.config import TrainConfig, make_config
from seamline.training.graphs import (
    EXAMPLE_SECONDS,
    Graph,
    joint,
    make_graph,
)
from seamline.training.motion_scale import joined_rows, on_scale_of
from seamline.training.onnx_file import save_onnx
from seamline.training.usual import load_usual
from seamline.zoo.bundle import Bundle
from seamline.zoo.layout import write_bundle

GENUINE_CALLED_FAKE = 0.02
"""Share of held-out genuine files that the shipped threshold may call fake."""
THRESHOLDS = (0.5, 0.98)
"""Least and most threshold: fewer than fifty genuine files cannot place it more finely."""
RANGE_ROOM = 1.5
"""The usual range of logits is the held-out one, this much wider."""


@dataclass(frozen=True)
class Run:
    """A finished training run."""

    folder: Path
    config: TrainConfig
    scores: dict[str, list[dict[str, Any]]]

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """Read a run folder; says what is missing."""
        folder = Path(folder)
        for name in ("config.json", "weights.safetensors", "scores.json"):
            if not (folder / name).exists():
                raise FileNotFoundError(
                    f"{folder} is not a finished run: {name} is missing. "
                    "Finish it with `seamline train CONFIG --resume`."
                )
        config = make_config(json.loads((folder / "config.json").read_text()))
        return cls(folder, config, json.loads((folder / "scores.json").read_text()))


def export_bundle(
    folder: Path,
    runs: Sequence[Run],
    *,
    name: str,
    version: str,
    card: str,
    summary: dict[str, Any],
    halve: bool = True,
) -> Bundle:
    """Write a bundle of one run a branch, and load it again as proof.

    ``halve`` stores weights as float16: half the size, logits that move in the third decimal.
    """
    given = {bundle_branch(run.config) for run in runs}
    if "motion" in given and "picture" not in given:
        raise ValueError(
            "A motion branch adds to a picture branch, and none of these runs trains one. Give one "
            "too, or extend a bundle that has one."
        )
    folder.mkdir(parents=True, exist_ok=True)
    contract, branches = CropContract(), dict[str, Branch]()
    golden: dict[str, np.ndarray] = {}
    for run in runs:
        contract = add_run(run, folder, contract, branches, golden, halve=halve)
    settle_motion(runs, branches)
    np.savez_compressed(folder / "golden.npz", **golden)  # type: ignore[arg-type]
    (folder / "card.md").write_text(card, encoding="utf-8")
    write_bundle(
        folder, name=name, version=version, contract=contract, branches=branches, summary=summary
    )
    return replay(folder)


def add_run(
    run: Run,
    folder: Path,
    contract: CropContract,
    branches: dict[str, Branch],
    golden: dict[str, np.ndarray],
    *,
    halve: bool,
) -> CropContract:
    """Write a run's graph, note its branch and golden outputs; returns the contract it asks for."""
    branch = bundle_branch(run.config)
    if branch is None:
        raise ValueError(
            f"{run.folder} trains {run.config.branch}, which judges nothing: scan has no place "
            "for it. Export it alone, and its graph is written without a bundle."
        )
    if branch in branches:
        raise ValueError(f"Two runs train the branch {branch}; give one of each.")
    if branch in JUDGES["video"]:
        contract = replace(_contract(run.config), mouth=contract.mouth, motion=contract.motion)
    if branch == "sync":
        contract = replace(contract, mouth=MouthSettings(size_px=run.config.mouth_px))
    if branch == "motion":
        motion = MotionSettings(size_px=run.config.size_px, margin=run.config.margin)
        contract = replace(contract, motion=motion)
    model = load_weights(run.config, run.folder)
    path = folder / f"{branch}.onnx"
    usual = load_usual(run.folder) if run.config.branch == "picture" else None
    golden |= _golden(write_graph(model, run.config, path, halve=halve, usual=usual), branch)
    branches[branch] = _branch(run, model, path.name, contract)
    return contract


def settle_motion(runs: Sequence[Run], branches: dict[str, Branch]) -> None:
    """Let a run's motion branch add to the picture's logits, and calibrate their sum.

    The sum needs the held-out files of both runs; a picture branch of no run keeps its calibration.
    """
    given = {bundle_branch(run.config): run for run in runs}
    if "motion" not in given or "picture" not in branches:
        return
    motion = on_scale_of(branches["motion"], branches["picture"])
    branches["motion"] = motion
    if "picture" in given:
        seen, moved = (given[name].scores["holdout"] for name in ("picture", "motion"))
        calibrated = calibrate(joined_rows(seen, moved, motion))
        branches["picture"] = replace(branches["picture"], **calibrated)


def bundle_branch(config: TrainConfig) -> str | None:
    """Tell which branch of a bundle a run is; None for autoencoders, which judge nothing."""
    if config.branch == "autoencoder":
        return "picture" if joint(config) else None
    names = {"picture": "picture", "voice": "voice", "clip": "temporal", "both": "both"}
    names |= {"sync": "sync", "motion": "motion"}
    return names.get(config.branch)


def write_graph(
    model: nn.Module,
    config: TrainConfig,
    path: Path,
    *,
    halve: bool,
    usual: UsualFaces | None = None,
) -> Graph:
    """Export a network as ``path``; returns the graph as torch computes it."""
    graph = make_graph(model, config, usual)
    example = graph.inputs(np.random.default_rng(0), EXAMPLE_SECONDS)
    save_onnx(
        graph.module.eval(),
        tuple(torch.from_numpy(value) for value in example.values()),
        path,
        inputs=list(example),
        outputs=graph.outputs,
        dynamic=graph.dynamic,
        halve=halve,
    )
    return graph


def _contract(config: TrainConfig) -> CropContract:
    """How the run's crops were cut; a clip model judges windows of as many as it was trained on."""
    contract = CropContract(margin=config.margin, size_px=config.scan_px)
    if (Path(config.cache) / CONTRACT_FILE).exists():
        step = read_contract(Path(config.cache)).frame_step_seconds
        contract = replace(contract, frame_step_seconds=step)
    if config.branch in ("clip", "both"):
        seconds = config.clip_frames * contract.frame_step_seconds
        contract = replace(contract, window_seconds=seconds)
    return contract


def _golden(graph: Graph, branch: str) -> dict[str, np.ndarray]:
    """Inputs and torch's outputs, under the names that a bundle replays."""
    inputs = graph.inputs(np.random.default_rng(0), 1)
    outputs = {f"{branch}_{name}": value for name, value in graph.run(inputs).items()}
    if "picture_mask_logit" in outputs:
        outputs["picture_mask"] = outputs.pop("picture_mask_logit")
    if branch == "voice":
        outputs = {name: value[0] for name, value in outputs.items()}
    heard = {k: v[0] if k in ("log_mel", "samples") else v for k, v in inputs.items()}
    if branch == "sync":
        heard["sync_log_mel"] = heard.pop("log_mel")
    return heard | outputs


def replay(folder: Path) -> Bundle:
    """Load the written bundle and compare it with torch's stored outputs."""
    bundle = Bundle.load(folder)
    for check in bundle.replay_golden():
        if not check.passed:
            raise ValueError(
                f"The exported {check.name} differ from torch's by {check.largest_difference:.2g}, "
                f"more than {check.tolerance:g}."
            )
    return bundle


def _branch(run: Run, model: nn.Module, graph: str, contract: CropContract) -> Branch:
    """Calibrate on the held-out fold and set the threshold by its genuine files."""
    found = calibrate(run.scores["holdout"])
    step, sharpness, context = None, run.config.pool_sharpness, 0.0
    if run.config.branch == "voice":
        length = int(getattr(model, "input_per_step", VoiceCNN.FRAMES_PER_STEP))
        samples = length if run.config.reads_samples else length * contract.mel.hop_samples
        step = samples / contract.mel.sample_rate_hz
        context = run.config.sound_context_seconds
    if run.config.branch == "sync":
        step, sharpness = STEP_SECONDS, 0.0
        found["usual_logits"] = None  # likeness has the same bounds everywhere
    if run.config.branch == "motion":
        sharpness = 0.0
    if run.config.branch in ("clip", "both"):
        sharpness = 0.0  # calibrated on one window a file: the mean over windows stays on its scale
    return Branch(
        graph,
        pool_sharpness=sharpness,
        step_seconds=step,
        context_seconds=context,
        crops=run.config.crop_weights,
        **found,
    )


def calibrate(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Fit calibration, threshold and usual range to held-out rows, as fields of a Branch."""
    calibration, usual, threshold = Calibration(), None, 0.5
    if rows:
        logits = np.array([row["logit"] for row in rows])
        labels = np.array([row["label"] for row in rows])
        if len(set(labels.tolist())) == 2:
            calibration = fit_calibration(logits, labels, source_weights(rows), balanced=True)
            genuine = calibration.probabilities(logits[labels == 0])
            cut = float(np.quantile(genuine, 1 - GENUINE_CALLED_FAKE, method="higher"))
            threshold = float(np.clip(cut + 1e-3, *THRESHOLDS))
        middle, half = (logits.max() + logits.min()) / 2, (logits.max() - logits.min()) / 2
        usual = (float(middle - RANGE_ROOM * half), float(middle + RANGE_ROOM * half))
    return {"calibration": calibration, "usual_logits": usual, "threshold": threshold}


def source_weights(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """Weigh files so that each source of a class counts alike: one big set must not calibrate."""
    keys = [(row["source"], row["label"]) for row in rows]
    return np.array([1.0 / keys.count(key) for key in keys])
