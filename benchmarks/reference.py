"""What genuine footage of the person is worth: plain and relative scores of a model, side by side.

    python benchmarks/reference.py MANIFEST.csv [--model NAME|DIR] [--split val] [--json FILE]
                                   [--extra-calibration FILE.json]
    python benchmarks/reference.py MANIFEST.csv --runs runs/fold-* --contains FaceForensics++

``--runs`` are those of a cross-validation: each judges the files that it held out, by the bundle
that its training ended with.

A manifest of genuine and forged videos that share people; ``person`` of a forgery joins the one
whose scene it is and the one whose face it wears (FaceForensics++: 033_097 shows 033 with the
face of 097). Each set has one genuine video a person, so every probe is the second half of a video
and every reference the first half of a genuine one: a genuine probe has its own video's, the same
occasion and camera, which flatters it. A forgery has that of the scene's person, or of the face's.
Intervals resample people. ``--extra-calibration`` writes what `seamline export` takes, fitted to
these very rows: use rows that the model was neither trained nor measured on.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from seamline.clips.clip import FaceCrops, MotionCrops
from seamline.clips.extract import extract
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.scoring.branch import judge_of
from seamline.scoring.calibration import fit_calibration
from seamline.scoring.pool import pool_logits
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model
from seamline.zoo.clip_scores import motion_evidence

GENUINE_CALLED_FAKE = 0.02
THRESHOLDS = (0.5, 0.98)
RANGE_ROOM = 1.5
REPEATS = 1000


@dataclass(frozen=True)
class Video:
    """One file's main face, its halves pooled apart."""

    label: str
    source: str
    method: str
    people: tuple[str, ...]
    first: float
    second: float


def main() -> None:
    """Score, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--runs", nargs="*", type=Path, default=[])
    parser.add_argument("--bundle", default="bundle", help="folder of the bundle in each run")
    parser.add_argument("--split")
    parser.add_argument("--contains", default="", help="only rows whose source has this text")
    parser.add_argument(
        "--share", type=float, help="of the reference's level to take away; default: the model's"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--extra-calibration", type=Path)
    asked = parser.parse_args()
    bundles = [Bundle.load(run / asked.bundle, threads=1) for run in asked.runs]
    bundle = bundles[0] if bundles else Bundle.load(find_model(asked.model), threads=1)
    videos = []
    for one, run in zip(bundles or [bundle], asked.runs or [None], strict=True):
        videos += read(asked.manifest, one, asked.split, asked.contains, held_out(run))
    genuine = {(v.source, v.people[0]): v for v in videos if v.label == "real"}
    branch = judge_of("video", bundle.branches) or "picture"
    share = bundle.branches[branch].reference_share if asked.share is None else asked.share
    rows = [row for row in (compare(video, genuine, share) for video in videos) if row is not None]
    figures = {"model": bundle.model_id.name, "model_sha256": bundle.sha256, "videos": len(videos)}
    for kind in ("plain", "scene", "face"):
        figures[kind] = measure([r for r in rows if r[kind] is not None], kind)
        print(f"{kind:<6}", figures[kind])
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    if asked.extra_calibration:
        fitted = calibrate([r for r in rows if r["scene"] is not None])
        extra = {branch: {"reference_share": share, **fitted}}
        asked.extra_calibration.write_text(json.dumps(extra, indent=2) + "\n")


def held_out(run: Path | None) -> set[str] | None:
    """Name the files that a run was not trained on; None: all."""
    if run is None:
        return None
    return {row["path"] for row in json.loads((run / "scores.json").read_text())["holdout"]}


def read(
    manifest: Path, bundle: Bundle, split: str | None, contains: str, paths: set[str] | None
) -> list[Video]:
    """Score the main face of every video with a person's name; ``paths`` None takes all."""
    detector, found = FaceDetector(1), []
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "video" and row["person"]]
    for row in rows:
        if contains not in row["source"] or (split and row["split"] != split):
            continue
        if paths is not None and row["path"] not in paths:
            continue
        halves = halves_of(manifest.parent / row["path"], bundle, detector)
        if halves is not None:
            people = tuple(row["person"].split("+"))
            found.append(Video(row["label"], row["source"], row["method"], people, *halves))
    return found


def halves_of(path: Path, bundle: Bundle, detector: FaceDetector) -> tuple[float, float] | None:
    """Pool the logits of the longest track's first and second half."""
    branch = bundle.branches[judge_of("video", bundle.branches) or "picture"]
    tracks: dict[int, list[FaceCrops]] = defaultdict(list)
    try:
        for clip in extract(path, bundle.contract, detector=detector, threads=1, dense="all"):
            if clip.faces is not None:
                tracks[clip.faces.track].append(clip.faces)
    except UnreadableMedia as error:
        print(error)
    windows = max(tracks.values(), key=lambda found: sum(len(f.crops) for f in found), default=[])
    if sum(len(faces.crops) for faces in windows) < 8:
        return None
    logits = np.concatenate([bundle.score_faces(faces.crops)[0] for faces in windows])
    seconds = np.concatenate([faces.seconds for faces in windows])
    middle = float(seconds[len(seconds) // 2])
    halves = []
    for start, stop in ((-np.inf, middle), (middle, np.inf)):
        part = logits[(seconds >= start) & (seconds < stop)]
        pooled = pool_logits(
            part + motion_between(windows, bundle, start, stop), branch.pool_sharpness
        )
        if pooled is None:
            return None
        halves.append(pooled)
    return halves[0], halves[1]


def motion_between(
    windows: Sequence[FaceCrops], bundle: Bundle, start_seconds: float, stop_seconds: float
) -> float:
    """Give what the motion branch adds between two moments; 0 without one, or without frames."""
    found = []
    for faces in windows:
        if faces.motion is not None:
            seconds = faces.motion.seconds
            inside = (seconds >= start_seconds) & (seconds < stop_seconds)
            motion = MotionCrops(seconds[inside], faces.motion.crops[inside])
            found.append(motion_evidence(bundle, replace(faces, motion=motion)))
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else 0.0


def compare(
    video: Video, genuine: dict[tuple[str, str], Video], share: float
) -> dict[str, object] | None:
    """Give a probe's plain score, and those relative to the scene's and to the face's person."""
    scene = genuine.get((video.source, video.people[0]))
    face = genuine.get((video.source, video.people[-1]))
    return {
        "fake": video.label == "fake",
        "person": video.people[0],
        "method": video.method,
        "plain": video.second if scene is not None else None,
        "scene": None if scene is None else video.second - share * scene.first,
        "face": None if face is None else video.second - share * face.first,
    }


def measure(rows: list[dict[str, object]], kind: str) -> dict[str, object]:
    """AUC and equal error rate, with a 95 % interval over people."""
    fake = np.array([row["fake"] for row in rows], bool)
    score = np.array([row[kind] for row in rows], np.float64)
    people = np.array([row["person"] for row in rows])
    names, generator, spread = np.unique(people), np.random.default_rng(0), []
    places = {name: np.flatnonzero(people == name) for name in names}
    for _ in range(REPEATS):
        drawn = np.concatenate([places[n] for n in generator.choice(names, len(names))])
        if 0 < fake[drawn].sum() < len(drawn):
            spread.append(roc_auc_score(fake[drawn], score[drawn]))
    low, high = np.quantile(spread, [0.025, 0.975])
    called, found, _ = roc_curve(fake, score)
    return {
        "genuine": int((~fake).sum()),
        "forged": int(fake.sum()),
        "people": len(names),
        "auc": round(float(roc_auc_score(fake, score)), 3),
        "auc_low": round(float(low), 3),
        "auc_high": round(float(high), 3),
        "eer": round(float(called[np.argmin(np.abs(called - (1 - found)))]), 3),
    }


def calibrate(rows: list[dict[str, object]]) -> dict[str, object]:
    """Fit what a bundle needs to judge relative scores, by the rules of `seamline export`."""
    fake = np.array([row["fake"] for row in rows], np.int64)
    score = np.array([row["scene"] for row in rows], np.float64)
    fit = fit_calibration(score, fake, balanced=True)
    chances = fit.probabilities(score[fake == 0])
    cut = float(np.quantile(chances, 1 - GENUINE_CALLED_FAKE, method="higher")) + 1e-3
    middle, half = (score.max() + score.min()) / 2, (score.max() - score.min()) / 2
    return {
        "reference_calibration": {"temperature": fit.temperature, "bias": fit.bias},
        "reference_threshold": float(np.clip(cut, *THRESHOLDS)),
        "reference_usual_logits": [middle - RANGE_ROOM * half, middle + RANGE_ROOM * half],
    }


if __name__ == "__main__":
    main()
