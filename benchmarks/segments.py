"""How well spliced forgeries are found in time, and what other readings would give.

    python benchmarks/segments.py --report MANIFEST.csv... [--choose MANIFEST.csv...]
        [--model NAME|DIR] [--rows FILE.json]

The manifests are those of `seamline forge` and `spliced_speech.py`. Prints Markdown: the AUC of
each sense by forgery and for several sharpnesses of pooling over time; average precision of the
spliced files and the genuine ones by whole seconds, as shipped (edges from the finer logits), and
with the threshold that is best on other files: of the logit, or of how far it lies above its own
file's median. *All proposals* are what `scan --proposals` lists, ranked, as the scripts of LAV-DF
and of AV-Deepfake1M rank what a model proposes; *as shipped* is what of it a verdict shows.
Thresholds are chosen on ``--choose`` by the sum of AP@0.5 and AP@0.75 and reported on ``--report``;
without ``--choose`` the files of ``--report`` are halved by original and each half is read with
what the other one chose. ``--rows`` keeps the logits.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forged_logits import STEP_SECONDS, Lane, Scored, load, read_scored, table
from seamline.evaluation.metrics import roc_auc
from seamline.evaluation.segments import FileSpans, SegmentMeasures, segment_measures
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.scoring.pool import pool_logits
from seamline.scoring.sense import join_segments, sense_proposals, stretch_threshold
from seamline.scoring.splices import SpliceRule, find_splices
from seamline.scoring.timeline import FineLogits, find_segments, step_logits
from seamline.scoring.verdict import Segment

SHARPNESSES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, math.inf)
THRESHOLDS = np.arange(-3.0, 6.1, 0.25)

Found = tuple[float, float, float]


@dataclass(frozen=True)
class Reading:
    """A way to read segments from logits."""

    name: str
    threshold: float
    """A logit."""
    relative: bool = False
    """Whether it is counted from the lane's median."""
    fine: bool = True
    """Whether edges come from the finer logits."""
    splices: SpliceRule | None = None
    """How stretches that stand out are read, too."""
    least_logit: float = -math.inf
    """Of such a stretch."""
    calm_threshold: float | None = None
    """The logit asked of a stretch in a lane that is not called as a whole; None: ``threshold``."""
    proposes: bool = False
    """Whether what stands out too little to be called counts, too."""


def logit_at(calibration: Calibration, probability: float) -> float:
    """Give the logit that a calibration makes a probability of."""
    odds = math.log(probability / (1 - probability))
    return calibration.temperature * (odds - calibration.bias)


def read_lane(lane: Lane, file: Scored, sense: str, sharpness: float, how: Reading) -> list[Found]:
    """Read one lane's segments with the verdict's own code."""
    logits = lane.logits - (np.median(lane.logits) if how.relative else 0.0)
    seconds = STEP_SECONDS[sense]
    stops = None if sense == "video" else lane.seconds + seconds
    steps = step_logits(
        lane.seconds, logits, file.duration, stop_seconds=stops, sharpness=sharpness
    )
    fine = FineLogits(lane.seconds, logits, seconds)
    splices = find_splices(fine, how.splices, how.least_logit) if how.splices else []
    threshold, whole = how.threshold, pool_logits(logits, sharpness)
    if how.calm_threshold is not None and not splices and (whole is None or whole < threshold):
        threshold = how.calm_threshold
    found = find_segments(
        steps,
        Calibration(),
        1 / (1 + math.exp(-threshold)),
        modality=sense,  # type: ignore[arg-type]
        duration_seconds=file.duration,
        sharpness=sharpness,
        fine=fine if how.fine else None,
    )
    if how.splices is not None:
        spliced = [
            Segment(sense, None, s.start_seconds, s.stop_seconds, s.fake_probability)  # type: ignore[arg-type]
            for s in splices
        ]
        found = join_segments(found, spliced)
        if how.proposes:
            found = sense_proposals(fine, how.splices, sense, None, found)  # type: ignore[arg-type]
    return [(s.start_seconds, s.stop_seconds, s.fake_probability) for s in found]


def measured(
    files: Sequence[Scored], sense: str, sharpness: float, how: Reading
) -> SegmentMeasures:
    """Measure a reading on files."""
    return segment_measures(
        [
            FileSpans(
                tuple(dict.fromkeys(file.truth[sense])),
                tuple(
                    found
                    for lane in file.lanes[sense]
                    for found in read_lane(lane, file, sense, sharpness, how)
                ),
            )
            for file in files
        ]
    )


def best(files: Sequence[Scored], sense: str, sharpness: float, relative: bool) -> Reading:
    """Choose the threshold of the highest AP@0.5 + AP@0.75."""

    def merit(how: Reading) -> float:
        found = measured(files, sense, sharpness, how).average_precision
        return (found["0.5"] or 0.0) + (found["0.75"] or 0.0)

    name = "chosen, above the median by" if relative else "chosen, logit of"
    return max((Reading(f"{name} {t:g}", float(t), relative) for t in THRESHOLDS), key=merit)


def spliced(files: Sequence[Scored], sense: str, forgery: str = "splice") -> list[Scored]:
    """Keep files spliced in a sense, and the genuine ones."""
    return [
        file
        for file in files
        if file.is_genuine or (file.fake[sense] and file.forgery.startswith(forgery))
    ]


def halves(files: Sequence[Scored]) -> list[list[Scored]]:
    """Part files in two by their originals."""
    originals = sorted({Path(file.original).name.split(".")[0] for file in files})
    first = set(originals[::2])
    return [
        [file for file in files if (Path(file.original).name.split(".")[0] in first) == side]
        for side in (True, False)
    ]


def auc_rows(files: Sequence[Scored], branches: dict[str, Branch]) -> list[list[str]]:
    """Give the AUC of each sense by forgery against the genuine files, for every sharpness."""
    rows = []
    for sense, branch in branches.items():
        for kind in sorted({file.forgery for file in files if file.fake[sense]}):
            chosen = [
                file
                for file in files
                if file.lanes[sense] and (file.is_genuine or file.forgery == kind)
            ]
            truth = np.array([file.fake[sense] for file in chosen], dtype=int)
            cells = []
            for sharpness in SHARPNESSES:
                told = (
                    f"{roc_auc(truth, np.array([f.pooled(sense, sharpness) for f in chosen])):.2f}"
                )
                cells.append(f"**{told}**" if sharpness == branch.pool_sharpness else told)
            rows.append([f"{sense}: {kind}", f"{(1 - truth).sum()} / {truth.sum()}", *cells])
    return rows


def segment_rows(
    report: Sequence[Scored], choose: Sequence[Scored], branches: dict[str, Branch]
) -> list[list[str]]:
    """Give the figures of every reading, and of the shipped one by forgery."""
    rows = []
    for sense, branch in branches.items():
        wanted, other = spliced(report, sense), spliced(choose, sense)
        if not any(file.truth[sense] for file in wanted):
            continue
        sharpness, at = branch.pool_sharpness, branch.calibration
        threshold = logit_at(at, branch.threshold)
        shipped = Reading(
            "**as shipped**",
            threshold,
            splices=branch.splices,
            least_logit=at.even_logit,
            calm_threshold=logit_at(at, stretch_threshold(branch, called=False)),
        )
        told = [
            (Reading("whole seconds", threshold, fine=False), wanted),
            (Reading("by level", threshold), wanted),
            (shipped, wanted),
            (replace(shipped, name="**all proposals**", proposes=True), wanted),
        ]
        told += [
            (
                replace(shipped, name=f"all proposals: {kind}", proposes=True),
                spliced(wanted, sense, kind),
            )
            for kind in sorted({file.forgery for file in wanted if file.truth[sense]})
        ]
        pairs = [(other, wanted)] if other else list(itertools.permutations(halves(wanted)))
        told += [
            (best(chosen_on, sense, sharpness, relative), told_on)
            for relative in (False, True)
            for chosen_on, told_on in pairs
        ]
        rows += [
            [f"{sense}: {how.name}", *cells(files, sense, sharpness, how)] for how, files in told
        ]
    return rows


def cells(files: Sequence[Scored], sense: str, sharpness: float, how: Reading) -> list[str]:
    """Give the figures of a reading, and in how many genuine files it finds anything."""
    found = measured(files, sense, sharpness, how)
    genuine = [file for file in files if file.is_genuine and file.lanes[sense]]
    accused = measured_files(genuine, sense, sharpness, how)
    return [
        str(found.segments),
        *("–" if n is None else f"{n:.2f}" for n in found.average_precision.values()),
        "–" if found.average_recall is None else f"{found.average_recall:.2f}",
        f"{accused} of {len(genuine)}",
    ]


def measured_files(files: Sequence[Scored], sense: str, sharpness: float, how: Reading) -> int:
    """Count the files in which a reading finds anything."""
    return sum(
        any(read_lane(lane, file, sense, sharpness, how) for lane in file.lanes[sense])
        for file in files
    )


def main() -> None:
    """Score, choose, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", type=Path, nargs="+", required=True)
    parser.add_argument("--choose", type=Path, nargs="*", default=[])
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--rows", type=Path)
    asked = parser.parse_args()
    bundle, branches = load(asked.model)
    report = read_scored(asked.report, bundle, asked.rows)
    choose = read_scored(asked.choose, bundle, asked.rows)
    header = ["AUC", "genuine / fake", *(f"r = {r:g}" for r in SHARPNESSES)]
    print(table(header, auc_rows(report, branches)))
    header = ["reading", "true", "AP@0.5", "AP@0.75", "AP@0.95", "AR", "genuine files accused"]
    print(table(header, segment_rows(report, choose, branches)))


if __name__ == "__main__":
    main()
