"""What held-out files of several runs say together: leave-one-source-out and cross-validation.

Each run was trained without its holdout (`leave_out` or a fold of its config), and its
`scores.json` has the holdout's logits. Run folders in; AUC a run with an interval over people, the
pooled AUC, a calibration and threshold fitted across runs, and their figures out.

    python benchmarks/leave_one_out.py runs/loso-* --markdown loso.md
    python benchmarks/leave_one_out.py runs/fold-* --only FaceForensics++
    python benchmarks/leave_one_out.py runs/fold-* --beside runs/motion-fold-* --weights 1 1

``--scenes`` also tells how often a forgery scores higher than a genuine video of the same scene (of
033 for 033_097): what is seen, whatever the scene does to the level.

``--beside`` are runs of a motion branch over the same folds: both branches' logits become log-odds
by calibrations fitted to other people; the motion's become its evidence, as in a scan; and both are
summed by weights, or by weights fitted to other people where none are given.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import calibration_error, log_loss, roc_auc
from seamline.scoring.calibration import Calibration, fit_calibration

Row = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """The figures of one set of held-out files."""

    name: str
    reals: int
    fakes: int
    people: int
    auc: float | None
    low: float | None
    high: float | None


def read_rows(folder: Path, only: str) -> list[Row]:
    """Read a run's held-out rows, of sources that begin with ``only``."""
    rows = json.loads((folder / "scores.json").read_text())["holdout"]
    return [{**row, "run": folder.name} for row in rows if row["source"].startswith(only)]


def groups_of(rows: Sequence[Row]) -> np.ndarray:
    """Number the connected people of each row."""
    samples = [
        Sample(
            row["path"],
            "video",
            label="fake" if row["label"] else "real",
            source=row["source"],
            method=row["method"],
            person=row["person"],
        )
        for row in rows
    ]
    return np.array(identity_groups(samples))


def figures(name: str, rows: Sequence[Row]) -> Held:
    """AUC of the rows with a bootstrap over connected people."""
    logits = np.array([row["logit"] for row in rows])
    labels = np.array([row["label"] for row in rows])
    groups = groups_of(rows)
    interval = None
    value = roc_auc(labels, logits) if 0 < labels.sum() < len(labels) else None
    if value is not None:
        interval = bootstrap_auc(labels, logits, np.random.default_rng(0), groups=groups.tolist())
    return Held(
        name,
        int((labels == 0).sum()),
        int(labels.sum()),
        len(set(groups.tolist())),
        value,
        None if interval is None else interval.low,
        None if interval is None else interval.high,
    )


def by_method(rows: Sequence[Row]) -> list[Held]:
    """Each method's fakes against the genuine files of its source and run."""
    found = []
    for source, method in sorted({(r["source"], r["method"]) for r in rows if r["label"]}):
        part = [
            row
            for row in rows
            if row["source"] == source and (not row["label"] or row["method"] == method)
        ]
        found.append(figures(f"{source}: {method}", part))
    return found


def within_scenes(rows: Sequence[Row]) -> dict[str, tuple[float, int]]:
    """Share of the pairs of a forgery and its scene's genuine video that are in order, and pairs.

    Of all methods together ("all") and of each; pairs are within a run, a source and a person.
    """
    genuine: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        if not row["label"]:
            genuine.setdefault((row["run"], row["source"], row["person"]), []).append(row["logit"])
    found: dict[str, list[bool]] = {"all": []}
    for row in rows:
        scene = (row["run"], row["source"], row["person"].split("+")[0])
        if row["label"] and row["person"]:
            order = [row["logit"] > logit for logit in genuine.get(scene, [])]
            found["all"] += order
            found.setdefault(row["method"], []).extend(order)
    return {name: (float(np.mean(o)), len(o)) for name, o in found.items() if o}


def calibrated(rows: Sequence[Row]) -> dict[str, float]:
    """Calibration, error and threshold, each fitted without the people it is measured on."""
    logits = np.array([row["logit"] for row in rows])
    labels = np.array([row["label"] for row in rows])
    folds = groups_of(rows) % 5
    chances, called = np.empty(len(rows)), np.empty(len(rows), bool)
    for fold in range(5):
        fit, out = folds != fold, folds == fold
        calibration = fit_calibration(logits[fit], labels[fit], balanced=True)
        chances[out] = calibration.probabilities(logits[out])
        genuine = calibration.probabilities(logits[fit & (labels == 0)])
        called[out] = chances[out] >= np.quantile(genuine, 0.98)
    every: Calibration = fit_calibration(logits, labels, balanced=True)
    genuine = every.probabilities(logits[labels == 0])
    return {
        "temperature": every.temperature,
        "bias": every.bias,
        "threshold": float(np.quantile(genuine, 0.98)),
        "log_loss": float(log_loss(labels, chances)),
        "calibration_error": float(calibration_error(labels, chances)),
        "genuine_called_fake": float(called[labels == 0].mean()),
        "fakes_found": float(called[labels == 1].mean()),
    }


def join_motion(rows: Sequence[Row], beside: Sequence[Row], weights: Sequence[float]) -> list[Row]:
    """Add what a motion branch says of each file that it saw; without it, a file stays as it is.

    Prints the weights that files of all people give.
    """
    motion = {row["path"]: row["logit"] for row in beside}
    both = [row for row in rows if row["path"] in motion]
    labels = np.array([row["label"] for row in both])
    logits = np.array([[row["logit"], motion[row["path"]]] for row in both])
    folds = groups_of(both) % 5
    summed, fitted = np.empty(len(both)), []
    for fold in range(5):
        fit, out = folds != fold, folds == fold
        odds = np.empty((len(both), 2))
        for column in (0, 1):
            calibration = fit_calibration(logits[fit, column], labels[fit], balanced=True)
            odds[:, column] = logits[:, column] / calibration.temperature + calibration.bias
        odds[:, 1] = np.logaddexp(0.0, odds[:, 1])
        if weights:
            used = np.array(weights, float)
        else:
            model = LogisticRegression(C=1e3, class_weight="balanced").fit(odds[fit], labels[fit])
            used = model.coef_[0]
        fitted.append(used)
        summed[out] = odds[out] @ used
    print("weights of picture and motion, log-odds:", np.round(np.mean(fitted, axis=0), 2).tolist())
    return [{**row, "logit": float(value)} for row, value in zip(both, summed, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--only", default="", help="only sources whose name begins so")
    parser.add_argument("--methods", action="store_true", help="also each method by itself")
    parser.add_argument("--scenes", action="store_true", help="also pairs within scenes")
    parser.add_argument("--beside", nargs="+", type=Path, default=[], help="motion branch's runs")
    parser.add_argument("--weights", nargs=2, type=float, default=[], help="picture's and motion's")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    parts = {folder.name: read_rows(folder, arguments.only) for folder in arguments.runs}
    rows = [row for part in parts.values() for row in part]
    if arguments.beside:
        other = [row for folder in arguments.beside for row in read_rows(folder, arguments.only)]
        rows = join_motion(rows, other, arguments.weights)
        parts = {name: [row for row in rows if row["run"] == name] for name in parts}
    table = [figures(name, part) for name, part in parts.items()]
    aucs = [held.auc for held in table if held.auc is not None]
    table.append(figures("pooled", rows))
    if arguments.methods:
        table += by_method(rows)
    print("| held out | genuine | fake | people | AUC (95 %) |\n|---|---:|---:|---:|---|")
    for held in table:
        shown = "–" if held.auc is None else f"{held.auc:.3f}"
        if held.low is not None:
            shown += f" ({held.low:.2f}–{held.high:.2f})"
        print(f"| {held.name} | {held.reals} | {held.fakes} | {held.people} | {shown} |")
    if arguments.scenes:
        pairs = within_scenes(rows).items()
        told = "; ".join(f"{name} {share:.2f} ({count})" for name, (share, count) in pairs)
        print(f"\nin order within scenes (pairs): {told}")
    fitted = calibrated(rows)
    print(f"\nmean of the runs {np.mean(aucs):.3f}, worst {min(aucs):.3f}")
    print(", ".join(f"{name} {value:.3f}" for name, value in fitted.items()))
    if arguments.json:
        found = {"table": [asdict(held) for held in table], "calibrated": fitted}
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
