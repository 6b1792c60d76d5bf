"""Turns everything that was seen and heard in one file into its verdict.

In: logits per face track and per stretch of sound, with what the file is. Out: a `Verdict`, in
which every sense that could not be examined says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from seamline.scoring.decide import (
    BESIDE_ANOTHER,
    Thresholds,
    decide,
    decide_pair,
    gap_warnings,
    with_sync,
)
from seamline.scoring.findings import Findings
from seamline.scoring.judge_picture import (
    find_matches,
    find_tracks,
    judge_picture,
    likenesses,
    weigh_tracks,
)
from seamline.scoring.judge_sync import judge_sync
from seamline.scoring.quality import doubt_warnings
from seamline.scoring.reasons import doubts, no_voice_reason
from seamline.scoring.reference import reference_use, reference_warnings
from seamline.scoring.sense import (
    Sense,
    called_from,
    pooled,
    sense_branch,
    sense_proposals,
    sense_segments,
    sense_splices,
    within,
)
from seamline.scoring.timeline import FineLogits, step_count, step_logits, step_probabilities
from seamline.scoring.verdict import (
    SCHEMA,
    Label,
    SenseScore,
    Timeline,
    Verdict,
    media_summary,
)


def judge(findings: Findings, path: str, sha256: str, seconds: Mapping[str, float]) -> Verdict:
    """Make the verdict; ``seconds`` is the time spent by stage."""
    media = findings.media
    tracks = find_tracks(findings)
    matches = find_matches(findings, tracks)
    worths = weigh_tracks(findings, tracks)
    video, people = judge_picture(findings, tracks, matches, worths)
    audio = _judge_voice(findings)
    sync = judge_sync(findings)
    judged = {person.track for person in people if person.fake_probability is not None}
    label, chance, strange = _decide(findings, judged, video, audio)
    if label == "fake_both" and not video.calls:  # it joined the voice: show where, too
        video, people = judge_picture(_joining(findings), tracks, matches, worths)
    if label == "fake_both" and not audio.calls:
        audio = _judge_voice(_joining(findings))
    label, chance = with_sync(label, chance, sync.score, accuses=sync.accuses)
    warnings = [*findings.warnings, *doubts(findings, [t.face_px for t in tracks], strange)]
    warnings += doubt_warnings(worths)
    warnings += reference_warnings(path, likenesses(tracks), findings.references, matches)
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
        reference=reference_use(findings.references, matches),
        proposals=(*video.proposals, *audio.proposals, *sync.segments)
        if findings.proposes
        else None,
    )


def _decide(
    findings: Findings, judged: set[int], video: Sense, audio: Sense
) -> tuple[Label, float | None, list[str]]:
    """Label, probability, and the names of what the model does not know."""
    both = findings.branches.get("both")
    logits = _pair_logits(findings, judged)
    examined = [s for s in (video, audio) if s.score.fake_probability is not None]
    if both is not None and logits and examined:
        top = max(pooled(np.array(each), both) for each in logits)
        out, chance = both.out_of_range(top), both.calibration.probability(top)
        label, found = decide_pair(
            video.score, audio.score, chance, both.threshold, out_of_range=out
        )
        if label == "real" and video.score.fake_probability is None and video.out_of_range:
            return "inconclusive", None, []  # no voice clears a face too poor to be judged
        return label, found, ["file"] if out else []
    label, found = decide(
        video.score,
        audio.score,
        Thresholds(video.threshold, audio.threshold),
        video_out_of_range=video.out_of_range,
        audio_out_of_range=audio.out_of_range,
    )
    strange = [
        name
        for name, sense in (("picture", video), ("voice", audio))
        if sense.out_of_range and sense.score.fake_probability is not None
    ]
    return label, found, strange


def _joining(findings: Findings) -> Findings:
    """Give the findings with the threshold at which a sense joins another one."""
    branches = {
        name: replace(
            branch,
            threshold=min(branch.threshold, BESIDE_ANOTHER),
            reference_threshold=BESIDE_ANOTHER if branch.takes_references else None,
        )
        for name, branch in findings.branches.items()
    }
    return replace(findings, branches=branches)


def _pair_logits(findings: Findings, judged: set[int]) -> list[list[float]]:
    """Group a branch's logits for both senses by person; windows without a face are a group."""
    people = judged | {None}
    groups: dict[int | None, list[float]] = defaultdict(list)
    for pair in findings.pairs:
        if pair.track in people:
            groups[pair.track].append(pair.logit)
    return list(groups.values())


def _judge_voice(findings: Findings) -> Sense:
    branch = sense_branch(findings, "audio")
    spoken = [voice for voice in findings.voices if voice.logits is not None]
    reason = no_voice_reason(findings, bool(spoken), branch)
    if reason is not None or branch is None:
        return Sense(SenseScore(None, 0.0, reason))
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
    top = pooled(fine.logits, branch)
    splices = sense_splices(fine, branch)
    chance, threshold = called_from(branch.calibration.probability(top), branch, splices)
    heard = sum(stops) - sum(starts)
    segments = sense_segments(
        lane, fine, branch, media, "audio", None, splices, called=chance >= threshold
    )
    return Sense(
        SenseScore(chance, within(heard, media), None),
        step_probabilities(lane, branch.calibration),
        segments,
        sense_proposals(fine, branch.splices, "audio", None, segments, media.duration_seconds)
        if findings.proposes
        else [],
        branch.out_of_range(top),
        threshold,
    )
