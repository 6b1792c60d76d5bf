"""Judges the faces of a file: frame logits per track in, the picture's sense and its people out.

A track that shows a person of the given genuine footage is judged by its logits less those of that
footage, with a calibration of its own; all others by their logits alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from seamline.faces.quality import FaceQuality
from seamline.scoring.branch import Branch
from seamline.scoring.findings import FaceScores, Findings
from seamline.scoring.motion import joined_logits
from seamline.scoring.quality import Worth, join_quality, refusal_reason, weigh
from seamline.scoring.reasons import no_picture_reason
from seamline.scoring.reference import Match, match_tracks
from seamline.scoring.sense import (
    Sense,
    called_from,
    pooled,
    sense_branch,
    sense_proposals,
    sense_segments,
    sense_splices,
    until_end,
    within,
)
from seamline.scoring.timeline import FineLogits, loudest, step_logits, step_probabilities
from seamline.scoring.verdict import Person, SenseScore


@dataclass(frozen=True, eq=False)
class Track:
    """One face over all windows of a file."""

    track: int
    seconds: Float[np.ndarray, " time"]
    logits: Float[np.ndarray, " time"]
    face_px: int
    likeness: Float[np.ndarray, " dim"] | None = None
    quality: FaceQuality | None = None
    strangeness: float | None = None


@dataclass(frozen=True)
class Scale:
    """How a track's logits are read."""

    branch: Branch
    level: float = 0.0
    """What genuine footage of the person gets; subtracted from the logits."""
    known: bool = True
    """False where that level itself lies outside the model's range."""

    def out_of_range(self, logit: float) -> bool:
        """Tell whether a pooled logit, level subtracted, is one that validation never saw."""
        return not self.known or self.branch.out_of_range(logit)


def find_tracks(findings: Findings) -> list[Track]:
    """Join each track's windows; leave out glimpses."""
    parts: dict[int, list[FaceScores]] = defaultdict(list)
    for scores in findings.faces:
        parts[scores.track].append(scores)
    tracks = []
    for track, pieces in sorted(parts.items()):
        seconds = np.concatenate([piece.seconds for piece in pieces])
        if len(seconds) * findings.frame_step_seconds < findings.least_seconds - 1e-6:
            continue
        tracks.append(
            Track(
                track=track,
                seconds=seconds,
                logits=joined_logits(pieces),
                face_px=int(np.median([piece.face_px for piece in pieces])),
                likeness=_joined(pieces),
                quality=join_quality([p.quality for p in pieces if p.quality is not None]),
                strangeness=_strangeness(pieces),
            )
        )
    return tracks


def _strangeness(pieces: Sequence[FaceScores]) -> float | None:
    known = [piece.strangeness for piece in pieces if piece.strangeness is not None]
    return float(np.mean(known)) if known else None


def _joined(pieces: Sequence[FaceScores]) -> Float[np.ndarray, " dim"] | None:
    sums = [piece.likeness for piece in pieces if piece.likeness is not None]
    if not sums:
        return None
    total = np.sum(sums, axis=0)
    return total / (float(np.linalg.norm(total)) or 1.0)


def weigh_tracks(findings: Findings, tracks: Sequence[Track]) -> dict[int, Worth]:
    """Tell of each track what it is good for."""
    return {t.track: weigh(t.quality, t.face_px, findings.limits, t.strangeness) for t in tracks}


def likenesses(tracks: Sequence[Track]) -> dict[int, Float[np.ndarray, " dim"]]:
    """Give what describes the faces that were described."""
    return {track.track: track.likeness for track in tracks if track.likeness is not None}


def find_matches(findings: Findings, tracks: Sequence[Track]) -> dict[int, Match]:
    """Match the tracks with the genuine footage that was given."""
    return match_tracks(likenesses(tracks), findings.references)


def scale_of(branch: Branch, match: Match | None) -> Scale:
    """Tell how the logits of a track are read, with the footage that it matches or without.

    The level of a scene is what a reference takes away, so the plain range does not bind the file's
    own logits; but where genuine footage itself lies outside that range, it anchors nothing.
    """
    if match is None:
        return Scale(branch)
    level = branch.reference_share * match.logit
    return Scale(branch.against_reference(), level, not branch.out_of_range(match.logit))


def find_scales(findings: Findings) -> dict[int, Scale]:
    """Tell of every face that was seen how its logits are read; not of one too poor to judge."""
    branch, tracks = sense_branch(findings, "video"), find_tracks(findings)
    if branch is None:
        return {}
    matches, worths = find_matches(findings, tracks), weigh_tracks(findings, tracks)
    refused = {track for track, worth in worths.items() if worth.refusal is not None}
    seen = {one.track for one in findings.faces} - refused
    return {track: scale_of(branch, matches.get(track)) for track in sorted(seen)}


def judge_picture(
    findings: Findings,
    tracks: Sequence[Track],
    matches: Mapping[int, Match],
    worths: Mapping[int, Worth],
) -> tuple[Sense, tuple[Person, ...]]:
    """Judge the picture; the sense's number is that of the person nearest to being called fake.

    One who is called fake on evidence that the model knows goes before one on evidence unknown.

    A face that is beyond the limits of quality gets no number; with no other, the sense has none.
    """
    branch = sense_branch(findings, "video")
    reason = no_picture_reason(findings, [t.face_px for t in tracks], branch)
    if reason is not None or branch is None:
        return Sense(SenseScore(None, 0.0, reason)), ()
    media, step = findings.media, findings.frame_step_seconds
    people, lanes, segments, proposals, found = [], [], [], [], []
    for t in tracks:
        stop = until_end(float(t.seconds[-1]) + step, media)
        if worths[t.track].refusal is not None:
            people.append(Person(t.track, float(t.seconds[0]), stop, None, t.face_px))
            continue
        scale = scale_of(branch, matches.get(t.track))
        logits, read = t.logits - scale.level, scale.branch
        top = pooled(logits, read)
        fine = FineLogits(t.seconds, logits, step)
        splices = sense_splices(fine, read)
        chance, threshold = called_from(read.calibration.probability(top), read, splices)
        people.append(Person(t.track, float(t.seconds[0]), stop, chance, t.face_px))
        lane = step_logits(t.seconds, logits, media.duration_seconds, sharpness=read.pool_sharpness)
        lanes.append(step_probabilities(lane, read.calibration))
        called, strange = chance >= threshold, scale.out_of_range(top)
        shown = sense_segments(lane, fine, read, media, "video", t.track, splices, called=called)
        segments += shown
        if findings.proposes:
            proposals += sense_proposals(
                fine, read.splices, "video", t.track, shown, media.duration_seconds
            )
        found.append((called and not strange, called, chance, threshold, strange))
    if not found:
        reason = refusal_reason(worths)
        return Sense(SenseScore(None, 0.0, reason), out_of_range=True), tuple(people)
    *_, chance, threshold, strange = max(found)
    judged = [t.seconds for t in tracks if worths[t.track].refusal is None]
    seen = len(np.unique(np.concatenate(judged))) * step
    score = SenseScore(chance, within(seen, media), None)
    return Sense(score, loudest(lanes), segments, proposals, strange, threshold), tuple(people)
