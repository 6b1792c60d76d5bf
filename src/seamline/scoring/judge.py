"""Turns everything that was seen and heard in one file into its verdict.

In: logits per face track and per stretch of sound, with what the file is. Out: a `Verdict`, in
which every sense that could not be examined says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from seamline.media.probe import MediaInfo
from seamline.scoring.branch import Branch, judge_of
from seamline.scoring.decide import Thresholds, decide, decide_pair, gap_warnings, with_sync
from seamline.scoring.findings import FaceScores, Findings
from seamline.scoring.judge_sync import judge_sync
from seamline.scoring.pool import pool_logits
from seamline.scoring.reasons import doubts, no_picture_reason, no_voice_reason
from seamline.scoring.timeline import (
    FineLogits,
    StepLogits,
    find_segments,
    loudest,
    step_count,
    step_logits,
    step_probabilities,
)
from seamline.scoring.verdict import (
    SCHEMA,
    Label,
    Person,
    Segment,
    SenseScore,
    Timeline,
    Verdict,
    media_summary,
)


@dataclass(frozen=True)
class _Track:
    track: int
    seconds: np.ndarray
    logits: np.ndarray
    face_px: int


@dataclass
class _Sense:
    """One sense judged: its score, its place on the timeline and its segments."""

    score: SenseScore
    steps: tuple[float | None, ...] = ()
    segments: list[Segment] = field(default_factory=list)
    out_of_range: bool = False


def judge(findings: Findings, path: str, sha256: str, seconds: Mapping[str, float]) -> Verdict:
    """Make the verdict; ``seconds`` is the time spent by stage."""
    media = findings.media
    tracks = _tracks(findings)
    video, people = _judge_picture(findings, tracks)
    audio = _judge_voice(findings)
    sync = judge_sync(findings)
    label, chance, strange = _decide(findings, tracks, video, audio)
    label, chance = with_sync(label, chance, sync.score, accuses=sync.accuses)
    warnings = [*findings.warnings, *doubts(findings, [t.face_px for t in tracks], strange)]
    warnings += gap_warnings(label, video.score, audio.score)
    steps = step_count(media.duration_seconds)
    return Verdict(
        schema=SCHEMA,
        path=path,
        sha256=sha256,
        media=media_summary(media),
        label=label,
        fake_probability=chance,
        video=video.score,
        audio=audio.score,
        sync=sync.score,
        people=people,
        segments=(*video.segments, *audio.segments, *sync.segments),
        timeline=Timeline(
            video=video.steps or (None,) * steps,
            audio=audio.steps or (None,) * steps,
            sync=sync.steps or (None,) * steps,
        ),
        warnings=tuple(dict.fromkeys(warnings)),
        model=findings.model,
        seconds=dict(seconds),
    )


def _decide(
    findings: Findings, tracks: list[_Track], video: _Sense, audio: _Sense
) -> tuple[Label, float | None, list[str]]:
    """Label, probability, and the names of what the model does not know."""
    both = findings.branches.get("both")
    logits = _pair_logits(findings, tracks)
    examined = [s for s in (video, audio) if s.score.fake_probability is not None]
    if both is not None and logits and examined:
        top = max(_pooled(np.array(each), both) for each in logits)
        out, chance = both.out_of_range(top), both.calibration.probability(top)
        label, found = decide_pair(
            video.score, audio.score, chance, both.threshold, out_of_range=out
        )
        return label, found, ["file"] if out else []
    branches = (_branch(findings, "video"), _branch(findings, "audio"))
    label, found = decide(
        video.score,
        audio.score,
        Thresholds(*(0.5 if branch is None else branch.threshold for branch in branches)),
        video_out_of_range=video.out_of_range,
        audio_out_of_range=audio.out_of_range,
    )
    return label, found, [n for n, s in (("picture", video), ("voice", audio)) if s.out_of_range]


def _pair_logits(findings: Findings, tracks: list[_Track]) -> list[list[float]]:
    """Group a branch's logits for both senses by person; windows without a face are a group."""
    people = {track.track for track in tracks} | {None}
    groups: dict[int | None, list[float]] = defaultdict(list)
    for pair in findings.pairs:
        if pair.track in people:
            groups[pair.track].append(pair.logit)
    return list(groups.values())


def _branch(findings: Findings, sense: Literal["video", "audio"]) -> Branch | None:
    """The branch that judges a sense; the usual range of one for both is that of both together."""
    name = judge_of(sense, findings.branches)
    if name is None:
        return None
    branch = findings.branches[name]
    return replace(branch, usual_logits=None) if name == "both" else branch


def _tracks(findings: Findings) -> list[_Track]:
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
            _Track(
                track=track,
                seconds=seconds,
                logits=np.concatenate([piece.logits for piece in pieces]),
                face_px=int(np.median([piece.face_px for piece in pieces])),
            )
        )
    return tracks


def _judge_picture(findings: Findings, tracks: list[_Track]) -> tuple[_Sense, tuple[Person, ...]]:
    branch = _branch(findings, "video")
    reason = no_picture_reason(findings, [t.face_px for t in tracks], branch)
    if reason is not None or branch is None:
        return _Sense(SenseScore(None, 0.0, reason)), ()
    media, step = findings.media, findings.frame_step_seconds
    pooled = [_pooled(track.logits, branch) for track in tracks]
    lanes = [
        step_logits(t.seconds, t.logits, media.duration_seconds, sharpness=branch.pool_sharpness)
        for t in tracks
    ]
    people = tuple(
        Person(
            track=t.track,
            start_seconds=float(t.seconds[0]),
            stop_seconds=_end(float(t.seconds[-1]) + step, media),
            fake_probability=branch.calibration.probability(logit),
            face_px=t.face_px,
        )
        for t, logit in zip(tracks, pooled, strict=True)
    )
    segments = [
        segment
        for t, lane in zip(tracks, lanes, strict=True)
        for segment in _segments(
            lane, FineLogits(t.seconds, t.logits, step), branch, media, "video", t.track
        )
    ]
    seen = len(np.unique(np.concatenate([t.seconds for t in tracks]))) * step
    top = max(pooled)
    score = SenseScore(branch.calibration.probability(top), _within(seen, media), None)
    steps = step_probabilities(loudest(lanes), branch.calibration)
    return _Sense(score, steps, segments, branch.out_of_range(top)), people


def _judge_voice(findings: Findings) -> _Sense:
    branch = _branch(findings, "audio")
    spoken = [voice for voice in findings.voices if voice.logits is not None]
    reason = no_voice_reason(findings, bool(spoken), branch)
    if reason is not None or branch is None:
        return _Sense(SenseScore(None, 0.0, reason))
    starts, stops, logits = [], [], []
    for voice in spoken:
        assert voice.logits is not None
        for index, logit in enumerate(voice.logits):
            start = voice.start_seconds + index * voice.step_seconds
            if start < voice.stop_seconds:
                starts.append(start)
                stops.append(min(start + voice.step_seconds, voice.stop_seconds))
                logits.append(float(logit))
    media = findings.media
    lane = step_logits(
        starts,
        logits,
        media.duration_seconds,
        stop_seconds=stops,
        sharpness=branch.pool_sharpness,
    )
    fine = FineLogits(np.array(starts), np.array(logits), spoken[0].step_seconds)
    top = _pooled(fine.logits, branch)
    heard = sum(stops) - sum(starts)
    return _Sense(
        SenseScore(branch.calibration.probability(top), _within(heard, media), None),
        step_probabilities(lane, branch.calibration),
        _segments(lane, fine, branch, media, "audio", None),
        branch.out_of_range(top),
    )


def _pooled(logits: np.ndarray, branch: Branch) -> float:
    pooled = pool_logits(logits.astype(np.float64), branch.pool_sharpness)
    assert pooled is not None
    return pooled


def _segments(
    lane: StepLogits,
    fine: FineLogits,
    branch: Branch,
    media: MediaInfo,
    modality: str,
    track: int | None,
) -> list[Segment]:
    return find_segments(
        lane,
        branch.calibration,
        branch.threshold,
        modality=modality,  # type: ignore[arg-type]
        track=track,
        duration_seconds=media.duration_seconds,
        sharpness=branch.pool_sharpness,
        fine=fine,
    )


def _end(seconds: float, media: MediaInfo) -> float:
    return seconds if media.duration_seconds is None else min(seconds, media.duration_seconds)


def _within(seconds: float, media: MediaInfo) -> float:
    return 0.0 if media.kind == "image" else _end(seconds, media)
