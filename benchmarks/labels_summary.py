"""Sums up what `benchmarks/labels.py` measured: rows in, thresholds and tables out."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np

from seamline.data.labels import Tolerance

CLASSES = ("real", "fake_video", "fake_audio", "fake_both")
OTHER_PICTURE_MEASURES = (
    "highest_excess", "face_change", "psnr_gap_db", "ssim_gap", "face_psnr_db",
)  # fmt: skip
CRFS, KILOBITS = (23, 30, 36), (32, 64, 128)
DESIGN_CLIPS = 16  # looked at while the picture's measure was made


def class_of(video_label: str, audio_label: str) -> str:
    """The one of four classes that two labels make."""
    return {
        ("real", "real"): "real",
        ("fake", "real"): "fake_video",
        ("real", "fake"): "fake_audio",
        ("fake", "fake"): "fake_both",
    }.get((video_label, audio_label), "unlabelled")


def best_threshold(rows: list[dict[str, Any]], name: str, fakes: tuple[str, ...]) -> float:
    """The middle of the widest gap among those thresholds that err least (balanced)."""
    known = [(row[name], row["truth"] in fakes) for row in rows if row[name] is not None]
    values = np.array([value for value, _ in known])
    is_fake = np.array([fake for _, fake in known])
    edges = np.unique(values)
    best, threshold = (-1.0, 0.0), 0.0
    for low, high in itertools.pairwise(edges):
        above = values > low
        accuracy = (above[is_fake].mean() + (~above[~is_fake]).mean()) / 2
        if (round(float(accuracy), 9), high - low) > best:
            best, threshold = (round(float(accuracy), 9), high - low), (low + high) / 2
    return float(threshold)


def guess(row: dict[str, Any], picture: str, voice: str, at: dict[str, float]) -> str:
    """The class that two thresholded measures give."""
    labels = [
        "" if row[name] is None else "fake" if row[name] > at[name] else "real"
        for name in (picture, voice)
    ]
    if picture == "excess" and labels[0] == "fake" and (row["outside_change"] or 0) > at["heavy"]:
        labels[0] = "fake" if row["excess"] > at["heavy_excess"] else ""
    return class_of(*labels)


def confusion(rows: list[dict[str, Any]], at: dict[str, float]) -> dict[str, dict[str, int]]:
    """Truth by row, guess by column."""
    counts = Counter((row["truth"], guess(row, "excess", "unlike", at)) for row in rows)
    columns = (*CLASSES, "unlabelled")
    return {truth: {told: counts[truth, told] for told in columns} for truth in CLASSES}


def shares(
    rows: list[dict[str, Any]], at: dict[str, float], picture: str = "excess", voice: str = "unlike"
) -> dict[str, Any]:
    """How many comparisons get a class, and how many of those the right one."""
    told = [(row["truth"], guess(row, picture, voice, at)) for row in rows]
    labelled = [(truth, name) for truth, name in told if name != "unlabelled"]
    right = sum(truth == name for truth, name in labelled)
    return {
        "pairs": len(told),
        "labelled": round(len(labelled) / len(told), 4),
        "right_of_labelled": round(right / max(1, len(labelled)), 4),
    }


def choose_thresholds(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Choose every threshold on these rows; where coding is heavy, the largest genuine excess."""
    tolerance = Tolerance()
    pictures, voices = ("fake_video", "fake_both"), ("fake_audio", "fake_both")
    seen = [row for row in rows if row["excess"] is not None]
    heavy = [row for row in seen if (row["outside_change"] or 0) > tolerance.heavy_outside]
    light = [row for row in seen if (row["outside_change"] or 0) <= tolerance.heavy_outside]
    at = {"excess": best_threshold(light, "excess", pictures), "heavy": tolerance.heavy_outside}
    genuine = [row["excess"] for row in heavy if row["truth"] not in pictures]
    at["heavy_excess"] = max([at["excess"], *genuine])
    at |= {name: best_threshold(rows, name, pictures) for name in OTHER_PICTURE_MEASURES}
    return at | {
        name: best_threshold(rows, name, voices) for name in ("unlike", "worst_log_mel_db")
    }


def summary(rows: list[dict[str, Any]], halves: dict[int, int]) -> dict[str, Any]:
    """Choose thresholds on the first half of the people, report on the second."""
    unseen = [row for row in rows if row["clip"] >= DESIGN_CLIPS]
    first, second = ([row for row in unseen if halves[row["clip"]] == side] for side in (0, 1))
    at = choose_thresholds(first)
    tolerance = Tolerance()
    shipped = {
        "excess": tolerance.most_excess,
        "heavy": tolerance.heavy_outside,
        "heavy_excess": tolerance.heavy_excess,
        "unlike": 1 - tolerance.least_correlation,
    }
    by = {}
    for key, value in [("crf", v) for v in CRFS] + [("kilobits", v) for v in KILOBITS]:
        by[f"{key} {value}"] = shares([r for r in unseen if r["recoding"][key] == value], shipped)
    for half in (False, True):
        name = "half size" if half else "full size"
        by[name] = shares([r for r in unseen if r["recoding"]["half"] == half], shipped)
    for kind in sorted({row["kind"] for row in rows}):
        by[f"kind {kind}"] = shares([r for r in unseen if r["kind"] == kind], shipped)
    others = [(measure, "unlike") for measure in OTHER_PICTURE_MEASURES]
    return {
        "clips": {
            "chosen_on": len({r["clip"] for r in first}),
            "reported_on": len({r["clip"] for r in second}),
        },
        "pairs_by_truth": dict(Counter(row["truth"] for row in rows)),
        "chosen_on_first_half": {name: round(value, 3) for name, value in at.items()},
        "second_half": {"confusion": confusion(second, at), **shares(second, at)},
        "shipped": shipped,
        "unseen_shipped": {"confusion": confusion(unseen, shipped), **shares(unseen, shipped)},
        "design_clips_shipped": shares([r for r in rows if r["clip"] < DESIGN_CLIPS], shipped),
        "second_half_other_measures": {
            f"{picture} with {voice}": shares(second, at, picture, voice)["right_of_labelled"]
            for picture, voice in [*others, ("excess", "worst_log_mel_db")]
        },
        "spread_unseen": spread(unseen),
        "by_unseen_shipped": by,
        "seconds_per_pair_median": float(np.median([row["seconds"] for row in rows])),
    }


def spread(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Least, 5th, 50th and 95th percentile and most of both measures, genuine and forged."""
    found = {}
    for name, fakes in (
        ("excess", ("fake_video", "fake_both")),
        ("unlike", ("fake_audio", "fake_both")),
    ):
        for word, wanted in (("genuine", False), ("forged", True)):
            values = [
                r[name] for r in rows if r[name] is not None and (r["truth"] in fakes) == wanted
            ]
            points = np.percentile(values, (0, 5, 50, 95, 100))
            found[f"{name}, {word}"] = [round(float(value), 3) for value in points]
    return found
