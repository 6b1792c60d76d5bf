"""Fits one sense's calibration to forged clips of one's own, and tells what it is worth.

    python benchmarks/calibrate.py --sense video|audio --fit MANIFEST.csv...
        [--report MANIFEST.csv...] [--model NAME|DIR] [--rows FILE.json]
        [--extra-calibration FILE.json]

The manifests are those of `seamline forge`; spliced files are left out. Both classes weigh alike.
Prints Markdown: AUC, log-loss with both classes alike and calibration error, with the model's
calibration and with the fitted one. ``--extra-calibration`` adds the latter to what
`seamline export` takes, whose threshold stays: place it anew. ``--rows`` keeps the logits.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from forged_logits import BRANCHES, Scored, load, read_scored, table
from seamline.evaluation.metrics import calibration_error, log_loss, roc_auc
from seamline.scoring.calibration import Calibration, fit_calibration


def pooled(files: Sequence[Scored], sense: str, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Give the logits of the files that have one, and 1 where that sense is forged."""
    whole = [file for file in files if "splice" not in file.forgery]
    found = [(file.pooled(sense, sharpness), file.fake[sense]) for file in whole]
    kept = [(logit, fake) for logit, fake in found if logit is not None]
    if len({fake for _, fake in kept}) < 2:
        raise SystemExit(f"{sense}: genuine and forged files are needed, found {len(kept)} scored.")
    logits, labels = zip(*kept, strict=True)
    return np.array(logits, dtype=np.float64), np.array(labels, dtype=np.int64)


def row(name: str, logits: np.ndarray, labels: np.ndarray, calibration: Calibration) -> list[str]:
    """Give a row of the table: what a calibration makes of some files."""
    chances = calibration.probabilities(logits)
    by_class = [log_loss(labels[labels == k], chances[labels == k]) for k in (0, 1)]
    return [
        name,
        f"{calibration.temperature:.2f}, {calibration.bias:+.2f}",
        f"{(labels == 0).sum()} / {(labels == 1).sum()}",
        f"{roc_auc(labels, logits):.3f}",
        f"{np.mean(by_class):.3f}",
        f"{calibration_error(labels, chances, bins=10):.3f}",
    ]


def main() -> None:
    """Score, fit, report, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sense", choices=sorted(BRANCHES), required=True)
    parser.add_argument("--fit", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="*", default=[])
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--extra-calibration", type=Path)
    asked = parser.parse_args()
    bundle, branches = load(asked.model)
    branch = branches[asked.sense]

    def read(manifests: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
        files = read_scored(manifests, bundle, asked.rows)
        return pooled(files, asked.sense, branch.pool_sharpness)

    logits, labels = read(asked.fit)
    fitted = fit_calibration(logits, labels, balanced=True)
    header = [
        "files",
        "temperature, bias",
        "genuine / forged",
        "AUC",
        "log-loss",
        "calibration error",
    ]
    rows = [row("fitted to", logits, labels, each) for each in (branch.calibration, fitted)]
    for manifest in asked.report:
        told = read([manifest])
        rows += [row(str(manifest), *told, each) for each in (branch.calibration, fitted)]
    print(table(header, rows))
    if asked.extra_calibration:
        path = asked.extra_calibration
        extra = json.loads(path.read_text()) if path.exists() else {}
        extra.setdefault(BRANCHES[asked.sense], {})["calibration"] = asdict(fitted)
        path.write_text(json.dumps(extra, indent=2) + "\n")


if __name__ == "__main__":
    main()
