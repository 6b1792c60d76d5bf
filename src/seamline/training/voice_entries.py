"""The sound of a cache's files: cached clips in, one entry a file out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from seamline.clips.cache import CachedClip, decode_sound
from seamline.training.folds import sample_of


@dataclass(frozen=True)
class VoiceEntry:
    """The sound of one file."""

    path: str
    source: str
    method: str
    person: str
    fake: bool
    sound: bytes
    """As the cache keeps it: 16 bits a sample take half the memory of `samples`."""
    original: str = ""
    """The path, in the manifest, of the genuine recording that this one says again."""

    @property
    def samples(self) -> Float32[np.ndarray, " sample"]:
        """Decode the sound to float32 in [-1, 1]."""
        return decode_sound(self.sound)


def voice_entries(clips: Iterable[CachedClip]) -> list[VoiceEntry]:
    """Join each file's windows into its sound; files without sound or voice label are left out."""
    joined: dict[str, dict[int, CachedClip]] = defaultdict(dict)
    for clip in clips:
        if clip.error is None and clip.sound is not None and sample_of(clip).voice_truth:
            joined[clip.sample["path"]][clip.window] = clip
    entries = []
    for path, windows in joined.items():
        parts = [windows[number].sound for number in sorted(windows)]
        first = next(iter(windows.values()))
        sample, original = sample_of(first), first.sample.get("original") or ""
        entries.append(
            VoiceEntry(
                path=path,
                source=sample.source,
                method=sample.method,
                person=sample.person,
                fake=sample.voice_truth == "fake",
                sound=b"".join(part for part in parts if part is not None),
                original=os.path.normpath(original) if original else "",
            )
        )
    return entries
