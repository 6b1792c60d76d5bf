from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as sk

from seamline.data.manifest import Sample
from seamline.evaluation.evaluate import measure
from seamline.evaluation.moments import FrameScores, frame_moments, frame_scores, second_moments
from seamline.scoring.verdict import (
    SCHEMA,
    ModelId,
    Person,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
)

MODEL = ModelId("fake-detector", "1", "ab")


def verdict(seconds: tuple[float | None, ...], tracks: tuple[int, ...] = (0,)) -> Verdict:
    return Verdict(
        schema=SCHEMA, path="a", sha256="00", label="real", fake_probability=0.3,
        media={"duration_seconds": 2.0, "video": None, "audio": None},
        video=SenseScore(0.3, 2.0, None), audio=SenseScore(None, 0.0, "no audio stream"),
        sync=SyncScore(None, None, "no audio stream"),
        people=tuple(Person(track, 0.0, 2.0, 0.3, 90) for track in tracks),
        segments=(), timeline=Timeline(video=seconds), warnings=(), model=MODEL,
        seconds={"total": 0.1},
    )  # fmt: skip


def face(track: int, seconds: list[float], chances: list[float]) -> SimpleNamespace:
    return SimpleNamespace(
        track=track, seconds=np.array(seconds), fake_probabilities=np.array(chances)
    )


def test_a_frame_is_as_suspicious_as_its_worst_judged_face():
    faces = [
        face(0, [0.0, 0.25, 0.5], [0.1, 0.2, 0.3]),
        face(1, [0.25, 0.5], [0.9, 0.1]),
        face(2, [0.0], [1.0]),  # a glimpse: the verdict names no such person
        face(0, [0.5, 0.75], [0.4, 0.5]),  # the next window of the first face
    ]
    found = frame_scores(verdict((0.1,), tracks=(0, 1)), faces)
    assert found.seconds.tolist() == [0.0, 0.25, 0.5, 0.75]
    assert found.chances.tolist() == [0.1, 0.9, 0.4, 0.5]
    assert len(frame_scores(verdict((0.1,), tracks=()), faces).seconds) == 0


def test_a_face_too_poor_to_be_judged_counts_in_no_frame():
    poor = verdict((0.1,), tracks=(0, 1))
    people = (poor.people[0], dataclasses.replace(poor.people[1], fake_probability=None))
    poor = dataclasses.replace(poor, people=people)
    faces = [face(0, [0.0, 0.25], [0.1, 0.2]), face(1, [0.0, 0.25], [0.9, 0.9])]
    assert frame_scores(poor, faces).chances.tolist() == [0.1, 0.2]


def test_moments_follow_the_forged_stretches_where_these_are_known():
    told = [{"modality": "video", "start_seconds": 1, "stop_seconds": 3},
            {"modality": "audio", "start_seconds": 0, "stop_seconds": 4}]  # fmt: skip
    partly = Sample("a.mp4", "video", label="fake", extra={"segments": json.dumps(told)})
    seconds = second_moments(partly, verdict((0.1, None, 0.7, 0.2)), "video", fake=True)
    assert seconds.chances.tolist() == [0.1, 0.7, 0.2]
    assert seconds.truth.tolist() == [0, 1, 0]  # 0.5, 2.5 and 3.5 s
    frames = FrameScores(np.array([0.5, 1.0, 2.9, 3.0]), np.full(4, 0.5))
    assert frame_moments(partly, frames, fake=True).truth.tolist() == [0, 1, 1, 0]
    assert frame_moments(Sample("a", "video"), frames, fake=True).truth.tolist() == [1] * 4
    assert second_moments(partly, verdict((None, None)), "video", fake=True) is None


def test_frame_and_second_aucs_are_sklearns_over_all_moments_of_all_files():
    generator = np.random.default_rng(0)
    samples, verdicts, frames, pool = [], [], [], {"frames": [], "seconds": []}
    for i in range(30):
        fake = i % 2
        chances = np.clip(generator.normal(0.4 + 0.2 * fake, 0.2, 8), 0, 1).round(2)
        samples.append(Sample(f"{i}", "video", label="fake" if fake else "real", person=f"p{i}"))
        verdicts.append(verdict(tuple(chances[:4].tolist())))
        frames.append(FrameScores(np.arange(8) / 4, chances))
        pool["frames"] += [(fake, chance) for chance in chances]
        pool["seconds"] += [(fake, chance) for chance in chances[:4]]
    found = measure(samples, verdicts, frames=frames, resamples=50).senses["picture"].overall
    for kind, pairs in pool.items():
        measured = getattr(found, kind)
        assert measured.auc == pytest.approx(sk.roc_auc_score(*zip(*pairs, strict=True)))
        assert (measured.files, measured.reals + measured.fakes) == (30, len(pairs))
        assert measured.auc_interval.low < measured.auc < measured.auc_interval.high


def test_frames_of_some_files_only_are_not_measured():
    samples = [Sample("a", "video", label="real"), Sample("b", "video", label="fake")]
    frames = [FrameScores(np.zeros(1), np.zeros(1)), None]
    verdicts = [verdict((0.1,)), verdict((0.2,))]
    found = measure(samples, verdicts, frames=frames, resamples=10).senses["picture"].overall
    assert found.frames is None
    assert found.seconds.auc == 1.0


def test_moments_of_one_person_are_drawn_together():
    samples = [
        Sample(f"{i}", "video", label="fake" if i % 2 else "real", person=f"p{i}")
        for i in range(12)
    ]
    generator = np.random.default_rng(1)
    chances = [float(generator.normal(0.45 + 0.1 * (i % 2), 0.1)) for i in range(12)]
    once = [verdict((round(c, 3),)) for c in chances]
    often = [dataclasses.replace(v, timeline=Timeline(video=v.timeline.video * 20)) for v in once]
    intervals = [
        measure(samples, v, resamples=200).senses["picture"].overall.seconds.auc_interval
        for v in (once, often)
    ]
    assert intervals[0].low == pytest.approx(intervals[1].low)  # no narrower for more frames
    assert intervals[0].high == pytest.approx(intervals[1].high)
