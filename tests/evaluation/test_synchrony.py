"""Synchrony among the senses that are measured: its truth, its calls, its false stretches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evaluation_factory import verdict

from seamline.data.manifest import Sample
from seamline.evaluation.evaluate import measure
from seamline.evaluation.rows import parts
from seamline.scoring.verdict import Label, Segment, SyncScore, Timeline, Verdict

GENUINE = Sample("a.mp4", "video", label="real", source="talks")
MOVED = Sample(
    "b.mp4", "video", label="fake", video_label="real", audio_label="real", source="talks",
    method="shift", extra={"sync_label": "fake"},
)  # fmt: skip


def judged(
    chance: float | None, label: Label = "real", steps: tuple[float | None, ...] = ()
) -> Verdict:
    sync = SyncScore(chance, 0.0, None) if chance is not None else SyncScore(None, None, "no mouth")
    timeline = Timeline(1.0, sync=steps)
    return replace(verdict("x.mp4", 0.1, 0.1), sync=sync, label=label, timeline=timeline)


def test_moved_sound_is_told_from_genuine_videos():
    samples = [GENUINE, replace(GENUINE, path="c.mp4"), MOVED, replace(MOVED, path="d.mp4")]
    verdicts = [
        judged(0.1), judged(0.7, "fake_video"), judged(0.9, "fake_video"), judged(0.6),
    ]  # fmt: skip
    found = measure(samples, verdicts, resamples=10).senses["synchrony"].overall
    assert (found.reals, found.fakes, found.coverage) == (2, 2, 1.0)
    assert found.auc == 0.75
    assert found.reals_accused == 0.5
    assert found.fakes_found == 0.5  # the other one's file was called real
    assert ("talks", "shift") in measure(samples, verdicts).senses["synchrony"].by_method


def test_a_picture_that_is_called_fake_does_not_speak_for_the_lips():
    verdicts = [judged(0.2, "fake_video"), judged(0.9, "fake_video")]
    found = measure([GENUINE, MOVED], verdicts, resamples=10).senses["synchrony"].overall
    assert (found.reals_accused, found.fakes_found) == (0.0, 1.0)


def test_lips_and_sound_alone_blame_no_picture() -> None:
    alone = replace(judged(0.9, "fake_video"), fake_probability=0.9)
    seen = replace(alone, video=replace(alone.video, fake_probability=0.95), fake_probability=0.95)
    for verdict_of, blamed in ((alone, 0.0), (seen, 1.0)):
        assert verdict_of.fake_by_sync is (not blamed)
        result = measure([GENUINE], [verdict_of], resamples=10)
        assert result.senses["picture"].overall.reals_accused == blamed


def test_what_was_not_compared_lowers_the_coverage_and_silence_is_left_out():
    samples = [GENUINE, replace(GENUINE, path="c.mp4"), replace(GENUINE, path="d.mp4"), MOVED]
    silent = verdict("d.mp4", 0.1, None, sound=False)
    found = measure(samples, [judged(0.1), judged(None), silent, judged(0.9)], resamples=10)
    overall = found.senses["synchrony"].overall
    assert (overall.reals, overall.fakes) == (2, 1)
    assert overall.coverage == pytest.approx(2 / 3)


def test_only_a_video_that_is_real_as_a_whole_is_taken_for_genuine():
    samples = [
        Sample("a", "video", label="real"),
        Sample("b", "video", label="fake", video_label="fake"),
        Sample("c", "video"),
        Sample("d", "audio", label="real"),
        Sample("e", "face", label="real"),
    ]
    assert [sample.sync_truth for sample in samples] == ["real", "", "", "", ""]
    assert MOVED.sync_truth == "fake"


def test_it_is_not_spoken_of_where_nobody_compared_and_nobody_asked():
    assert "synchrony" not in measure([GENUINE], [judged(None)], resamples=10).senses
    assert (
        measure([MOVED], [judged(None)], resamples=10).senses["synchrony"].overall.coverage == 0.0
    )


def test_seconds_and_false_stretches_come_from_the_timeline():
    pointed_at = (Segment("sync", 0, 0.0, 2.0, 0.9), Segment("audio", None, 0.0, 1.0, 0.9))
    genuine = replace(judged(0.2, steps=(0.9, 0.8, None, 0.1)), segments=pointed_at)
    result = measure([GENUINE, MOVED], [genuine, judged(0.9, "fake_video", (0.9, 0.95))])
    seconds = result.senses["synchrony"].overall.seconds
    assert seconds is not None
    assert (seconds.reals, seconds.fakes) == (3, 2)
    stretches = result.false_stretches["synchrony"]
    assert (stretches.files, stretches.stretches, stretches.examined_seconds) == (1, 1, 3.0)
    table = next(part for part in parts(result) if part.title.startswith("Stretches shown"))
    assert table.rows[-1][0] == "synchrony"
