"""What a face must be like to be judged: its measured quality in, doubts and refusals out.

Between the two limits of a measure a face is judged with a warning; beyond the second it is not
judged at all. A bundle may carry limits of its own, and what its validation faces were like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from seamline.faces.quality import FaceQuality

Limit = tuple[float, float]

_WORDS = {
    "face_px": ("small", "too small to judge"),
    "sharpness": ("blurred", "too blurred to judge"),
    "darkness": ("dark", "too dark to judge"),
    "turned_share": ("turned far aside", "turned too far aside to judge"),
    "unsure_share": ("hardly recognisable as a face", "too unlike a face to judge"),
    "strangeness": (
        "unlike most filmed faces that the model knows",
        "too unlike the filmed faces that the model knows to be judged",
    ),
}
"""Each measure's word for a doubt and for a refusal."""
_FALLING = {"face_px", "sharpness"}  # the less, the worse


@dataclass(frozen=True)
class QualityLimits:
    """Per measure: from where there is doubt, and from where a face is not judged.

    Clear faces of FaceForensics++ c23, GRID and TV lie at a sharpness of 0.26 to 0.7, those of c40
    at 0.21 to 0.45; a blur over a fortieth of the face brings them to 0.06 to 0.18.
    """

    face_px: Limit = (80.0, 24.0)
    """Height of the face."""
    sharpness: Limit = (0.20, 0.09)
    darkness: Limit = (0.90, 0.97)
    """One less the mean grey level."""
    turned_share: Limit = (0.5, 0.95)
    unsure_share: Limit = (0.3, 0.9)
    strangeness: Limit = (3.0, 5.0)
    """What a bundle's picture graph says of the crops, where it knows the usual faces: the root
    mean square of their deviations from the faces of training."""
    heavy_bits_per_px: float = 0.012
    """FaceForensics++ c40 lies at 0.003–0.011, c23 at 0.027–0.12, phone HEVC at 0.013–0.021.
    Below it there is doubt, but no refusal: a still scene needs few bits and loses nothing."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> QualityLimits:
        """Read what a bundle says; what it leaves out is as above, an unknown name is refused."""
        found = dict(values or {})
        if not found.get("usual"):
            found.pop("usual", None)  # of bundles before strangeness was measured: always empty
        known = {one.name for one in fields(cls)}
        if odd := sorted(set(found) - known):
            raise ValueError(
                f"quality has no {', '.join(odd)}; known are {', '.join(sorted(known))}"
            )
        pairs: dict[str, Any] = {
            k: v if isinstance(v, (int, float)) else (v[0], v[1]) for k, v in found.items()
        }
        return cls(**pairs)

    def to_json(self) -> dict[str, Any]:
        """Give the limits as plain values."""
        return asdict(self)


def join_quality(parts: Sequence[FaceQuality]) -> FaceQuality | None:
    """Average the windows of a track."""
    if not parts:
        return None
    names = [one.name for one in fields(FaceQuality)]
    return FaceQuality(**{n: float(np.mean([getattr(p, n) for p in parts])) for n in names})


@dataclass(frozen=True)
class Worth:
    """What a track is good for."""

    doubts: tuple[str, ...] = ()
    refusal: str | None = None
    """Why it is not judged."""


def weigh(
    quality: FaceQuality | None,
    face_px: float,
    limits: QualityLimits,
    strangeness: float | None = None,
) -> Worth:
    """Hold a track against the limits; one that was not measured has only its size."""
    measures = {"face_px": float(face_px)}
    if quality is not None:
        measures |= {
            "sharpness": quality.sharpness,
            "darkness": 1 - quality.brightness,
            "turned_share": quality.turned_share,
            "unsure_share": quality.unsure_share,
        }
    if strangeness is not None:
        measures["strangeness"] = strangeness
    doubts, refusals = [], []
    for name, value in measures.items():
        sign = -1 if name in _FALLING else 1
        doubt, refuse = getattr(limits, name)
        if sign * value > sign * refuse:
            refusals.append(
                f"{_WORDS[name][1]} ({_told(name, value)}, limit {_told(name, refuse)})"
            )
        elif sign * value > sign * doubt and name != "face_px":  # told of all faces together
            doubts.append(_WORDS[name][0])
    return Worth(tuple(doubts), refusals[0] if refusals else None)


def _told(name: str, value: float) -> str:
    return f"{value:.0f} px" if name == "face_px" else f"{value:.2f}"


def doubt_warnings(worths: Mapping[int, Worth]) -> list[str]:
    """Say each doubt once, with the faces that it concerns."""
    faces: dict[str, list[int]] = {}
    for track, worth in worths.items():
        for doubt in worth.doubts if worth.refusal is None else ():
            faces.setdefault(doubt, []).append(track)
    refused = [track for track, worth in worths.items() if worth.refusal is not None]
    told = [f"{_names(who)} {doubt}: scores are less certain" for doubt, who in faces.items()]
    if refused and len(refused) < len(worths):
        told += [f"face {track} is {worths[track].refusal}: not judged" for track in refused[:5]]
    return told


def refusal_reason(worths: Mapping[int, Worth]) -> str:
    """Say why no face was judged."""
    reasons = list(dict.fromkeys(w.refusal for w in worths.values() if w.refusal is not None))
    if len(worths) == 1:
        return f"the face is {reasons[0]}"
    return f"no face can be judged: {'; '.join(reasons[:3])}"


def _names(tracks: Sequence[int]) -> str:
    listed = ", ".join(f"face {track}" for track in tracks[:5])
    more = f" and {len(tracks) - 5} more" if len(tracks) > 5 else ""
    return f"{listed}{more} {'is' if len(tracks) == 1 else 'are'}"
