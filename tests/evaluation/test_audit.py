"""Audits find what was put there: a cue, a person on both sides, a file twice; and nothing else."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from media_factory import tiny_video
from seamline.data.manifest import Sample
from seamline.evaluation.audit import audit
from seamline.evaluation.audit.cues import REMEDIES, Measured, level_cues
from seamline.evaluation.audit.leaks import crossings, one_class, twins
from seamline.evaluation.audit.run import choose
from seamline.evaluation.audit.show import audit_json, audit_markdown, audit_table
from seamline.evaluation.audit.tells import Tells, cue_auc, tells_of, together_auc
from seamline.media.write import write_audio


def sample(path: str, label: str = "real", **more: str) -> Sample:
    return Sample(path, more.pop("kind", "audio"), label=label, **more)  # type: ignore[arg-type]


def test_a_cue_s_auc_is_scikit_learn_s_whichever_way_it_points() -> None:
    generator = np.random.default_rng(0)
    fake = generator.random(200) < 0.4
    values = generator.normal(0, 1, 200) - 0.8 * fake
    expected = 1 - roc_auc_score(fake, values)
    assert cue_auc(values.tolist(), fake) == pytest.approx(expected)
    assert cue_auc((-values).tolist(), fake) == pytest.approx(expected)


def test_what_is_missing_is_a_value_of_its_own() -> None:
    fake = np.array([True, True, False, False])
    assert cue_auc([None, None, 1.0, 2.0], fake) == 1.0
    assert cue_auc([None, None, None, None], fake) == 0.5


def test_words_tell_by_their_other_files() -> None:
    fake = np.array([True] * 4 + [False] * 4)
    assert cue_auc(["mp4"] * 4 + ["avi"] * 4, fake) == 1.0
    assert cue_auc([f"name {i}" for i in range(8)], fake) == 0.5  # each is alone with its word


def test_who_it_is_tells_where_somebody_has_fakes_alone() -> None:
    rows = []
    for number in range(40):
        label = "fake" if number % 2 else "real"
        person = "often forged" if label == "fake" else f"p{number}"
        cues = {"loudness": float(number // 2)}
        rows.append(Measured(sample(f"{number}.wav", label, person=person), None, cues))
    rows += [Measured(sample("unnamed.wav"), None, {"loudness": 3.0})]
    (found,) = tells_of(rows)
    assert found.marked == ["person"]
    assert found.cues["person"] == pytest.approx(1.0)
    assert found.cues["loudness"] == pytest.approx(0.5, abs=0.05)
    assert found.together is not None
    assert found.together < 0.7  # by cues of the coding alone


def test_cues_together_tell_what_none_tells_alone() -> None:
    generator = np.random.default_rng(1)
    samples = [sample(f"{i}.wav", person=f"p{i}") for i in range(300)]
    fake = generator.random(300) < 0.5
    middle = np.where(fake, generator.normal(0, 0.3, 300), generator.choice((-2, 2), 300))
    assert cue_auc(middle.tolist(), fake) < 0.65
    told = together_auc([middle.tolist()], fake, samples)
    assert told is not None
    assert told > 0.95
    noise = together_auc([generator.normal(0, 1, 300).tolist()], fake, samples)
    assert noise is not None
    assert abs(noise - 0.5) < 0.15
    assert together_auc([middle[:12].tolist()], fake[:12], samples[:12]) is None


def test_chance_marks_no_cue() -> None:
    few = Tells("voice", "audio", "S", "", 3, 3, {"peak": 0.9, "loudness": 0.6}, None)
    many = Tells("voice", "audio", "S", "", 60, 60, {"peak": 0.9, "loudness": 0.6}, None)
    assert few.marked == []
    assert many.marked == ["peak"]


def test_levels_bandwidth_and_silence_are_measured() -> None:
    seconds = np.arange(32000) / 16000
    tone = 0.5 * np.sin(2 * np.pi * 1000 * seconds)
    found = level_cues(np.concatenate([np.zeros(8000), tone, np.zeros(4800)]))
    assert found["leading silence"] == pytest.approx(0.5)
    assert found["trailing silence"] == pytest.approx(0.3)
    assert found["peak"] == pytest.approx(0.5, abs=1e-3)
    assert found["99 % roll-off"] == pytest.approx(1000, abs=20)
    assert found["zeros"] == pytest.approx(12800 / 44800, abs=0.01)
    assert level_cues(tone)["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)


def test_people_and_originals_on_both_sides_are_named() -> None:
    samples = [
        sample("a.wav", split="train", person="ann"),
        sample("b.wav", "fake", split="val", person="bob+ann"),
        sample("c.wav", split="val", person="cid"),
        sample("d.wav", split="train"),
        Sample("e.wav", "audio", "val", "fake", extra={"original": "d.wav"}),
        sample("f.wav", person="cid"),  # of no split
    ]
    first, second = crossings(samples)
    assert {first.people, second.people} == {("ann", "bob"), ()}
    named = first if first.people else second
    assert named.files == {"train": 1, "val": 1}
    assert named.examples == {"train": "a.wav", "val": "b.wav"}


def test_the_same_bytes_are_found_with_what_contradicts(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "one"), ("c", "two"), ("d", "six!")):
        (tmp_path / name).write_text(text)
    rows = [
        Sample("a", "audio", "train", "real", root=tmp_path),
        Sample("b", "audio", "val", "fake", root=tmp_path),
        Sample("c", "audio", "train", "real", root=tmp_path),
        Sample("d", "audio", "train", "real", root=tmp_path),
        Sample("missing", "audio", "train", "real", root=tmp_path),
    ]
    (found,) = twins(rows)
    assert found.paths == ("a", "b")
    assert found.labels == ("fake", "real")
    assert found.splits == ("train", "val")


def test_a_source_of_one_class_is_named_where_the_split_has_both() -> None:
    rows = [
        sample("a.wav", source="A", split="train"),
        sample("b.wav", "fake", source="B", split="train"),
        sample("c.wav", source="C", split="train"),
        sample("d.wav", "fake", source="C", split="train"),
        sample("e.wav", source="A", split="val"),
    ]
    assert [(one.source, one.label, one.split) for one in one_class(rows)] == [
        ("A", "real", "train"),
        ("B", "fake", "train"),
    ]


def test_some_of_each_class_are_drawn_the_same_way_each_time() -> None:
    rows = [sample(f"{i}.wav", "fake" if i % 3 else "real", source="S") for i in range(90)]
    drawn = choose(rows, 10, seed=3)
    assert len(drawn) == 20
    assert sum(one.label == "fake" for one in drawn) == 10
    assert drawn == choose(rows, 10, seed=3)
    assert drawn != choose(rows, 10, seed=4)
    assert choose(rows, 0, seed=3) == rows


@pytest.fixture
def collection(tmp_path: Path) -> list[Sample]:
    """Tones, the forged ones louder; clips of both classes alike; a file that is none."""
    generator = np.random.default_rng(5)
    rows = []
    for number in range(24):
        label = "fake" if number % 2 else "real"
        level = 0.5 if label == "fake" else 0.1
        path = tmp_path / f"{number}.wav"
        write_audio(path, (level * generator.uniform(-1, 1, 8000)).astype(np.float32), 16000)
        rows.append(
            Sample(path.name, "audio", "train", label, source="tones", person=f"p{number}",
                   root=tmp_path)
        )  # fmt: skip
    clip = tiny_video(tmp_path / "clip.mp4", 1.0, audio=True)  # copied: encoders differ by a byte
    for number in range(6):
        label = "fake" if number % 2 else "real"
        path = Path(shutil.copy(clip, tmp_path / f"{number}.mp4"))
        rows.append(
            Sample(path.name, "video", "train", label, label, "real", source="clips", root=tmp_path)
        )
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    return [*rows, Sample("broken.wav", "audio", "train", "real", source="tones", root=tmp_path)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_collection_is_audited(collection: list[Sample], jobs: int) -> None:
    done: list[int] = []
    found = audit(collection, jobs=jobs, done=lambda: done.append(1))
    assert len(done) == found.rows == 31
    assert found.measured == 30
    assert [path for path, _ in found.unreadable] == ["broken.wav"]
    by_sense = {(one.sense, one.source): one for one in found.tells}
    tones = by_sense["voice", "tones"]
    assert (tones.reals, tones.fakes) == (12, 12)
    assert tones.cues["loudness"] == 1.0
    assert set(tones.marked) == {"loudness", "peak", "noise floor", "zeros"}
    assert tones.together == pytest.approx(1.0)
    clips = by_sense["picture", "clips"]
    assert clips.marked == []
    assert clips.cues == dict.fromkeys(clips.cues, 0.5)
    told = audit_json(found)
    (same,) = json.loads(json.dumps(told, allow_nan=False))["same_files"]
    assert same["labels"] == ["fake", "real"]
    assert len(same["paths"]) == 6
    assert told["remedies"] == {c: REMEDIES[c] for c in REMEDIES if c in tones.marked}
    assert "| tones, train | 12 | 12 | 1.00 | loudness 1.00" in audit_markdown(found)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(audit_table(found))
    shown = console.export_text()
    assert "broken.wav" in shown
    assert "vary the level of both classes alike" in shown
    assert max(map(len, shown.splitlines())) <= 80
