"""Asks how frames should vote: a run of system 11 in, the AUC of each aggregation out.

    python scripts/paper_frames.py runs/paper/11-frame-classifier

Every cached frame of a file is scored as the runtime would crop it; a file's logit is the mean of
its frames' logits, the mean of the highest three in ten, or that of the confident ones where they
decide. Holdout and val are both told; neither trained the run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import log_loss, roc_auc
from seamline.models.fusion import AGGREGATIONS
from seamline.training.build import load_weights
from seamline.training.config import make_config
from seamline.training.picture_data import FileDataset, PictureData


@torch.no_grad()
def frame_logits(folder: Path, split: str) -> tuple[list[Any], list[torch.Tensor]]:
    """Score all frames of a split; returns its entries and a tensor of logits each."""
    config = make_config(json.loads((folder / "config.json").read_text()))
    model: Any = load_weights(config, folder)
    data = PictureData(config)
    entries = {"holdout": data.holdout, "val": data.val}[split]
    files = FileDataset(entries, split, config, store_margin=data.store_margin, most_frames=10_000)
    return entries, [model(files[i]["inputs"]).logit for i in range(len(files))]


def main(folder: Path) -> None:
    """Print a Markdown table."""
    print("| aggregation | split | AUC | 95 % | log-loss |\n|---|---|---|---|---|")
    for split in ("holdout", "val"):
        entries, logits = frame_logits(folder, split)
        labels = np.array([entry.fake for entry in entries], int)
        people = identity_groups([Sample(e.path, "video", person=e.person) for e in entries])
        for name, aggregate in AGGREGATIONS.items():
            scores = np.array([float(aggregate(each)) for each in logits])
            generator = np.random.default_rng(20240607)
            found = bootstrap_auc(labels, scores, generator, groups=people)
            loss = log_loss(labels, 1 / (1 + np.exp(-scores)))
            print(
                f"| {name} | {split} | {roc_auc(labels, scores):.3f} | "
                f"{found.low:.2f}–{found.high:.2f} | {loss:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
