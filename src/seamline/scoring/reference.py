"""Finds for each face of a file the genuine footage of the same person, if some was given.

In: what describes the faces, and `Reference` records of genuine footage. Out: per track its match,
with the logit that the model gives to genuine footage of that person: the level to judge it from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from jaxtyping import Float

from seamline.scoring.verdict import ReferencePerson, ReferenceUse


@dataclass(frozen=True, eq=False)
class ReferenceTrack:
    """One face of genuine footage."""

    likeness: Float[np.ndarray, " dim"]
    """Vector of length 1; the product of two tells how alike the faces are."""
    logit: float
    """The picture branch's, pooled over the track."""
    examined_seconds: float


@dataclass(frozen=True, eq=False)
class Reference:
    """Genuine footage of somebody, measured by a model."""

    path: str
    sha256: str
    tracks: tuple[ReferenceTrack, ...]
    same_person: float
    """Least likeness that counts as one person."""

    def most_alike(self, likeness: Float[np.ndarray, " dim"]) -> float:
        """Give the likeness of the footage's most similar face."""
        return max(float(likeness @ track.likeness) for track in self.tracks)


@dataclass(frozen=True)
class Match:
    """The genuine footage that a track is judged against."""

    logit: float
    """Mean of the pooled logits of all genuine tracks of the person."""
    people: tuple[ReferencePerson, ...]
    """A row for each piece of footage, the most similar first."""


def distinct(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """Leave out footage whose bytes came before: under two names it would count twice."""
    found: dict[str, Reference] = {}
    for reference in references:
        found.setdefault(reference.sha256, reference)
    return tuple(found.values())


def match_track(
    track: int, likeness: Float[np.ndarray, " dim"], references: Sequence[Reference]
) -> Match | None:
    """Match one face; None where no footage shows the same person."""
    logits: list[float] = []
    people: list[ReferencePerson] = []
    for reference in references:
        alike = [float(likeness @ one.likeness) for one in reference.tracks]
        same = [place for place, value in enumerate(alike) if value >= reference.same_person]
        if same:
            logits += [reference.tracks[place].logit for place in same]
            people.append(ReferencePerson(track, reference.path, max(alike)))
    if not people:
        return None
    return Match(float(np.mean(logits)), tuple(sorted(people, key=lambda one: -one.similarity)))


def match_tracks(
    likenesses: Mapping[int, Float[np.ndarray, " dim"]], references: Sequence[Reference]
) -> dict[int, Match]:
    """Match every face that can be."""
    found = {track: match_track(track, one, references) for track, one in likenesses.items()}
    return {track: match for track, match in found.items() if match is not None}


def reference_use(
    references: Sequence[Reference], matches: Mapping[int, Match]
) -> ReferenceUse | None:
    """Say for the verdict what was given and who was judged against it."""
    if not references:
        return None
    return ReferenceUse(
        tuple(reference.path for reference in references),
        tuple(reference.sha256 for reference in references),
        tuple(person for _, match in sorted(matches.items()) for person in match.people),
    )


def reference_warnings(
    path: str,
    likenesses: Mapping[int, Float[np.ndarray, " dim"]],
    references: Sequence[Reference],
    matches: Mapping[int, Match],
) -> list[str]:
    """Say which footage could not be used, and who was therefore judged without."""
    if not references or not likenesses:
        return []
    used = {person.reference for match in matches.values() for person in match.people}
    found = []
    for reference in references:
        if reference.path in used:
            continue
        alike = max(reference.most_alike(one) for one in likenesses.values())
        shown, genuine = PurePath(path).name, PurePath(reference.path).name
        unlike = f"the face in {shown} does not look like"
        if len(likenesses) > 1:
            unlike = f"no face in {shown} looks like"
        found.append(
            f"{unlike} the one in {genuine} "
            f"(likeness {alike:.2f}, needed {reference.same_person:.2f}): judged without it"
        )
    if matches and len(matches) < len(likenesses):
        rest = sorted(set(likenesses) - set(matches))
        listed = ", ".join(f"face {track}" for track in rest[:5])
        more = f" and {len(rest) - 5} more" if len(rest) > 5 else ""
        found.append(f"no reference shows {listed}{more}: judged without one")
    return found
