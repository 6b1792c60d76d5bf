"""Genuine talking heads as the sync branch takes them: cached clips in; stretches and pairs out.

A stretch shows one face at every step, with its sound. For judging, held-out stretches are paired
with sound that is late, early or another person's, each in the same seconds of mouth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float16, Float32, UInt8

from seamline.clips.cache import CachedClip
from seamline.clips.contract import CropContract
from seamline.models.sync_net import COLUMNS_PER_STEP
from seamline.scoring.synchrony import STEP_SECONDS
from seamline.training.folds import sample_of
from seamline.voice.logmel import log_mel

SHIFTS_STEPS = (5, 10, 20)  # 0.2, 0.4 and 0.8 s
LEAST_STEPS, JUDGED_STEPS = 24, 50  # about 1 to 2 s of a clip are judged


@dataclass(frozen=True)
class SyncEntry:
    """A stretch in which one face is seen at every step, with the sound of the same time."""

    path: str
    source: str
    person: str
    mouths: UInt8[np.ndarray, "step store store"]
    log_mel: Float16[np.ndarray, "mel column"]
    """One column more than `COLUMNS_PER_STEP` a step, as `log_mel` gives."""

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.mouths)


@dataclass(frozen=True)
class Judged:
    """One held-out pairing: which steps of which clip, and whose sound from where."""

    path: str
    source: str
    method: str
    """Empty for the genuine sound; `swapped`, or `late 0.2 s` and the like."""
    person: str
    mouth: SyncEntry
    sound: SyncEntry
    first: int
    sound_first: int
    steps: int

    @property
    def fake(self) -> bool:
        """Whether more than a natural lag parts them."""
        return self.method not in ("", NATURAL)


def mel_of(entry: SyncEntry, first: int, steps: int) -> Float32[np.ndarray, "mel column"]:
    """Cut the log-mel of so many steps."""
    columns = slice(first * COLUMNS_PER_STEP, (first + steps) * COLUMNS_PER_STEP + 1)
    return entry.log_mel[:, columns].astype(np.float32)


def sync_entries(
    clips: Iterable[CachedClip], cut: CropContract, *, least_steps: int | None = None
) -> list[SyncEntry]:
    """Join each file's windows and keep its longest stretch with one face; fakes are left out.

    With ``least_steps`` every stretch of so many steps is kept. Where several faces are in the
    picture nobody has noted who speaks: such windows end a stretch.
    """
    files: dict[str, dict[int, list[CachedClip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        if clip.error is None and clip.sample["label"] == "real" and clip.sound is not None:
            files[clip.sample["path"]][clip.window].append(clip)
    entries = []
    for path, windows in files.items():
        stretches = _stretches([windows[number] for number in sorted(windows)], cut)
        if least_steps is None:
            stretches = sorted(stretches, key=lambda stretch: -len(stretch[0]))[:1]
        for mouths, sound in stretches:
            if len(mouths) < (least_steps or 1):
                continue
            mel = log_mel(sound.astype(np.float32) / 32768, cut.mel)
            columns = COLUMNS_PER_STEP * len(mouths) + 1
            sample = sample_of(next(iter(windows.values()))[0])
            entries.append(
                SyncEntry(
                    path=path,
                    source=sample.source,
                    person=sample.person or path,
                    mouths=np.stack([_halved(crop) for crop in mouths]),
                    log_mel=mel[:, :columns].astype(np.float16),
                )
            )
    return entries


def _halved(crop: UInt8[np.ndarray, "store store"]) -> UInt8[np.ndarray, "half half"]:
    side = crop.shape[0] // 2
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)


def _stretches(
    windows: Sequence[list[CachedClip]], cut: CropContract
) -> list[tuple[np.ndarray, np.ndarray]]:
    runs: list[tuple[list[np.ndarray], list[np.ndarray]]] = []
    ends: tuple[int, int | None] = (-1, None)  # the window and track that a run may go on from
    for clips in windows:
        clip = clips[0]
        if len(clips) > 1 or clip.mouth_strip is None or not clip.speech_seconds:
            ends = (-1, None)
            continue
        assert clip.sound is not None
        sound = np.frombuffer(clip.sound, "<i2")
        each = COLUMNS_PER_STEP * cut.mel.hop_samples
        crops = clip.mouths()
        seen = np.array(clip.mouth_seen)[: len(sound) // each]
        for first, stop in _true_runs(seen):
            joins = first == 0 and runs and ends == (clip.window - 1, clip.track)
            if not joins:
                runs.append(([], []))
            runs[-1][0].append(crops[first:stop])
            runs[-1][1].append(sound[first * each : stop * each])
            ends = (-1, None)
            if stop == len(clip.mouth_seen):
                ends = (clip.window, clip.track)
    return [(np.concatenate(mouths), np.concatenate(sounds)) for mouths, sounds in runs]


def _true_runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def judged_pairs(entries: Sequence[SyncEntry]) -> list[Judged]:
    """Pair each clip of a second or more with its own sound, moved sound and another's sound."""
    long = [entry for entry in entries if entry.steps >= LEAST_STEPS]
    pairs = []
    for index, entry in enumerate(long):
        others = [e for e in long if e.person != entry.person and e.steps >= LEAST_STEPS]
        for shift in (0, *SHIFTS_STEPS):
            steps = min(JUDGED_STEPS, entry.steps - shift)
            if steps < LEAST_STEPS:
                continue
            late = (index % 2) == 0  # the mouth is of later seconds than the sound, or earlier
            first, sound_first = (0, shift) if late else (shift, 0)
            method = moved(shift) if shift else ""
            pairs.append(_pair(entry, entry, method, first, sound_first, steps))
        if others:
            other = others[(7 * index + 3) % len(others)]
            steps = min(JUDGED_STEPS, entry.steps, other.steps)
            pairs.append(_pair(entry, other, "swapped", 0, 0, steps))
    return pairs


def moved(shift_steps: int) -> str:
    """Name what was done to a sound that was moved."""
    return f"moved {shift_steps * STEP_SECONDS:.1f} s"


NATURAL = moved(SHIFTS_STEPS[0])
"""As much as nature does: told from nothing moved, but no forgery."""


def _pair(
    mouth: SyncEntry, sound: SyncEntry, method: str, first: int, sound_first: int, steps: int
) -> Judged:
    return Judged(
        mouth.path, mouth.source, method, mouth.person, mouth, sound, first, sound_first, steps
    )
