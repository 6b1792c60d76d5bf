"""Tells what the runs of configs/paper measured: run folders in, a Markdown table out.

    python scripts/paper_table.py runs/paper/*

Losses, accuracy and AUC are those of the val split; the interval is a bootstrap over people (over
the picture's file for composed pairs, whose voices tie everybody together). Parameters are those
that were trained. Milliseconds are torch's on one thread for one clip, encoders included.
"""

from __future__ import annotations

import csv
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import accuracy, log_loss, roc_auc
from seamline.training.build import WEIGHTS, build_network
from seamline.training.config import make_config
from seamline.training.graphs import make_graph

HEADS = (
    "run", "minutes", "train loss", "test loss", "accuracy", "AUC", "95 %", "MSE", "trivial MSE",
    "trained", "ms a clip",
)  # fmt: skip


def row_of(folder: Path) -> list[str]:
    """Give the cells of one run."""
    config = make_config(json.loads((folder / "config.json").read_text()))
    rows = json.loads((folder / "scores.json").read_text())["val"]
    minutes = ((folder / WEIGHTS).stat().st_mtime - (folder / "config.json").stat().st_mtime) / 60
    cells = [folder.name, f"{minutes:.1f}", f"{_train_loss(folder, config.steps_per_epoch):.3f}"]
    cells += _class_cells(rows) + _error_cells(rows)
    model = build_network(config).eval()
    frozen = sum(p.numel() for name, p in model.named_parameters() if name.startswith("encoder."))
    total = sum(p.numel() for p in model.parameters() if p.requires_grad)
    own = config.branch in ("autoencoder", "sound_autoencoder", "picture", "voice")
    if config.network.kind == "fusion":
        frozen = total - sum(p.numel() for p in model.fusion.parameters())
    trained = total if own else total - frozen
    return [*cells, f"{trained:,}", f"{_milliseconds(model, config):.1f}"]


def _train_loss(folder: Path, steps: int) -> float:
    """Average the logged losses of the last epoch."""
    losses: dict[int, float] = {}
    for path in sorted(folder.glob("csv-*/metrics.csv")):
        with path.open() as file:
            for row in csv.DictReader(file):
                if row.get("train/loss"):
                    losses[int(row["step"])] = float(row["train/loss"])
    last = [value for step, value in losses.items() if step > max(losses) - steps]
    return float(np.mean(last))


def _class_cells(rows: list[dict[str, Any]]) -> list[str]:
    if "logit" not in rows[0]:
        return ["–"] * 4
    labels = np.array([row["label"] for row in rows])
    logits = np.array([row["logit"] for row in rows])
    chance = 1 / (1 + np.exp(-logits))
    pairs = "|" in rows[0]["path"]
    people = [Sample(row["path"], "video", person=row["person"]) for row in rows]
    groups = [row["path"].split("|")[0] for row in rows] if pairs else identity_groups(people)
    found = bootstrap_auc(labels, logits, np.random.default_rng(20240607), groups=groups)
    span = "–" if math.isnan(found.low) else f"{found.low:.2f}–{found.high:.2f}"
    return [
        f"{log_loss(labels, chance):.3f}",
        f"{accuracy(labels, chance):.2f}",
        f"{roc_auc(labels, logits):.3f}",
        span,
    ]


def _error_cells(rows: list[dict[str, Any]]) -> list[str]:
    if "mse" not in rows[0]:
        return ["–", "–"]
    trivial = [name for name in rows[0] if name.endswith("_mse")]
    means = {name: float(np.mean([row[name] for row in rows])) for name in ["mse", *trivial]}
    others = ", ".join(f"{name.removesuffix('_mse')} {means[name]:.4f}" for name in trivial)
    return [f"{means['mse']:.4f}", others]


def _milliseconds(model: Any, config: Any) -> float:
    """Time one clip: 8 frames, one second of sound, or both."""
    torch.set_num_threads(1)
    graph = make_graph(model, config)
    inputs = graph.inputs(np.random.default_rng(0), 1)
    for name in ("crops", "frames"):
        if name in inputs and config.model.frames != "whole":
            inputs[name] = np.repeat(inputs[name], 8 // len(inputs[name]), axis=0)
    times = []
    for _ in range(6):
        start = time.process_time()
        graph.run(inputs)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times[1:]))


def main(folders: list[Path]) -> None:
    """Print the table of all finished runs."""
    print("| " + " | ".join(HEADS) + " |")
    print("|" + "---|" * len(HEADS))
    for folder in folders:
        if (folder / "scores.json").exists():
            print("| " + " | ".join(row_of(folder)) + " |", flush=True)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
