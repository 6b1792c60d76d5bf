"""What the synchrony of lips and sound tells of forged clips of one's own, file by file.

    python benchmarks/forged_sync.py --report MANIFEST.csv... [--model NAME|DIR]
        [--fit MANIFEST.csv... [--even-logit X] [--shortfall-weight X]
        [--extra-calibration FILE.json]] [--rows FILE.json]

The manifests are those of `seamline forge --kinds none,sync,swap`. The AUC compares the genuine
files with the forged ones of each kind; the last column tells what is called fake at the threshold.
``--fit`` fits calibration (both classes alike) to all files that were compared, but those whose
sound was moved by no more than nature does, and the threshold to the genuine ones: two in a hundred
may lie above it. ``--even-logit`` is tried at several values, and the one of the least log-loss is
kept, unless it is given. The mouth that fits best is named by the weight that is asked for, and
rows are kept with it: another weight needs other rows where several faces speak.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from forged_logits import each_kept, table
from seamline.clips.extract import extract
from seamline.data.manifest import Sample
from seamline.evaluation.metrics import log_loss, roc_auc
from seamline.faces.mtcnn import FaceDetector
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import fit_calibration
from seamline.scoring.findings import Findings
from seamline.scoring.judge_sync import (
    LEAST_MOTION,
    LEAST_STEPS_TO_ACCUSE,
    best_fit,
    weighed_fit,
)
from seamline.scoring.synchrony import Fit
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import DEFAULT, find_model
from seamline.zoo.clip_scores import sync_steps

LEAST_SPEECH_SECONDS = 0.3
NATURAL = "sync, 0.2 s"
EVEN_LOGITS = tuple(np.arange(-3.0, 4.1, 0.5).tolist())
CALLED_FAKE = 0.02


def read_fits(manifests: Sequence[Path], bundle: Bundle, rows: Path | None) -> list[dict[str, Any]]:
    """Fit every file's mouths to its sound; what the file ``rows`` holds is not made again."""
    detector = FaceDetector(1)
    found = []
    for sample, fit in each_kept(manifests, rows, lambda sample: _fit(sample, bundle, detector)):
        forgery, shift = sample.extra.get("forgery", "") or "none", sample.extra["shift_seconds"]
        named = f"{forgery}, {abs(float(shift)):.1f} s" if shift else forgery
        found.append({"forgery": named, **fit})
    return found


def _fit(sample: Sample, bundle: Bundle, detector: FaceDetector) -> dict[str, Any]:
    clips = extract(sample.file, bundle.contract, detector=detector, threads=1)
    contract = bundle.contract
    found = Findings(
        media=clips.media,
        branches=bundle.branches,
        model=bundle.model_id,
        frame_step_seconds=contract.frame_step_seconds,
        min_face_px=48.0,
    )
    heard = -1
    for clip in clips:
        spoken, listen = clip.speech_seconds >= LEAST_SPEECH_SECONDS, clip.window != heard
        heard = clip.window
        mouth, sound = sync_steps(bundle, clip, spoken=spoken, listen=listen)
        found.mouths += [] if mouth is None else [mouth]
        found.sounds += [] if sound is None else [sound]
    fit = best_fit(found, bundle.branches["sync"])
    if fit is None:
        return {
            "logit": None,
            "shortfall": 0.0,
            "compared": 0,
            "motion": 0.0,
            "offset_seconds": None,
        }
    return {
        "logit": fit.fit.logit,
        "shortfall": fit.fit.shortfall,
        "compared": fit.compared,
        "motion": fit.motion,
        "offset_seconds": fit.fit.offset_seconds,
    }


def logits_of(rows: Sequence[dict[str, Any]], branch: Branch) -> np.ndarray:
    """Weigh the logits of files that were compared."""
    fits = [Fit(row["logit"], 0.0, np.empty(0), row["shortfall"]) for row in rows]
    return np.array(
        [weighed_fit(f, r["compared"], branch) for f, r in zip(fits, rows, strict=True)]
    )


def may_accuse(row: dict[str, Any]) -> bool:
    """Tell whether enough was compared, of a mouth that moves."""
    long = row["compared"] >= LEAST_STEPS_TO_ACCUSE
    return bool(long and row["motion"] >= LEAST_MOTION)


def fitted(rows: Sequence[dict[str, Any]], branch: Branch, even: Sequence[float]) -> Branch:
    """Fit calibration, even logit and threshold to files that were compared."""
    labels = np.array([row["forgery"] != "none" for row in rows], np.int64)
    tried = []
    for each in even:
        branch = replace(branch, even_logit=each)
        logits = logits_of(rows, branch)
        calibration = fit_calibration(logits, labels, balanced=True)
        chances = calibration.probabilities(logits)
        loss = np.mean([log_loss(labels[labels == k], chances[labels == k]) for k in (0, 1)])
        print(f"even logit {each:+.1f}: AUC {roc_auc(labels, logits):.3f}, log-loss {loss:.3f}")
        genuine = chances[(labels == 0) & np.array([may_accuse(row) for row in rows])]
        threshold = float(np.quantile(genuine, 1 - CALLED_FAKE, method="higher")) + 1e-3
        changed = replace(branch, calibration=calibration, threshold=min(threshold, 0.99))
        tried.append((float(loss), changed))
    return min(tried, key=lambda one: one[0])[1]


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--report", type=Path, nargs="*", default=[])
    parser.add_argument("--fit", type=Path, nargs="*", default=[])
    parser.add_argument("--even-logit", type=float)
    parser.add_argument("--shortfall-weight", type=float, help="another than the bundle's")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--extra-calibration", type=Path)
    asked = parser.parse_args()
    loaded = Bundle.load(find_model(asked.model), threads=1)
    bundle = replace(loaded, contract=replace(loaded.contract, motion=None))
    branch = bundle.branches["sync"]
    if asked.shortfall_weight is not None:
        branch = replace(branch, shortfall_weight=asked.shortfall_weight)
        bundle.branches["sync"] = branch
    if asked.fit:
        read = read_fits(asked.fit, bundle, asked.rows)
        rows = [r for r in read if r["logit"] is not None and r["forgery"] != NATURAL]
        even = EVEN_LOGITS if asked.even_logit is None else [asked.even_logit]
        branch = fitted(rows, branch, even)
        print(f"\n{branch.calibration}, threshold {branch.threshold:.3f}, {branch.even_logit}\n")
        if asked.extra_calibration:
            path = asked.extra_calibration
            extra = json.loads(path.read_text()) if path.exists() else {}
            extra["sync"] = {
                "calibration": asdict(branch.calibration),
                "threshold": branch.threshold,
                "even_logit": branch.even_logit,
                "shortfall_weight": branch.shortfall_weight,
            }
            path.write_text(json.dumps(extra, indent=2) + "\n")
    for manifest in [*asked.fit, *asked.report]:
        print(f"{manifest}\n\n{report(read_fits([manifest], bundle, asked.rows), branch)}")


def report(rows: Sequence[dict[str, Any]], branch: Branch) -> str:
    """Give a row a kind of forgery, the genuine first."""
    kinds = sorted({row["forgery"] for row in rows}, key=lambda kind: (kind != "none", kind))
    compared = {k: [r for r in rows if r["forgery"] == k and r["logit"] is not None] for k in kinds}
    logits = {kind: logits_of(compared[kind], branch) for kind in kinds}
    told = []
    for kind in kinds:
        sure = np.array([may_accuse(row) for row in compared[kind]], bool)
        called = branch.calibration.probabilities(logits[kind]) >= branch.threshold
        seconds = sum(row["compared"] for row in compared[kind]) * 0.04
        auc = "–"
        if kind != "none" and len(logits[kind]) and len(logits.get("none", ())):
            both = np.concatenate([logits["none"], logits[kind]])
            truth = np.repeat([0, 1], [len(logits["none"]), len(logits[kind])])
            auc = f"{roc_auc(truth, both):.3f}"
        count = f"{len(compared[kind])} of {sum(row['forgery'] == kind for row in rows)}"
        told.append([kind, count, f"{seconds:.0f}", auc, f"{int((called & sure).sum())}"])
    header = ["forged", "files compared", "seconds", "AUC", "called fake by their synchrony"]
    return table(header, told)


if __name__ == "__main__":
    main()
