"""From trained branches to a bundle: ONNX graphs, calibration, card and golden file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from seamline.clips.contract import CropContract
from seamline.models.frame_autoencoder import FrameAutoencoder
from seamline.models.voice_cnn import VoiceCNN
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration, fit_calibration
from seamline.training.build import load_weights
from seamline.training.config import TrainConfig, make_config
from seamline.training.onnx_file import save_onnx
from seamline.training.pairs import MASK_STRIDE
from seamline.voice.logmel import LogMelSettings
from seamline.zoo.bundle import Bundle
from seamline.zoo.layout import write_bundle

GENUINE_CALLED_FAKE = 0.02
"""Share of held-out genuine files that the shipped threshold may call fake."""
THRESHOLDS = (0.5, 0.98)
"""Least and most threshold: fewer than fifty genuine files cannot place it more finely."""
RANGE_ROOM = 1.5
"""The usual range of logits is the held-out one, this much wider."""


class PictureGraph(nn.Module):
    """The frame encoder as the runtime calls it: uint8 crops in, logit and mask logits out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, crops: UInt8[Tensor, "time size size 3"]
    ) -> tuple[Float[Tensor, " time"], Float[Tensor, "time rows rows"]]:
        scores = self.model(crops.permute(0, 3, 1, 2).float())
        if isinstance(self.model, FrameAutoencoder):
            # It cannot tell where: the heatmap is its logit everywhere.
            rows = crops.shape[1] // MASK_STRIDE
            return scores.logit, scores.logit[:, None, None].expand(-1, rows, rows)
        return scores.logit, scores.mask_logit


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
    folder.mkdir(parents=True, exist_ok=True)
    contract, branches = CropContract(), {}
    golden: dict[str, np.ndarray] = {}
    for run in runs:
        branch = bundle_branch(run.config)
        if branch is None:
            raise ValueError(
                f"{run.folder} trains {run.config.branch}, which scan has no place for. Export its "
                "graph alone with `seamline.training.export_graph`."
            )
        if branch in branches:
            raise ValueError(f"Two runs train the branch {branch}; give one of each.")
        model = load_weights(run.config, run.folder)
        if branch == "picture":
            contract = CropContract(margin=run.config.margin, size_px=run.config.size_px)
            graph = _export_picture(model, folder / "picture.onnx", contract, golden, halve)
        else:
            graph = _export_voice(model, folder / "voice.onnx", contract.mel, golden, halve)
        branches[branch] = _branch(run, model, graph, contract)
    np.savez_compressed(folder / "golden.npz", **golden)  # type: ignore[arg-type]
    (folder / "card.md").write_text(card, encoding="utf-8")
    write_bundle(
        folder, name=name, version=version, contract=contract, branches=branches, summary=summary
    )
    return _replay(folder)


def bundle_branch(config: TrainConfig) -> str | None:
    """Tell which branch of a bundle a run can be: what judges single crops or log-mel."""
    if config.branch == "autoencoder" and config.classify_weight and config.model.frames != "whole":
        return "picture"
    if config.branch == "picture" or (config.branch == "voice" and not config.reads_samples):
        return config.branch
    return None


def _replay(folder: Path) -> Bundle:
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
    rows = run.scores["holdout"]
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
    step = None
    if run.config.branch == "voice":
        columns = int(getattr(model, "input_per_step", VoiceCNN.FRAMES_PER_STEP))
        step = columns * contract.mel.hop_samples / contract.mel.sample_rate_hz
    return Branch(graph, calibration, run.config.pool_sharpness, step, usual, threshold)


def source_weights(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """Weigh files so that each source of a class counts alike: one big set must not calibrate."""
    keys = [(row["source"], row["label"]) for row in rows]
    return np.array([1.0 / keys.count(key) for key in keys])


def _export_picture(
    model: nn.Module,
    path: Path,
    contract: CropContract,
    golden: dict[str, np.ndarray],
    halve: bool,
) -> str:
    size = contract.size_px
    crops = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    crops = np.repeat(np.repeat(crops, size // 8, axis=1), size // 8, axis=2)
    graph = PictureGraph(model).eval()
    example = torch.from_numpy(crops)
    save_onnx(
        graph,
        (example,),
        path,
        inputs=["crops"],
        outputs=["logit", "mask_logit"],
        dynamic=[{0: "time"}],
        halve=halve,
    )
    with torch.no_grad():
        logit, mask = graph(example)
    golden |= {"crops": crops, "picture_logit": logit.numpy(), "picture_mask": mask.numpy()}
    return path.name


def _export_voice(
    model: nn.Module,
    path: Path,
    settings: LogMelSettings,
    golden: dict[str, np.ndarray],
    halve: bool,
) -> str:
    generator = np.random.default_rng(0)
    mel = generator.normal(-6, 3, (settings.mels, 201)).astype(np.float32)
    example = torch.from_numpy(mel)[None]
    save_onnx(
        model.eval(),
        (example,),
        path,
        inputs=["log_mel"],
        outputs=["logit"],
        dynamic=[{0: "batch", 2: "frame"}],
        halve=halve,
    )
    with torch.no_grad():
        golden |= {"log_mel": mel, "voice_logit": model(example)[0].numpy()}
    return path.name
