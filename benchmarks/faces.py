"""Measures finding faces against a full-resolution MTCNN pass: prints JSON.

The full pass is the paper's: the same nets and thresholds, 12 px cells, pyramid factor 0.709, faces
from 20 px up on the full-size frame. Ours wants faces from 48 px up. Both run with one thread on
the same frames, in turn. Clips come from ``../shared/data`` beside the checkout: research data
that is not part of the project. Run as `python benchmarks/faces.py [SAVE_FALSE_FACES_IN]`.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from seamline.faces.boxes import iou
from seamline.faces.mtcnn import Cascade, Face, FaceDetector
from seamline.faces.track import FaceTracker
from seamline.media.video import stream_frames

DATA = Path(__file__).parents[2] / "shared" / "data"
STEP_SECONDS = 0.25
FULL_PX, OURS_PX = 20.0, 48.0
SHRUNK_TO_PX = 56.0
THRESHOLDS = Cascade().thresholds
REPEATS = 7


def clips(split: str, **wanted: str) -> list[Path]:
    """List the files of a split whose manifest row starts with the wanted values."""
    with (DATA / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    return [
        DATA / row["path"]
        for row in rows
        if all(row[key].startswith(value) for key, value in wanted.items())
    ]


def full_pass() -> FaceDetector:
    """Return the paper's cascade."""
    return FaceDetector(1, Cascade(0.709, 1.0, THRESHOLDS, (0.7, 0.7, 0.7), level_overlap=0.5))


def side(face: Face) -> float:
    """Return the longer side in px."""
    return float((face.box[2:] - face.box[:2]).max())


def is_among(face: Face, faces: list[Face]) -> bool:
    """Tell whether one of the faces overlaps this one by half."""
    if not faces:
        return False
    return bool(iou(face.box[None], np.stack([f.box for f in faces])).max() >= 0.5)


class Count:
    """Faces of the full pass, how many of them ours finds, and what ours adds."""

    def __init__(self) -> None:
        self.faces = self.found = self.added = 0
        self.full_seconds: list[float] = []
        self.our_seconds: list[float] = []

    def add(self, full: list[Face], ours: list[Face], least_px: float = OURS_PX) -> None:
        """Compare one frame."""
        wanted = [face for face in full if side(face) >= least_px]
        self.faces += len(wanted)
        self.found += sum(is_among(face, ours) for face in wanted)
        self.added += sum(not is_among(face, full) for face in ours)

    def report(self) -> dict[str, object]:
        """Return the figures; a ratio is of two runs on the same frame."""
        ratios = [o / f for o, f in zip(self.our_seconds, self.full_seconds, strict=True)]
        figures: dict[str, object] = {
            "faces": self.faces,
            "found": self.found,
            "share_found": round(self.found / max(1, self.faces), 4),
            "found_by_ours_only": self.added,
        }
        if ratios:
            figures["cost_ratio"] = {
                "of_sums": round(sum(self.our_seconds) / sum(self.full_seconds), 4),
                "median": round(statistics.median(ratios), 4),
                "quartiles": [round(float(q), 4) for q in np.percentile(ratios, [25, 75])],
            }
            figures["ms_a_frame"] = {
                "full": round(1e3 * statistics.mean(self.full_seconds), 2),
                "ours": round(1e3 * statistics.mean(self.our_seconds), 2),
            }
        return figures


def timed(detector: FaceDetector, rgb: np.ndarray, min_face_px: float) -> tuple[list[Face], float]:
    """Return the faces and the processor time, which other programs disturb less."""
    start = time.process_time()
    faces = detector.detect([rgb], min_face_px)[0]
    return faces, time.process_time() - start


def shrunk(rgb: np.ndarray, faces: list[Face]) -> np.ndarray | None:
    """Return the frame with its first face at ``SHRUNK_TO_PX``, if that is smaller."""
    if not faces or side(faces[0]) <= SHRUNK_TO_PX:
        return None
    scale = SHRUNK_TO_PX / side(faces[0])
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def save_added(folder: Path | None, name: str, rgb: np.ndarray, ours: list[Face], full: list[Face]):
    """Draw what ours alone found, to be looked at."""
    for face in ours:
        if folder is not None and not is_among(face, full):
            picture = rgb[..., ::-1].copy()
            x0, y0, x1, y1 = (int(value) for value in face.box)
            cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 0, 255), 2)
            cv2.imwrite(str(folder / f"{name}-{face.score:.3f}.png"), picture)


def compare(paths: list[Path], look: Path | None) -> dict[str, object]:
    """Run both on every sampled frame, as it is and with small faces; and the tracker."""
    full, ours = full_pass(), FaceDetector(1)
    whole, small, followed = Count(), Count(), Count()
    full.detect([np.zeros((48, 48, 3), np.uint8)])  # load the nets
    ours.detect([np.zeros((48, 48, 3), np.uint8)])
    for path in paths:
        tracker, tracks = FaceTracker(ours), set()
        for frame in stream_frames(path, step_seconds=STEP_SECONDS):
            faces, full_seconds = timed(full, frame.rgb, FULL_PX)
            mine, our_seconds = timed(ours, frame.rgb, OURS_PX)
            whole.full_seconds.append(full_seconds)
            whole.our_seconds.append(our_seconds)
            whole.add(faces, mine)
            save_added(
                look, f"{path.parent.name}-{path.stem}-{frame.seconds:.2f}", frame.rgb, mine, faces
            )
            start = time.process_time()
            tracked = tracker.follow([frame])[0]
            followed.our_seconds.append(time.process_time() - start)
            followed.full_seconds.append(full_seconds)
            followed.add(faces, [one.face for one in tracked])
            tracks |= {one.track for one in tracked}
            if (tiny := shrunk(frame.rgb, faces)) is not None:
                small.add(full.detect([tiny], FULL_PX)[0], ours.detect([tiny], OURS_PX)[0])
    return {
        "clips": len(paths),
        "frames": len(whole.our_seconds),
        "as_they_are": whole.report(),
        f"shrunk_to_{SHRUNK_TO_PX:.0f}_px_faces": small.report(),
        "tracker": followed.report(),
    }


def still_frames(paths: list[Path]) -> Iterator[np.ndarray]:
    """Yield one frame a file: a photo, or the first of a clip."""
    for path in paths:
        yield next(iter(stream_frames(path, step_seconds=10.0))).rgb


def rates(collections: dict[str, list[Path]]) -> dict[str, object]:
    """Return the share of pictures in which each finds a face."""
    full, ours = full_pass(), FaceDetector(1)
    result: dict[str, object] = {}
    for name, paths in collections.items():
        count, any_full, any_ours, many = Count(), 0, 0, 0
        for rgb in still_frames(paths):
            faces, mine = full.detect([rgb], FULL_PX)[0], ours.detect([rgb], OURS_PX)[0]
            count.add(faces, mine)
            any_full += bool(faces)
            any_ours += bool(mine)
            many += len(mine) > 1
        result[name] = {
            "pictures": len(paths),
            "with_a_face_ours": round(any_ours / len(paths), 4),
            "with_a_face_full": round(any_full / len(paths), 4),
            "with_several_ours": many,
            **count.report(),
        }
    return result


def full_hd(paths: list[Path]) -> dict[str, object]:
    """Time one 1920×1080 frame per call: each clip's first frame, enlarged."""
    frames = [cv2.resize(rgb, (1920, 1080)) for rgb in still_frames(paths)]
    detector = FaceDetector(1)
    faces = [detector.detect([rgb])[0] for rgb in frames]
    boxes = [[face.box for face in found] for found in faces]
    detect, refine = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        for rgb in frames:
            detector.detect([rgb])
        detect.append(1e3 * (time.process_time() - start) / len(frames))
        start = time.process_time()
        for rgb, found in zip(frames, boxes, strict=True):
            detector.refine([rgb] * len(found), found)
        refine.append(1e3 * (time.process_time() - start) / len(frames))
    return {
        "detect_ms_median_min_max": [round(f(detect), 2) for f in (statistics.median, min, max)],
        "refine_ms_median_min_max": [round(f(refine), 2) for f in (statistics.median, min, max)],
        "faces_a_frame": round(sum(map(len, faces)) / len(faces), 2),
    }


def main(look: Path | None) -> None:
    """Run everything and print it."""
    if not (DATA / "manifest.csv").is_file():
        print(json.dumps({"skipped": f"no research clips at {DATA}"}))
        return
    cv2.setNumThreads(1)
    val = clips("val", kind="video", source="FaceForensics++")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    report = {
        "faceforensics_val": compare(val, look),
        "full_hd": full_hd(val[::5]),
        "collections": rates(
            {
                "LRC-AR": clips("train", source="LRC-AR"),
                "OpenForensics-like, real": clips("train", source="OpenForensics", label="real"),
                "OpenForensics-like, fake": clips("train", source="OpenForensics", label="fake"),
                "UTKFace": clips("train", source="UTKFace"),
            }
        ),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "commit": commit.stdout.strip() or None,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
