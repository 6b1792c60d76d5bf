"""Makes labelled fakes of anyone's own clips: files in, files and a manifest of exact labels out.

========  ==========================================  =============  =============
kind      what is done                                 video_label    audio_label
========  ==========================================  =============  =============
video     every tracked face is self-blended           fake           real
audio     the whole voice is resynthesised             real           fake
both      both of it                                   fake           fake
splice    spans of 1 to 3 s of voice are resynthesised real           fake
none      nothing: re-encoded like the others          real           real
========  ==========================================  =============  =============

All kinds pass one chain (steady frame rate, 16 kHz mono, H.264 and AAC), so that only the forgery
differs. A sound file is forged as a sound file (WAV).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seamline.data.forge_clip import KINDS, ForgedClip, OpenClip, open_clip
from seamline.data.manifest import Sample, write_manifest
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class Skipped:
    """A fake that was not made, and why; ``kind`` is empty where the clip cannot be read."""

    path: str
    kind: str
    reason: str


@dataclass
class Forged:
    """What a run of `forge` made."""

    samples: list[Sample] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def forge(
    clips: Sequence[str | Path],
    folder: Path,
    *,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    min_face_px: float = 48.0,
    crf: float = 18,
    detector: FaceDetector | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Forged:
    """Forge every clip in every kind into ``folder``, with ``manifest.csv``; returns what was made.

    Nothing is overwritten: `FileExistsError` if the folder holds a manifest, or a file of a name
    that is needed. What a clip cannot give (no face, no sound) is skipped with its reason. The
    seed, a clip's name and the kind decide every draw, whatever else is forged with it.
    """
    _check(kinds, folder)
    names = _names(clips)
    for name in names:
        _refuse_existing(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    detector = detector or FaceDetector()
    made = Forged()
    try:
        for number, (clip, name) in enumerate(zip(clips, names, strict=True), 1):
            _forge_clip(Path(clip), name, folder, kinds, seed, min_face_px, crf, detector, made)
            if progress is not None:
                progress(number, len(clips))
    finally:  # what was made before a break is labelled, too
        if made.samples:
            write_manifest(folder / MANIFEST, made.samples)
    return made


def _forge_clip(
    clip: Path,
    name: str,
    folder: Path,
    kinds: Sequence[str],
    seed: int,
    min_face_px: float,
    crf: float,
    detector: FaceDetector,
    made: Forged,
) -> None:
    try:
        opened = open_clip(clip, detector, min_face_px)
        for kind in kinds:
            reason = opened.lacks(kind)
            if reason is not None:
                made.skipped.append(Skipped(str(clip), kind, reason))
                continue
            draws = np.random.default_rng([seed, zlib.crc32(clip.name.encode()), KINDS.index(kind)])
            forged = opened.forge(kind, folder, f"{name}.{kind}", draws, crf)
            made.samples.append(_sample(opened, forged, kind, folder))
    except UnreadableMedia as error:
        made.skipped.append(Skipped(str(clip), "", error.reason))


def _sample(opened: OpenClip, forged: ForgedClip, kind: str, folder: Path) -> Sample:
    video_label, audio_label = opened.labels(kind)
    return Sample(
        path=forged.path.name,
        kind=opened.kind,
        label="fake" if "fake" in (video_label, audio_label) else "real",
        video_label=video_label,
        audio_label=audio_label,
        source="seamline forge",
        method=forged.method,
        note="; ".join(forged.notes),
        extra={
            "original": os.path.abspath(opened.path),
            "segments": forged.segments_json,
            "masks": "" if forged.masks is None else forged.masks.name,
        },
        root=folder,
    )


def _check(kinds: Sequence[str], folder: Path) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(
            f"Unknown kind {', '.join(unknown) or '(none)'}. Known: {', '.join(KINDS)}."
        )
    if (folder / MANIFEST).exists():
        raise FileExistsError(
            f"{folder / MANIFEST} exists; nothing is overwritten. Choose another --out folder."
        )


def _names(clips: Sequence[str | Path]) -> list[str]:
    """Name the fakes after their clips; clips of one name are told apart by a number."""
    counts: dict[str, int] = {}
    names = []
    for clip in clips:
        stem = Path(clip).stem
        counts[stem] = counts.get(stem, 0) + 1
        names.append(stem if counts[stem] == 1 else f"{stem}-{counts[stem]}")
    return names


def _refuse_existing(folder: Path, name: str) -> None:
    there = [folder / f"{name}.{kind}{suffix}" for kind in KINDS for suffix in (".mp4", ".wav")]
    for path in there:
        if path.exists():
            raise FileExistsError(
                f"{path} exists; nothing is overwritten. Choose another --out folder."
            )
