from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_factory import MODEL, drawn_rows, verdict
from sklearn import metrics as sk

from seamline.data.manifest import Sample, write_manifest
from seamline.errors import UnreadableMedia
from seamline.evaluation.evaluate import evaluate, measure
from seamline.evaluation.table import result_json, result_markdown, result_table
from seamline.scoring.verdict import Verdict, unreadable_verdict


class ScriptedDetector:
    """Gives each file the verdict that was written for it, or its error."""

    bundle = SimpleNamespace(model_id=MODEL)

    def __init__(self, script: dict[str, Verdict | str]) -> None:
        self.script = script
        self.asked: list[str] = []

    def scan(self, path: str | Path, *, proposals: bool = False) -> Verdict:
        self.asked.append(str(path))
        answer = self.script[Path(path).name]
        if isinstance(answer, str):
            raise UnreadableMedia(path, answer)
        return dataclasses.replace(answer, path=str(path))


def expected_auc(samples, verdicts, keep) -> float:
    kept = [
        (s.video_label == "fake", round(v.video.fake_probability, 4))
        for s, v in zip(samples, verdicts, strict=True)
        if v.video.fake_probability is not None and keep(s)
    ]
    return sk.roc_auc_score(*zip(*kept, strict=True))


def test_each_group_agrees_with_sklearn_on_its_own_rows():
    samples, verdicts = drawn_rows(240)
    picture = measure(samples, verdicts, resamples=50).senses["picture"]
    assert picture.overall.auc == pytest.approx(expected_auc(samples, verdicts, lambda _: True))
    assert picture.overall.coverage == pytest.approx(218 / 240)
    assert (picture.overall.reals, picture.overall.fakes) == (160, 80)
    interval = picture.overall.auc_interval
    assert interval.low < picture.overall.auc < interval.high
    for source, measures in picture.by_source.items():
        truth = expected_auc(samples, verdicts, lambda s, wanted=source: s.source == wanted)
        assert measures.auc == pytest.approx(truth)
    for (source, method), measures in picture.by_method.items():
        truth = expected_auc(
            samples, verdicts,
            lambda s, a=source, b=method: s.source == a and s.method in ("", b),
        )  # fmt: skip
        assert measures.auc == pytest.approx(truth)
    assert len(picture.by_method) == 10


def test_each_method_stands_against_the_reals_of_all_sources():
    samples, verdicts = drawn_rows(240)
    result = measure(samples, verdicts, resamples=50)
    picture = result.senses["picture"]
    assert set(picture.by_generator) == {method for _, method in picture.by_method}
    for method, measures in picture.by_generator.items():
        truth = expected_auc(samples, verdicts, lambda s, b=method: s.method in ("", b))
        assert measures.auc == pytest.approx(truth)
        assert (measures.reals, measures.seconds) == (160, None)
    assert sum(m.fakes for m in picture.by_generator.values()) == 80
    values = [m.auc for m in picture.by_generator.values()]
    assert values == sorted(values)
    assert "**Picture: each method**" in result_markdown(result)
    alone = [dataclasses.replace(sample, source="one") for sample in samples]
    assert not measure(alone, verdicts, resamples=50).senses["picture"].by_generator


def test_the_interval_draws_whole_people():
    samples, verdicts = drawn_rows(120)
    one_each = [dataclasses.replace(s, person=f"q{i}") for i, s in enumerate(samples)]
    few = [dataclasses.replace(s, person=f"q{i % 12}") for i, s in enumerate(samples)]
    widths = []
    for rows in (one_each, few):
        interval = measure(rows, verdicts, resamples=300).senses["picture"].overall.auc_interval
        widths.append((interval.low, interval.high))
    assert widths[0] != widths[1]


def test_one_or_two_people_a_class_and_perfect_order_give_no_interval():
    samples, verdicts = drawn_rows(60)
    alone = [dataclasses.replace(s, person=f"q{i % 2}") for i, s in enumerate(samples)]
    assert measure(alone, verdicts, resamples=50).senses["picture"].overall.auc_interval is None
    perfect = [
        verdict(s.path, 0.9 if s.video_label == "fake" else 0.1, None, sound=False) for s in samples
    ]
    overall = measure(samples, perfect, resamples=50).senses["picture"].overall
    assert (overall.auc, overall.auc_interval) == (1.0, None)


def test_a_sense_is_measured_only_where_its_truth_is_known():
    samples = [
        Sample("swap.mp4", "video", label="fake", video_label="fake"),  # voice unknown
        Sample("silent.mp4", "video", label="real"),
        Sample("talk.mp4", "video", label="real"),
        Sample("clone.wav", "audio", label="fake"),
        Sample("face.jpg", "face", label="real"),
        Sample("unlabelled.mp4", "video"),
    ]
    verdicts = [
        verdict("swap.mp4", 0.9, 0.9),
        verdict("silent.mp4", 0.2, None, sound=False),
        verdict("talk.mp4", 0.1, None),  # has sound that got no score
        verdict("clone.wav", None, 0.7),
        verdict("face.jpg", 0.6, None, sound=False),
        verdict("unlabelled.mp4", 0.5, 0.5),
    ]
    senses = measure(samples, verdicts, resamples=10).senses
    picture, voice = senses["picture"].overall, senses["voice"].overall
    assert (picture.reals, picture.fakes, picture.coverage) == (3, 1, 1.0)
    assert (voice.reals, voice.fakes, voice.coverage) == (1, 1, 0.5)
    assert picture.reals_accused == pytest.approx(1 / 3)
    assert voice.fakes_found == 1.0
    assert voice.auc is None
    assert voice.log_loss == pytest.approx(-math.log(0.7))


def test_an_abstaining_verdict_accuses_nobody():
    samples = [Sample("a", "video", label="real"), Sample("b", "video", label="fake")]
    verdicts = [
        dataclasses.replace(verdict("a", 0.9, None, sound=False), label="inconclusive"),
        verdict("b", 0.8, None, sound=False),
    ]
    picture = measure(samples, verdicts, resamples=10).senses["picture"].overall
    assert (picture.reals_accused, picture.fakes_found, picture.balanced_accuracy) == (0, 1, 1)


def test_written_verdicts_measure_the_same_as_fresh_ones():
    samples, verdicts = drawn_rows(60)
    written = [Verdict.from_json(json.loads(json.dumps(v.to_json()))) for v in verdicts]
    assert measure(samples, verdicts, resamples=20) == measure(samples, written, resamples=20)


def test_evaluate_scans_the_split_and_keeps_going_past_a_bad_file(tmp_path):
    samples = [
        Sample("a.mp4", "video", "val", "real"),
        Sample("b.mp4", "video", "val", "fake"),
        Sample("c.mp4", "video", "train", "fake"),
        Sample("bad.mp4", "video", "val", "fake"),
        Sample("d.wav", "audio", "val", "fake"),
    ]
    write_manifest(tmp_path / "m.csv", samples)
    detector = ScriptedDetector(
        {"a.mp4": verdict("", 0.1, None, sound=False), "b.mp4": verdict("", 0.9, 0.1),
         "bad.mp4": "the file is empty"}
    )  # fmt: skip
    steps = []
    result = evaluate(
        tmp_path / "m.csv", detector, root="/clips", split="val", kind="video",
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert detector.asked == ["/clips/a.mp4", "/clips/b.mp4", "/clips/bad.mp4"]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert result.unreadable == (("bad.mp4", "the file is empty"),)
    picture = result.senses["picture"].overall
    assert (picture.reals, picture.fakes, picture.auc) == (1, 2, 1.0)
    assert picture.coverage == pytest.approx(2 / 3)
    assert result.model == MODEL
    assert result.media_seconds == 4.0


def test_unreadable_files_lower_the_coverage_of_a_voice_that_is_labelled():
    samples = [Sample("a.wav", "audio", label="real"), Sample("b.wav", "audio", label="fake")]
    verdicts = [unreadable_verdict("a.wav", "torn", MODEL), verdict("b.wav", None, 0.9)]
    assert measure(samples, verdicts, resamples=10).senses["voice"].overall.coverage == 0.5


def test_tables_say_the_same_in_every_form():
    samples, verdicts = drawn_rows(60)
    result = measure(samples, verdicts, manifest="m.csv", split="val", resamples=20)
    found = result_json(result)
    assert found == json.loads(json.dumps(found, allow_nan=False))
    auc = result.senses["picture"].overall.auc
    assert found["senses"]["picture"]["overall"]["auc"] == pytest.approx(auc, abs=5e-5)
    assert found["senses"]["voice"]["overall"]["auc"] is None  # every voice here is genuine
    markdown = result_markdown(result)
    assert f"| {auc:.3f} |" in markdown
    widths = {line.count("|") for line in markdown.splitlines() if line.startswith("|")}
    assert widths == {13, 9, 7, 8}  # senses; frames and seconds; across sets; picture or voice

    from rich.console import Console

    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(result_table(result))
    shown = capture.get()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert f"AUC               {auc:.3f} (95 %: " in shown
    overall = result.senses["picture"].overall
    assert f"{100 * overall.risk:.0f} % of them wrongly; AURC {overall.aurc:.3f}" in shown
    assert "per frame       –" in shown
    assert found["senses"]["picture"]["overall"]["aurc"] == pytest.approx(overall.aurc, abs=5e-5)
    cross = found["senses"]["picture"]["cross_set"]
    means = [m.auc for m in result.senses["picture"].by_source.values()]
    assert cross["mean_auc"] == pytest.approx(np.mean(means), abs=5e-5)
    assert cross["pooled_auc"] == found["senses"]["picture"]["overall"]["auc"]
    assert found["senses"]["picture"]["curves"]["roc"][-1] == [1.0, 1.0]
    assert "60 of 60 files read, 120 s of media in 30 s." in shown
    assert "…" not in shown  # nothing is cut off


def test_no_labels_is_said_not_crashed():
    result = measure([Sample("a", "video")], [verdict("a", 0.5, 0.5)])
    assert result.senses == {}
    with pytest.raises(ValueError, match="0 verdicts for 1 samples"):
        measure([Sample("a", "video")], [])
