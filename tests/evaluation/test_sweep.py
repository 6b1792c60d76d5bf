from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluation_factory import verdict
from rich.console import Console
from sklearn import metrics as sk

from media_factory import tiny_video, tone
from seamline.data.manifest import Sample
from seamline.evaluation.corruptions import CORRUPTIONS
from seamline.evaluation.evaluate import measure
from seamline.evaluation.measures import Row
from seamline.evaluation.sweep import measure_change, run_sweep
from seamline.evaluation.table import result_json, result_markdown, result_table
from seamline.media.probe import probe
from seamline.scoring.verdict import Verdict


def rows(seed: int, spread: float) -> list[Row | None]:
    generator = np.random.default_rng(seed)
    found: list[Row | None] = []
    for i in range(80):
        fake = i % 2 == 0
        chance = float(np.clip(generator.normal(0.4 + 0.2 * fake, spread), 0, 1))
        found.append(Row("A", "", i // 4, fake, None if (i + seed) % 9 == 0 else chance, False))
    return found


def test_the_change_is_sklearns_over_rows_scored_both_times():
    clean, spoilt = rows(0, 0.1), rows(1, 0.3)
    both = [i for i in range(80) if i % 9 and (i + 1) % 9]
    truth = [clean[i].fake for i in both]
    scores = [[side[i].probability for i in both] for side in (clean, spoilt)]
    aucs = [sk.roc_auc_score(truth, chances) for chances in scores]
    found = measure_change(CORRUPTIONS["blur"], clean, spoilt, 200)
    assert found.paired == len(both) < 80
    assert (found.clean_auc, found.auc) == pytest.approx(tuple(aucs))
    assert found.change == pytest.approx(aucs[1] - aucs[0])
    assert found.change_interval.low < found.change < found.change_interval.high < 0
    assert found.measures.coverage == pytest.approx(72 / 80)


def test_no_change_has_no_interval_and_one_class_no_change():
    clean = rows(0, 0.1)
    same = measure_change(CORRUPTIONS["blur"], clean, clean, 50)
    assert (same.change, same.change_interval) == (0.0, None)
    reals = [row for row in clean if not row.fake]
    assert measure_change(CORRUPTIONS["blur"], reals, reals, 50).change is None


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory):
    """A detector that goes by the height of the picture alone, and what it met."""
    folder = tmp_path_factory.mktemp("sweep")
    samples, scratch, met = [], folder / "scratch", []
    scratch.mkdir()
    for i in range(4):
        height = 32 if i % 2 else 64
        tiny_video(folder / f"{i}.mp4", 0.3, size=(64, height))
        label = "fake" if i % 2 else "real"
        samples.append(Sample(f"{i}.mp4", "video", label=label, person=f"p{i}", root=folder))
    tone(folder / "voice.wav", 0.3)
    samples.append(Sample("voice.wav", "audio", label="real", root=folder))
    (folder / "torn.mp4").write_bytes(b"nothing")
    samples.append(Sample("torn.mp4", "video", label="fake", root=folder))

    def scan(files: list[str]) -> list[Verdict]:
        met.append([Path(file) for file in files])
        sizes = [probe(f).video.height if Path(f).exists() else None for f in files]
        chances = [None if size is None else round(0.9 - size / 100, 2) for size in sizes]
        return [verdict(f, c, None, sound=False) for f, c in zip(files, chances, strict=True)]

    clean = [verdict("", c, None, sound=False) for c in (0.26, 0.58, 0.26, 0.58, None, None)]
    chosen = [CORRUPTIONS["half-size"], CORRUPTIONS["crf-35"]]
    sweep = run_sweep(samples, clean, chosen, scan, scratch=scratch, resamples=20)
    result = measure(samples, clean, resamples=20)
    return sweep, met, scratch, dataclasses.replace(result, sweep=sweep)


def test_each_corruption_is_scanned_and_its_files_are_removed(swept):
    sweep, met, scratch, _ = swept
    assert [change.name for change in sweep.changes] == ["half-size", "crf-35"]
    assert [len(files) for files in met] == [5, 5]  # the sound alone is not corrupted
    assert list(scratch.iterdir()) == []
    halved, compressed = sweep.changes
    assert halved.measures.log_loss > compressed.measures.log_loss  # the detector saw the size
    assert (halved.unwritten, halved.measures.coverage) == (1, pytest.approx(4 / 5))
    assert (halved.paired, halved.clean_auc, halved.auc, halved.change) == (4, 1.0, 1.0, 0.0)


def test_the_sweep_is_told_in_every_form(swept):
    *_, result = swept
    found = result_json(result)["sweep"]
    assert [change["name"] for change in found["changes"]] == ["half-size", "crf-35"]
    assert found["changes"][0]["change"] == 0.0
    assert "| half-size | 80 % | 1.000 | +0.000 | – |" in result_markdown(result)
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(result_table(result))
    assert "Corrupted pictures" in capture.get()
    assert "2 files could not be rewritten" in " ".join(capture.get().split())
    assert "…" not in capture.get()
