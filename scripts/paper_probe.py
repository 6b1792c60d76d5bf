"""Asks what a frame encoder keeps: run folders of encoders in, a probe's AUC on val out.

    python scripts/paper_probe.py runs/paper/03-video-transformer runs/paper/12-cnn-transformer

Each run's clips are encoded by its frozen encoder and averaged over their frames; a logistic
regression learns from the training clips alone. What it cannot find, a transformer over the same
codes will hardly find. The strength of its penalty is chosen on the held-out fold, not on val.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import roc_auc
from seamline.training.build import build_data, build_module
from seamline.training.clip_data import by_entry
from seamline.training.config import make_config

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def probe(folder: Path) -> str:
    """Fit the probe on one run's codes."""
    config = make_config(json.loads((folder / "config.json").read_text()))
    data = build_data(config, build_module(config))
    tokens = by_entry(data.encoded)
    sets = {"train": data.pool.entries, **data.sets}
    codes = {k: np.stack([tokens[id(e)].mean(0).numpy() for e in v]) for k, v in sets.items()}
    labels = {k: np.array([entry.fake for entry in v], int) for k, v in sets.items()}
    scaler = StandardScaler().fit(codes["train"])
    codes = {k: scaler.transform(v) for k, v in codes.items()}
    best = (-1.0, 0.0)
    for strength in STRENGTHS:
        scores = _fit(strength, codes["train"], labels["train"]).decision_function(codes["holdout"])
        best = max(best, (roc_auc(labels["holdout"], scores), strength))
    model = _fit(best[1], codes["train"], labels["train"])
    scores = model.decision_function(codes["val"])
    people = identity_groups([Sample(e.path, "video", person=e.person) for e in sets["val"]])
    found = bootstrap_auc(labels["val"], scores, np.random.default_rng(20240607), groups=people)
    return (
        f"{folder.name}: {codes['val'].shape[1]} values, train "
        f"{roc_auc(labels['train'], model.decision_function(codes['train'])):.3f}, val "
        f"{roc_auc(labels['val'], scores):.3f} ({found.low:.2f}–{found.high:.2f})"
    )


def _fit(strength: float, codes: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    return model.fit(codes, labels)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(probe(Path(name)), flush=True)
