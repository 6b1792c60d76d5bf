"""Makes labelled fakes of anyone's own clips: files in, files and a manifest of exact labels out.

What can be made is told in ``forge_kinds``. All kinds pass one chain (steady frame rate, 16 kHz
mono, H.264 and AAC), so that only the forgery differs. A sound file is forged as a sound file
(WAV).
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from seamline.data.copy_synthesis import find_vocoder
from seamline.data.forge_clip import ForgedClip, OpenClip, open_clip
from seamline.data.forge_kinds import DEFAULT_KINDS, ForgeSettings, Kind, parse_kinds
from seamline.data.forge_sound import NothingToForge, Samples, read_sound
from seamline.data.forge_spans import check_spans
from seamline.data.forge_voice import is_silent
from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector

MANIFEST = "manifest.csv"
MOST_DONORS_TRIED = 20


@dataclass(frozen=True)
class Skipped:
    """A fake that was not made, and why; ``kind`` is empty where the clip cannot be read."""

    path: str
    kind: str
    reason: str


@dataclass
class Forged:
    """What a run of `forge` made, what was there before it (``kept`` of ``samples``)."""

    samples: list[Sample] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    kept: int = 0


def forge(
    clips: Sequence[str | Path],
    folder: Path,
    *,
    kinds: Sequence[str] = DEFAULT_KINDS,
    settings: ForgeSettings | None = None,
    resume: bool = False,
    detector: FaceDetector | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Forged:
    """Forge every clip in every kind into ``folder``, with ``manifest.csv``; returns what was made.

    Nothing is overwritten: `FileExistsError` if the folder holds a manifest, or a file of a name
    that is needed. With ``resume`` the rows of its manifest are kept and what is missing is made;
    `ValueError` if they were made with other settings. What a clip cannot give (no face, no
    sound) is skipped with its reason, and so is a clip that fails in any other way. The seed, a
    clip's name and the kind decide every draw, whatever else is forged with it (a swapped sound
    alone depends on the other clips, too). The manifest is written after every clip.
    """
    chosen = settings or ForgeSettings()
    run = _Run(folder, parse_kinds(list(kinds)), chosen, detector or FaceDetector(), list(clips))
    find_vocoder(chosen.vocoder)
    check_spans(chosen.spans or ())
    made = Forged()
    if resume and (folder / MANIFEST).exists():
        made.samples = read_manifest(folder / MANIFEST)
        made.kept = len(made.samples)
        _check_settings(made.samples, chosen)
    names = _names(clips, made.samples)
    if not resume:
        _refuse_existing(folder, names, run.kinds)
    folder.mkdir(parents=True, exist_ok=True)
    for number, (clip, name) in enumerate(zip(clips, names, strict=True), 1):
        before = len(made.samples)
        try:
            run.forge_clip(Path(clip), name, made)
        finally:  # what was made before a break is labelled, too
            if len(made.samples) > before:
                write_manifest(folder / MANIFEST, made.samples)
        if progress is not None:
            progress(number, len(clips))
    return made


@dataclass(frozen=True)
class _Run:
    """What all clips of a run share."""

    folder: Path
    kinds: list[Kind]
    settings: ForgeSettings
    detector: FaceDetector
    clips: list[str | Path]

    def forge_clip(self, clip: Path, name: str, made: Forged) -> None:
        there = {(s.extra.get("original"), s.extra.get("forgery")) for s in made.samples}
        todo = [kind for kind in self.kinds if (os.path.abspath(clip), kind.name) not in there]
        kind_name = ""
        try:
            opened: OpenClip | None = None
            for kind in todo:
                if opened is None:
                    opened = open_clip(
                        clip, self.detector, self.settings, lambda draws: self._donor(clip, draws)
                    )
                kind_name = kind.name
                reason = opened.lacks(kind)
                if reason is None:
                    reason = self._forge(opened, kind, name, made)
                if reason is not None:
                    made.skipped.append(Skipped(str(clip), kind.name, reason))
        except UnreadableMedia as error:
            made.skipped.append(Skipped(str(clip), "", error.reason))
        except Exception as error:  # a fault of ours in one clip must not cost the others
            reason = f"an internal error, please report it ({type(error).__name__}: {error})"
            made.skipped.append(Skipped(str(clip), kind_name, reason))

    def _forge(self, opened: OpenClip, kind: Kind, name: str, made: Forged) -> str | None:
        draws = np.random.default_rng(
            [self.settings.seed, zlib.crc32(opened.path.name.encode()), kind.number]
        )
        try:
            forged = opened.forge(kind, self.folder, f"{name}.{kind.name}", draws)
        except NothingToForge as error:
            return str(error)
        made.samples.append(_sample(opened, forged, kind, self.folder))
        return None

    def _donor(self, clip: Path, draws: np.random.Generator) -> tuple[str, Samples] | None:
        """Find another clip whose sound can be taken."""
        others = [Path(other) for other in self.clips if Path(other) != clip]
        for index in draws.permutation(len(others))[:MOST_DONORS_TRIED]:
            try:
                sound = read_sound(others[index], [])
            except UnreadableMedia:
                continue
            if not is_silent(sound):
                return str(others[index]), sound
        return None


def _sample(opened: OpenClip, forged: ForgedClip, kind: Kind, folder: Path) -> Sample:
    labels = kind.labels(
        has_video=opened.media.video is not None, has_audio=opened.samples is not None
    )
    shift = forged.shift_seconds
    return Sample(
        path=forged.path.name,
        kind=opened.kind,
        label=labels["label"],
        video_label=labels["video_label"],
        audio_label=labels["audio_label"],
        source="seamline forge",
        method=forged.method,
        note="; ".join(forged.notes),
        extra={
            "original": os.path.abspath(opened.path),
            "forgery": kind.name,
            "sync_label": labels["sync_label"],
            "four_way": labels["four_way"],
            "segments": forged.segments_json,
            "masks": "" if forged.masks is None else forged.masks.name,
            "regions": forged.regions,
            "shift_seconds": "" if shift is None else f"{shift:g}",
            "donor": forged.donor and os.path.abspath(forged.donor),
            "settings": _told(opened.settings),
        },
        root=folder,
    )


def _told(settings: ForgeSettings) -> str:
    return json.dumps(asdict(settings), separators=(",", ":"))


def _check_settings(samples: Sequence[Sample], settings: ForgeSettings) -> None:
    for sample in samples:
        found = sample.extra.get("settings", "")
        if not found or json.loads(found) != json.loads(_told(settings)):
            raise ValueError(
                f"{sample.path} was made with other settings ({found or 'none noted'}) than are "
                f"asked for now ({_told(settings)}). Use those, or another --out folder."
            )


def _names(clips: Sequence[str | Path], samples: Sequence[Sample]) -> list[str]:
    """Name the fakes after their clips; clips of one name are told apart by a number."""
    known = {s.extra["original"]: s.path.rsplit(f".{s.extra['forgery']}.", 1)[0] for s in samples}
    taken = set(known.values())
    names = []
    for clip in clips:
        name = known.get(os.path.abspath(clip))
        if name is None:
            stem, number = Path(clip).stem, 1
            name = stem
            while name in taken:
                number += 1
                name = f"{stem}-{number}"
            taken.add(name)
        names.append(name)
    return names


def _refuse_existing(folder: Path, names: Sequence[str], kinds: Sequence[Kind]) -> None:
    files = [f"{n}.{k.name}{suffix}" for n in names for k in kinds for suffix in (".mp4", ".wav")]
    for path in (folder / file for file in [MANIFEST, *files]):
        if path.exists():
            raise FileExistsError(
                f"{path} exists; nothing is overwritten. Choose another --out folder, or go on "
                "with --resume."
            )
