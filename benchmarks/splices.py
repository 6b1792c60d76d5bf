"""Fits how stretches that stand out from their own track are judged, and tells how well it does.

    python benchmarks/splices.py --sense video|audio --fit MANIFEST.csv... [--model NAME|DIR]
        [--report MANIFEST.csv...] [--least-threshold 0.95] [--rows FILE.json]
        [--extra-calibration FILE.json]

The manifests hold genuine and spliced files, of `seamline forge` and `spliced_speech.py`. Of every
file the stretch of the greatest contrast is found. Its calibration is fitted to whether a forgery
lies there (an overlap of a third or more), both answers weighing alike, and the threshold is placed
where 1 % of the genuine files of ``--fit`` have such a stretch, at ``--least-threshold`` or above:
lower it only where many long genuine files place it. Use files that the model was neither trained
nor is measured on. ``--extra-calibration`` adds the rule to what `seamline export`
takes; ``--rows`` keeps the logits.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from forged_logits import BRANCHES, STEP_SECONDS, Lane, Scored, load, read_scored, table
from seamline.evaluation.metrics import roc_auc
from seamline.scoring.calibration import fit_calibration
from seamline.scoring.splices import SpliceRule, Stretch, find_splices, greatest_contrast
from seamline.scoring.timeline import FineLogits
from segments import spliced

GENUINE_CALLED_FAKE = 0.01
"""Less than a whole file's: a splice accuses beside it."""
MOST_THRESHOLD = 0.99
SPREAD_FLOOR = 4.0
"""Natural log of odds."""
LEAST_OVERLAP = 1 / 3


@dataclass(frozen=True)
class Told:
    """One file: the stretch that stands out most, and how it overlaps with what is forged."""

    file: Scored
    stretch: Stretch | None
    overlap: float = 0.0

    @property
    def contrast(self) -> float:
        """Of the stretch; 0 where nothing stands out."""
        return 0.0 if self.stretch is None else self.stretch.contrast


def fine(lane: Lane, sense: str) -> FineLogits:
    """Give a lane as the verdict reads it."""
    return FineLogits(lane.seconds, lane.logits, STEP_SECONDS[sense])


def tell(files: Sequence[Scored], sense: str, floor: float, least_logit: float) -> list[Told]:
    """Find each file's stretch; one without a face or voice is left out."""
    found = []
    for file in spliced(files, sense):
        stretches = [
            greatest_contrast(fine(lane, sense), floor, least_logit) for lane in file.lanes[sense]
        ]
        known = [stretch for stretch in stretches if stretch is not None]
        if known:
            top = max(known, key=lambda stretch: stretch.contrast)
            overlaps = [overlap(span, top) for span in file.truth[sense]]
            found.append(Told(file, top, max(overlaps, default=0.0)))
        elif stretches:
            found.append(Told(file, None))
    return found


def overlap(span: tuple[float, float], stretch: Stretch) -> float:
    """Give the intersection over union of a forged span and a stretch."""
    inner = min(span[1], stretch.stop_seconds) - max(span[0], stretch.start_seconds)
    outer = max(span[1], stretch.stop_seconds) - min(span[0], stretch.start_seconds)
    return max(0.0, inner) / outer


def fit(told: Sequence[Told], floor: float, least_threshold: float) -> SpliceRule:
    """Fit the calibration and place the threshold."""
    contrasts = np.array([one.contrast for one in told])
    forged = np.array([one.overlap >= LEAST_OVERLAP for one in told], dtype=int)
    calibration = fit_calibration(contrasts, forged, balanced=True)
    genuine = calibration.probabilities(contrasts[[one.file.is_genuine for one in told]])
    cut = float(np.quantile(genuine, 1 - GENUINE_CALLED_FAKE, method="higher")) + 1e-3
    return SpliceRule(calibration, float(np.clip(cut, least_threshold, MOST_THRESHOLD)), floor)


def measure(
    files: Sequence[Scored], sense: str, rule: SpliceRule, least_logit: float
) -> list[list[str]]:
    """Tell, by kind of splice, how often it is found and where."""
    told = tell(files, sense, rule.spread_floor, least_logit)
    genuine = [one for one in told if one.file.is_genuine]
    accused = sum(_called(one.file, sense, rule, least_logit) for one in genuine)
    rows = []
    for kind in sorted({one.file.forgery for one in told if not one.file.is_genuine}):
        kept = [one for one in told if one.file.forgery == kind]
        truth = np.array([0] * len(genuine) + [1] * len(kept))
        contrasts = np.array([one.contrast for one in (*genuine, *kept)])
        called = [one for one in kept if _called(one.file, sense, rule, least_logit)]
        rows.append(
            [
                kind,
                f"{len(genuine)} / {len(kept)}",
                f"{roc_auc(truth, contrasts):.2f}" if genuine else "–",
                f"{np.mean([one.overlap >= 0.5 for one in kept]):.2f}",
                f"{np.mean([one.overlap >= 0.75 for one in kept]):.2f}",
                f"{len(called) / len(kept):.2f}",
                f"{accused} of {len(genuine)}",
            ]
        )
    return rows


def _called(file: Scored, sense: str, rule: SpliceRule, least_logit: float) -> bool:
    return any(find_splices(fine(lane, sense), rule, least_logit) for lane in file.lanes[sense])


def main() -> None:
    """Score, fit, report, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sense", choices=sorted(BRANCHES), required=True)
    parser.add_argument("--fit", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="*", default=[])
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--least-threshold", type=float, default=0.95)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--extra-calibration", type=Path)
    asked = parser.parse_args()
    bundle, branches = load(asked.model)
    calibration = branches[asked.sense].calibration
    floor, least = SPREAD_FLOOR * calibration.temperature, calibration.even_logit
    chosen = read_scored(asked.fit, bundle, asked.rows)
    rule = fit(tell(chosen, asked.sense, floor, least), floor, asked.least_threshold)
    print(rule)
    header = ["splices", "genuine / spliced", "AUC", "IoU ≥ ½", "IoU ≥ ¾", "found", "accused"]
    print(table(header, measure(chosen, asked.sense, rule, least)))
    for manifest in asked.report:
        told = read_scored([manifest], bundle, asked.rows)
        print(f"{manifest}\n\n{table(header, measure(told, asked.sense, rule, least))}")
    if asked.extra_calibration:
        path = asked.extra_calibration
        extra = json.loads(path.read_text()) if path.exists() else {}
        extra.setdefault(BRANCHES[asked.sense], {})["splices"] = asdict(rule)
        path.write_text(json.dumps(extra, indent=2) + "\n")


if __name__ == "__main__":
    main()
