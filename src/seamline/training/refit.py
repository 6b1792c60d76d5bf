"""Fits the last layer of a finished picture run anew, on crops as large as a scan cuts them.

A training meets its pairs once, in steps of a few dozen, so its last layer lags behind the features
below it; at another size than it was trained at their scale moves too. Here the features of some
thousand further pairs are held still and a logistic regression is fitted over all of them at once
(after Kirichenko et al., "Last layer re-training is sufficient for robustness to spurious
correlations", ICLR 2023).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from torch import nn

from seamline.training.build import WEIGHTS, load_weights
from seamline.training.config import TrainConfig, config_json, make_config
from seamline.training.drawn import drawn_pairs
from seamline.training.rescore import rescore

PAIRS = 4000
STRENGTH = 1e-3
"""Inverse weight of the penalty on the squared weights, as scikit-learn's ``C``."""


def refit(
    run: Path,
    out: Path,
    *,
    pairs: int = PAIRS,
    strength: float = STRENGTH,
    scan_size_px: int | None = None,
    **other: float | None,
) -> TrainConfig:
    """Write to ``out`` the run with a new last layer and the scores of its held-out sets.

    ``pairs`` genuine and as many forged crops of the run's own recipe, of its training fold, are
    drawn. Raises `ValueError` for other branches than the picture's and for a network whose last
    layer is not all that gives its logit.
    """
    config = make_config(json.loads((run / "config.json").read_text()))
    if config.branch != "picture":
        raise ValueError(f"{run} trained branch {config.branch}; only branch picture is refitted.")
    model = load_weights(config, run)
    if getattr(model, "compare", None) is not None:
        raise ValueError(f"{run} also compares regions of its crops: its last layer is not alone.")
    size_px = scan_size_px or config.scan_px
    genuine, forged = _features(model, replace(config, scan_size_px=size_px), pairs)
    weight, bias = fit_last_layer(genuine, forged, strength)
    state = load_file(run / WEIGHTS)
    state["classify.weight"], state["classify.bias"] = weight, bias
    out.mkdir(parents=True, exist_ok=True)
    save_file(state, out / WEIGHTS)
    (out / "config.json").write_text(json.dumps(config_json(config), indent=2) + "\n")
    return rescore(out, out, scan_size_px=size_px, **other)


def fit_last_layer(
    genuine: Float[np.ndarray, "pair dim"], forged: Float[np.ndarray, "pair dim"], strength: float
) -> tuple[Float[torch.Tensor, "1 dim"], Float[torch.Tensor, 1]]:
    """Return the weights and the bias of a logistic regression that tells forged from genuine."""
    labels = np.repeat([0, 1], [len(genuine), len(forged)])
    fitted = LogisticRegression(C=strength, max_iter=1000)
    fitted.fit(np.concatenate((genuine, forged)).astype(np.float64), labels)
    weight, bias = (torch.from_numpy(v).float() for v in (fitted.coef_, fitted.intercept_))
    return weight, bias


@torch.no_grad()
def _features(
    model: nn.Module, config: TrainConfig, pairs: int
) -> tuple[Float[np.ndarray, "pair dim"], Float[np.ndarray, "pair dim"]]:
    """Describe the crops of ``pairs`` pairs by what the last layer reads."""
    described = []
    for crops in drawn_pairs(config, pairs):
        flat = crops.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        described.append(model(flat).feature.numpy().reshape(len(crops), 2, -1))
    both = np.concatenate(described)[:pairs]
    return both[:, 0], both[:, 1]
