"""The kinds of fakes that `forge` makes: a kind's text in, what is forged and the labels out.

A kind joins parts with ``+``; ``splice-`` before it confines them to a few seconds of the clip.

=========  =============================================  ===========  ===========  ==========
part       what is done                                   video_label  audio_label  sync_label
=========  =============================================  ===========  ===========  ==========
video      every tracked face is self-blended             fake
lips       the same, around the mouth alone               fake
audio      the voice is resynthesised                                  fake
sync       the sound is shifted by a given time                                     fake
swap       the sound is another clip's                                              fake
none       nothing: re-encoded like the others
=========  =============================================  ===========  ===========  ==========

``both`` stands for ``video+audio``, ``splice`` for ``splice-audio``, ``splice-both`` for
``splice-video+audio``. What is not fake is real, or empty where the file has no such stream.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

ALIASES = {"both": "video+audio", "splice": "splice-audio", "splice-both": "splice-video+audio"}
PICTURES, VOICES, SYNCS = ("video", "lips"), ("audio",), ("sync", "swap")
DEFAULT_KINDS = ("video", "audio", "both", "sync", "splice", "none")
KNOWN = (
    "video, lips, audio, sync, swap, their sums such as video+audio (or: both), all of these "
    "with splice- before (splice: splice-audio), and none"
)
SPLICE = "splice-"
# The first five drew by their place in a list; so that a seed still gives what it gave.
_FIRST_NUMBERS = {"video": 0, "audio": 1, "both": 2, "none": 3, "splice": 4}


@dataclass(frozen=True)
class ForgeSettings:
    """What the caller may choose about all fakes of a run."""

    seed: int = 0
    """Of every draw."""
    min_face_px: float = 48.0
    """Smallest face forged."""
    crf: float = 18
    """Quality of the H.264 written."""
    vocoder: str = "griffin-lim"
    """What resynthesises a voice."""
    shift_seconds: float | None = None
    """How late the sound of a sync fake comes; None draws it."""
    spans: tuple[tuple[float, float], ...] | None = None
    """Seconds that a spliced fake forges; None draws them."""


@dataclass(frozen=True)
class Kind:
    """What is done to a clip."""

    name: str
    """As asked for; part of the file's name."""
    picture: str = ""
    """``video``, ``lips`` or nothing."""
    voice: bool = False
    sync: str = ""
    """``sync``, ``swap`` or nothing."""
    spliced: bool = False
    """Whether only a few seconds are forged."""

    @property
    def changes_sound(self) -> bool:
        """Whether the sound is forged or moved."""
        return self.voice or bool(self.sync)

    @property
    def number(self) -> int:
        """A number of its own for the draws."""
        return _FIRST_NUMBERS.get(self.name, zlib.crc32(self.name.encode()))

    def labels(self, *, has_video: bool, has_audio: bool) -> dict[str, str]:
        """Give ``label``, ``video_label``, ``audio_label``, ``sync_label`` and ``four_way``.

        Where only the sound's place was changed, picture and voice are each genuine, so none of
        the four labels fits and ``four_way`` is empty: the file is fake by its sync alone.
        """
        video = ("fake" if self.picture else "real") if has_video else ""
        audio = ("fake" if self.voice else "real") if has_audio else ""
        sync = ("fake" if self.sync else "real") if has_video and has_audio else ""
        four_way = {
            (True, True): "fake_both",
            (True, False): "fake_video",
            (False, True): "fake_audio",
        }.get((video == "fake", audio == "fake"), "" if sync == "fake" else "real")
        return {
            "label": "fake" if "fake" in (video, audio, sync) else "real",
            "video_label": video,
            "audio_label": audio,
            "sync_label": sync,
            "four_way": four_way,
        }


def parse_kind(text: str) -> Kind:
    """Read a kind; raises `ValueError` naming the known ones."""
    full = ALIASES.get(text, text)
    spliced = full.startswith(SPLICE)
    parts = full.removeprefix(SPLICE).split("+")
    if parts == ["none"] and not spliced:
        return Kind(text)
    chosen = []
    for group in (PICTURES, VOICES, SYNCS):
        found = [part for part in parts if part in group]
        if len(found) > 1:
            raise ValueError(f"Kind {text!r} asks for both {' and '.join(found)}: choose one.")
        chosen.append("".join(found))
    if sum(map(bool, chosen)) != len(parts):
        raise ValueError(f"Unknown kind {text!r}. Known: {KNOWN}.")
    picture, voice, sync = chosen
    return Kind(text, picture, bool(voice), sync, spliced)


def parse_kinds(texts: list[str] | tuple[str, ...]) -> list[Kind]:
    """Read several kinds, each once; raises `ValueError` when there is none."""
    if not texts:
        raise ValueError(f"No kind was asked for. Known: {KNOWN}.")
    kinds = [parse_kind(text) for text in dict.fromkeys(texts)]
    seen: dict[Kind, str] = {}
    for kind in kinds:
        bare = Kind("", kind.picture, kind.voice, kind.sync, kind.spliced)
        if bare in seen:
            raise ValueError(f"Kinds {seen[bare]!r} and {kind.name!r} are the same: choose one.")
        seen[bare] = kind.name
    return kinds
