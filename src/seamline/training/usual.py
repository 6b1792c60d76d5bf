"""Measures the look of the crops that a picture run was trained on: a run's cache in, a file out.

The runtime holds each scanned face against it, so that a drawing or a mask is not judged by a
network that never saw one (`seamline.models.usual`).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from sklearn.covariance import LedoitWolf

from seamline.models.frame_cnn import FrameCNN
from seamline.models.usual import UsualFaces
from seamline.training.build import load_weights
from seamline.training.config import make_config
from seamline.training.drawn import drawn_pairs
from seamline.training.picture_data import PictureData

USUAL = "usual.safetensors"
PAIRS = 1000
"""Pairs of crops measured, genuine and forged."""
FEWEST = 100
"""Fewer files say too little of what is usual; a run of fewer knows no strange face."""


@torch.no_grad()
def measure_usual(run: Path, *, pairs: int = PAIRS) -> UsualFaces | None:
    """Write the look of a finished run's training crops beside its weights, and return it.

    They pass the chain that training's passed: noise and light that it met are not strange to it.
    None, and nothing written, for a run of another network or with fewer than `FEWEST` files.
    """
    config = make_config(json.loads((run / "config.json").read_text()))
    if config.branch != "picture":
        return None
    model, data = load_weights(config, run), PictureData(config)
    if not isinstance(model, FrameCNN) or len(data.pool.entries) < FEWEST:
        return None
    looks = [
        model(crops.flatten(0, 1).contiguous(memory_format=torch.channels_last)).look
        for crops in drawn_pairs(config, pairs, data)
    ]
    usual = fit_usual(torch.cat(looks).double().numpy())
    save_file(usual.state_dict(), run / USUAL)
    return usual


def fit_usual(looks: Float[np.ndarray, "face dim"]) -> UsualFaces:
    """Fit mean and covariance, shrunk as Ledoit and Wolf advise (2004), to looks of faces."""
    mean, deviation = looks.mean(axis=0), looks.std(axis=0) + 1e-6
    precision = LedoitWolf().fit((looks - mean) / deviation).precision_
    values, vectors = np.linalg.eigh(precision)
    usual = UsualFaces(looks.shape[1])
    found = (mean, deviation, vectors * np.sqrt(np.maximum(values, 0.0)))
    for buffer, value in zip((usual.mean, usual.deviation, usual.whiten), found, strict=True):
        buffer.copy_(torch.from_numpy(value))
    return usual


def load_usual(run: Path) -> UsualFaces | None:
    """Read what `measure_usual` wrote; None where it wrote nothing."""
    if not (run / USUAL).exists():
        return None
    state = load_file(run / USUAL)
    usual = UsualFaces(len(state["mean"]))
    usual.load_state_dict(state)
    return usual
