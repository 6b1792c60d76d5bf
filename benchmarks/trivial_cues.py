"""How far trivial cues alone tell fakes from genuine files, set by set; prints Markdown.

    python benchmarks/trivial_cues.py MANIFEST.csv [--rows FILE.json] [--markdown FILE]

For every source and split of the manifest that holds both classes, and for each kind as a whole:
the AUC of single cues that have nothing to do with forgery (duration, bytes, bit rate, frame rate,
codec, size, brightness, sharpness, how high the face stands; for sound loudness, bandwidth,
silence, noise, original rate), whichever way they point: max(AUC, 1 - AUC). ``all cues`` is a
logistic regression on their ranks and squared ranks, by five folds over people. A cue is marked
where its AUC is at least 0.65 and more than three standard errors (of chance, at that many files)
from 0.5. ``--rows`` keeps the measured cues; a file that is there is summed up again instead.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from seamline.data.manifest import Sample, read_manifest
from seamline.data.splits import folds_by_identity
from seamline.errors import UnreadableMedia
from seamline.evaluation.metrics import midranks, roc_auc
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.probe import MediaInfo, probe
from seamline.media.video import Frame, stream_frames

LEAST_OF_A_CLASS = 3
LEAST_AUC, LEAST_ERRORS = 0.65, 3.0
FOLDS = 5
FRAME_SAMPLES, RATE_HZ = 320, 16000

Cues = dict[str, float | str | None]


def video_cues(sample: Sample, media: MediaInfo, detector: FaceDetector) -> Cues:
    """Measure a video or a photo; the picture's cues on its middle frame."""
    assert media.video is not None
    seconds = media.duration_seconds or 0.0
    size = sample.file.stat().st_size
    frame = middle_frame(sample.file, seconds, media.kind == "image")
    grey = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
    (faces,) = detector.detect([frame.rgb])
    tallest = max((float(face.box[3] - face.box[1]) for face in faces), default=None)
    return {
        "duration": seconds or None,
        "bytes": size,
        "bit rate": size / seconds if seconds else size / grey.size,
        "frame rate": media.video.frames_per_second,
        "codec": f"{sample.file.suffix} {media.video.codec}",
        "pixels": grey.size,
        "aspect": grey.shape[1] / grey.shape[0],
        "has sound": float(media.audio is not None),
        "brightness": float(grey.mean()),
        "sharpness": float(np.log(cv2.Laplacian(grey, cv2.CV_64F).var() + 1e-3)),
        "face height share": None if tallest is None else tallest / grey.shape[0],
    }


def middle_frame(path: Path, seconds: float, is_photo: bool) -> Frame:
    """Read one frame from the middle of a file."""
    spans = None if is_photo or not seconds else [(seconds / 2, seconds / 2 + 0.5)]
    frames = stream_frames(path, step_seconds=0.25, spans=spans, threads=1)
    frame = next(iter(frames), None)
    if frame is None:
        frame = next(iter(stream_frames(path, step_seconds=0.25, threads=1)))
    return frame


def sound_cues(sample: Sample, media: MediaInfo) -> Cues:
    """Measure a recording."""
    sound = next(read_audio(sample.file, sample_rate_hz=RATE_HZ)).samples.astype(np.float64)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.arange(len(power)) * RATE_HZ / max(1, len(sound))
    share = np.cumsum(power) / max(float(power.sum()), 1e-20)
    count = max(1, len(sound) // FRAME_SAMPLES)
    frames = np.resize(sound, count * FRAME_SAMPLES).reshape(count, FRAME_SAMPLES)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    loud = np.flatnonzero(levels > levels.max() - 40)
    rate = re.search(r"original rate (\d+)", sample.note)
    return {
        "duration": len(sound) / RATE_HZ,
        "bytes": sample.file.stat().st_size,
        "bit rate": sample.file.stat().st_size * RATE_HZ / max(1, len(sound)),
        "codec": media.audio.codec if media.audio else None,
        "original rate": float(rate[1]) if rate else None,
        "loudness": float(10 * np.log10(np.mean(sound**2) + 1e-10)),
        "peak": float(np.abs(sound).max()),
        "99 % roll-off": float(hertz[int(np.searchsorted(share, 0.99))]),
        "above 4 kHz": float(10 * np.log10(1 - share[np.searchsorted(hertz, 4000)] + 1e-10)),
        "leading silence": float(loud[0]) * FRAME_SAMPLES / RATE_HZ,
        "trailing silence": float(count - 1 - loud[-1]) * FRAME_SAMPLES / RATE_HZ,
        "noise floor": float(np.percentile(levels, 10)),
        "zeros": float(np.mean(sound == 0)),
    }


def measure(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Measure every row that has a label; those that cannot be read are named and left out."""
    detector = FaceDetector(1)
    rows = []
    for number, sample in enumerate(samples):
        truth = sample.voice_truth if sample.kind == "audio" else sample.picture_truth
        if not truth:
            continue
        try:
            media = probe(sample.file)
            is_sound = sample.kind == "audio"
            cues = sound_cues(sample, media) if is_sound else video_cues(sample, media, detector)
        except UnreadableMedia as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        rows.append({"path": sample.path, "fake": truth == "fake", "cues": cues})
        if number % 200 == 0:
            print(f"{number} rows", file=sys.stderr)
    return rows


def single_auc(cue: list[float | str | None], fake: np.ndarray) -> float:
    """Give a cue's AUC, whichever way it points; what is missing or a word is a class of its own.

    Words are ordered by their share of fakes among the other files, so that none tells itself.
    """
    if any(isinstance(value, str) for value in cue):
        words = np.array([str(value) for value in cue])
        same = words[:, None] == words[None, :]
        np.fill_diagonal(same, False)
        shares = (same @ fake + fake.mean()) / (same.sum(axis=1) + 1)
        return max(0.5, roc_auc(fake.astype(int), shares))
    known = [value for value in cue if value is not None]
    below = min(known, default=0.0) - 1.0  # type: ignore[type-var, operator]
    values = np.array([below if value is None else value for value in cue], dtype=np.float64)
    found = roc_auc(fake.astype(int), values)
    return max(found, 1 - found)


def combined_auc(rows: list[dict[str, Any]], samples: list[Sample]) -> float | None:
    """Give the AUC of all cues together, cross-validated over people; None with too few files."""
    fake = np.array([row["fake"] for row in rows])
    if min(fake.sum(), (~fake).sum()) < 2 * FOLDS:
        return None
    columns = []
    for name in rows[0]["cues"]:
        cue = [row["cues"][name] for row in rows]
        if any(isinstance(value, str) for value in cue):
            columns += [
                np.array([value == word for value in cue], float)
                for word in sorted(set(map(str, cue)))
            ]
            continue
        missing = np.array([value is None for value in cue])
        values = np.array([0.0 if value is None else value for value in cue], dtype=np.float64)
        ranks = midranks(values) / len(values) - 0.5
        columns += [np.where(missing, 0.0, ranks), np.where(missing, 0.0, ranks**2), 1.0 * missing]
    design = np.stack(columns, axis=1)
    scores = np.zeros(len(rows))
    try:
        folds = np.array(folds_by_identity(samples, FOLDS, np.random.default_rng(0)))
    except ValueError:  # fewer people than folds
        return None
    for fold in range(FOLDS):
        held = folds == fold
        if held.all() or len(set(fake[~held])) < 2:
            continue
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000)
        scores[held] = model.fit(design[~held], fake[~held]).decision_function(design[held])
    return roc_auc(fake.astype(int), scores)


def is_marked(auc: float, fakes: int, reals: int) -> bool:
    """Tell whether a cue's AUC is large, and no accident."""
    error = np.sqrt((fakes + reals + 1) / (12 * fakes * reals))
    return auc >= LEAST_AUC and (auc - 0.5) / error > LEAST_ERRORS


def summary(rows: list[dict[str, Any]], samples: list[Sample]) -> list[dict[str, Any]]:
    """Sum up each source and split, and each kind over all of them."""
    by_path = {row["path"]: row for row in rows}
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.path in by_path:
            groups[sample.kind, f"{sample.source or '(no source)'}, {sample.split}"].append(sample)
            groups[sample.kind, f"ALL of {sample.split}"].append(sample)
    found = []
    for (kind, name), members in sorted(groups.items()):
        chosen = [by_path[sample.path] for sample in members]
        fake = np.array([row["fake"] for row in chosen])
        fakes, reals = int(fake.sum()), int((~fake).sum())
        if min(fakes, reals) < LEAST_OF_A_CLASS:
            continue
        cues = {
            cue: single_auc([row["cues"][cue] for row in chosen], fake) for cue in chosen[0]["cues"]
        }
        found.append(
            {
                "kind": kind,
                "set": name,
                "real": reals,
                "fake": fakes,
                "all cues": combined_auc(chosen, members),
                "cues": cues,
                "marked": sorted(
                    (cue for cue, auc in cues.items() if is_marked(auc, fakes, reals)),
                    key=lambda cue: -cues[cue],
                ),
            }
        )
    return found


def markdown(found: list[dict[str, Any]]) -> str:
    """Show the sets as tables, one a kind."""
    lines = []
    for kind in dict.fromkeys(one["kind"] for one in found):
        lines += [f"**{kind}**", "", "| set | real | fake | all cues | marked cues | best other |"]
        lines.append("|---|---:|---:|---:|---|---|")
        for one in (o for o in found if o["kind"] == kind):
            marked = ", ".join(f"{cue} **{one['cues'][cue]:.2f}**" for cue in one["marked"])
            rest = {c: a for c, a in one["cues"].items() if c not in one["marked"]}
            best = max(rest, key=lambda cue: rest[cue], default="")
            other = f"{best} {rest[best]:.2f}" if best else "–"
            together = "–" if one["all cues"] is None else f"{one['all cues']:.2f}"
            lines.append(
                f"| {one['set']} | {one['real']} | {one['fake']} | {together} | "
                f"{marked or 'none'} | {other} |"
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, sum up, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    samples = read_manifest(asked.manifest)
    if asked.rows and asked.rows.exists():
        rows = json.loads(asked.rows.read_text())
    else:
        rows = measure(samples)
        if asked.rows:
            asked.rows.write_text(json.dumps(rows))
    text = markdown(summary(rows, samples))
    if asked.markdown:
        asked.markdown.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
