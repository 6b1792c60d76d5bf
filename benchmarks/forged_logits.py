"""Reads forged manifests and gives every file's logits, scored by a bundle once and then kept."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seamline.clips.extract import extract
from seamline.data.manifest import Sample, read_manifest
from seamline.errors import UnreadableMedia
from seamline.evaluation.four_way import true_label
from seamline.evaluation.segments import true_segments
from seamline.faces.mtcnn import FaceDetector
from seamline.scoring.branch import Branch
from seamline.scoring.findings import FaceScores
from seamline.scoring.motion import joined_logits
from seamline.scoring.pool import pool_logits
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model
from seamline.zoo.clip_scores import face_scores, voice_logits

BRANCHES = {"video": "picture", "audio": "voice"}
STEP_SECONDS = {"video": 0.25, "audio": 0.16}
LEAST_SPEECH_SECONDS = 0.3
LEAST_FRAMES = 4


@dataclass(frozen=True)
class Lane:
    """The logits of one face, or of the voice, at their moments."""

    seconds: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Scored:
    """One file: what is true of it, and its logits by sense."""

    original: str
    forgery: str
    four_way: str | None
    duration: float
    truth: dict[str, list[tuple[float, float]]]
    fake: dict[str, bool]
    lanes: dict[str, list[Lane]]

    @property
    def is_genuine(self) -> bool:
        """Whether nothing in it is forged."""
        return self.forgery == "none"

    def pooled(self, sense: str, sharpness: float) -> float | None:
        """Pool the logits as a verdict does: over time, then the highest lane."""
        values = [pool_logits(lane.logits, sharpness) for lane in self.lanes[sense]]
        return max((value for value in values if value is not None), default=None)


def load(model: str) -> tuple[Bundle, dict[str, Branch]]:
    """Load a bundle and its branches by sense."""
    bundle = Bundle.load(find_model(model), threads=1)
    return bundle, {m: bundle.branches[b] for m, b in BRANCHES.items() if b in bundle.branches}


def read_scored(manifests: Sequence[Path], bundle: Bundle, rows: Path | None) -> list[Scored]:
    """Score every row of the manifests; logits that the file ``rows`` holds are not made again."""
    detector = FaceDetector(1)
    read = each_kept(manifests, rows, lambda sample: _score(sample, bundle, detector))
    return [_scored(sample, found) for sample, found in read]


def each_kept(
    manifests: Sequence[Path], rows: Path | None, score: Callable[[Sample], dict[str, Any]]
) -> list[tuple[Sample, dict[str, Any]]]:
    """Score every row of the manifests that can be read; what ``rows`` holds is not made again."""
    kept: dict[str, Any] = json.loads(rows.read_text()) if rows and rows.exists() else {}
    found = []
    for sample in itertools.chain.from_iterable(map(read_manifest, manifests)):
        key = str(sample.file)
        try:
            if key not in kept:
                kept[key] = score(sample)
        except UnreadableMedia as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        found.append((sample, kept[key]))
    if rows:
        rows.write_text(json.dumps(kept))
    return found


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a Markdown table."""
    cells = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def _scored(sample: Sample, found: dict[str, Any]) -> Scored:
    spans = true_segments(sample)
    vocoder = sample.method.split()[-2:] if sample.audio_label == "fake" else []
    named = next((name for name in ("griffin-lim", "world") if name in vocoder), "")
    forgery = sample.extra.get("forgery", "")
    return Scored(
        original=sample.extra.get("original") or sample.person or sample.path,
        forgery=f"{forgery}, {named}" if named else forgery,
        four_way=true_label(sample),
        duration=found["duration"],
        truth={m: [(a, b) for name, a, b in spans if name == m] for m in BRANCHES},
        fake={"video": sample.video_label == "fake", "audio": sample.audio_label == "fake"},
        lanes={
            m: [Lane(*np.array(lane, dtype=np.float64).T) for lane in found[m]] for m in BRANCHES
        },
    )


def _score(sample: Sample, bundle: Bundle, detector: FaceDetector) -> dict[str, Any]:
    """Give a file's logits as plain numbers."""
    faces: dict[int, list[FaceScores]] = {}
    voice: list[list[float]] = []
    margin = bundle.sound_margin_seconds
    clips = extract(
        sample.file, bundle.contract, detector=detector, threads=1, sound_margin_seconds=margin
    )
    heard = -1
    for clip in clips:
        if clip.faces is not None and "picture" in bundle.branches:
            logits = bundle.score_faces(clip.faces.crops).logits
            found = face_scores(bundle, clip.faces, logits)
            faces.setdefault(clip.faces.track, []).append(found)
        enough = clip.speech_seconds >= LEAST_SPEECH_SECONDS
        if clip.window != heard and clip.log_mel is not None and enough:
            steps = enumerate(voice_logits(bundle, clip).tolist())
            moments = [[clip.start_seconds + i * STEP_SECONDS["audio"], x] for i, x in steps]
            voice += [moment for moment in moments if moment[0] < clip.stop_seconds]
        heard = clip.window
    tracks = [
        np.stack([np.concatenate([p.seconds for p in parts]), joined_logits(parts)], axis=1)
        for parts in faces.values()
    ]
    return {
        "duration": clips.media.duration_seconds or 0.0,
        "video": [track.tolist() for track in tracks if len(track) >= LEAST_FRAMES],
        "audio": [voice] if voice else [],
    }
