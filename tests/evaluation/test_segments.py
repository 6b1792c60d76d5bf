from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score

from seamline.data.layouts.lav_df import find_lav_df
from seamline.data.manifest import Sample
from seamline.errors import BadManifest
from seamline.evaluation.evaluate import measure
from seamline.evaluation.four_way import TOLD, measure_four_way, true_label
from seamline.evaluation.segments import (
    FileSpans,
    average_precision,
    average_recall,
    measure_segments,
    overlap,
    true_segments,
)
from seamline.evaluation.table import result_json, result_markdown, result_table
from seamline.scoring.verdict import (
    ModelId,
    Segment,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
    unreadable_verdict,
)

MODEL = ModelId("fake-detector", "1", "ab")
TENTHS = st.integers(0, 60).map(lambda tick: tick / 10)
SPANS = st.tuples(TENTHS, st.integers(1, 30)).map(lambda s: (s[0], round(s[0] + s[1] / 10, 1)))


def verdict(segments: list[tuple[str, float, float, float]], label: str = "real") -> Verdict:
    return Verdict(
        schema=1, path="a", sha256="00", label=label, fake_probability=0.5,  # type: ignore[arg-type]
        media={"duration_seconds": 10.0, "video": None, "audio": {}},
        video=SenseScore(0.5, 2.0, None), audio=SenseScore(0.5, 2.0, None),
        sync=SyncScore(None, None, "not judged"), people=(),
        segments=tuple(Segment(m, 0, a, b, p) for m, a, b, p in segments),  # type: ignore[arg-type]
        timeline=Timeline(), warnings=(), model=MODEL, seconds={"total": 0.5},
    )  # fmt: skip


def rastered_overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    grid = np.arange(0, 100) / 10 + 0.05
    masks = [(grid >= a) & (grid < b) for a, b in (one, other)]
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def naive_precision(files: list[FileSpans], least: float) -> float:
    """Recompute the matches for every prefix of the findings, then integrate step by step."""
    findings = [(p, i, (a, b)) for i, f in enumerate(files) for a, b, p in f.found]
    findings.sort(key=lambda one: -one[0])
    total = sum(len(f.truth) for f in files)
    points = []
    for count in range(1, len(findings) + 1):
        taken: set[tuple[int, int]] = set()
        for _, i, span in findings[:count]:
            best, chosen = -1.0, None
            for k, truth in enumerate(files[i].truth):
                shared = rastered_overlap(span, truth)
                if (i, k) not in taken and shared > best + 1e-9:
                    best, chosen = shared, k
            if chosen is not None and best >= least - 1e-9:
                taken.add((i, chosen))
        points.append((len(taken) / total, len(taken) / count))
    area = 0.0
    for step in range(1, total + 1):
        reached = [precision for recall, precision in points if recall >= step / total - 1e-9]
        area += max(reached, default=0.0) / total
    return area


@given(SPANS, SPANS)
def test_overlap_is_what_a_fine_grid_counts(one, other):
    assert overlap(one, other) == pytest.approx(rastered_overlap(one, other), abs=1e-6)


@given(
    st.lists(
        st.tuples(st.lists(SPANS, max_size=3, unique=True), st.lists(SPANS, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([0.5, 0.75, 0.95]),
    st.randoms(use_true_random=False),
)
def test_average_precision_is_the_brute_force_one(files, least, random):
    scores = iter(random.sample(range(1000), 100))  # no ties: their order is anyone's guess
    spans = [
        FileSpans(tuple(truth), tuple((a, b, next(scores) / 1000) for a, b in found))
        for truth, found in files
    ]
    found = average_precision(spans, least)
    if not any(f.truth for f in spans):
        assert found is None
        assert average_recall(spans) is None
    else:
        assert found == pytest.approx(naive_precision(spans, least), abs=1e-9)


def test_figures_of_a_case_done_by_hand():
    files = [
        FileSpans(((2.0, 4.0), (6.0, 8.0)), ((2.0, 4.0, 0.9), (6.2, 8.0, 0.5), (6.0, 8.0, 0.4))),
        FileSpans((), ((0.0, 1.0, 0.7),)),
    ]
    # right, wrong, right (0.9 of the overlap), wrong: precision 1 to a recall of 1/2, then 2/3
    assert average_precision(files, 0.5) == pytest.approx((1 + 2 / 3) / 2)
    # at 0.95 the third finding is wrong and the fourth right: 2 of 4
    assert average_precision(files, 0.95) == pytest.approx((1 + 2 / 4) / 2)
    assert average_recall(files) == 1.0
    assert average_precision([FileSpans(((0.0, 1.0),), ())], 0.5) == 0.0


def row(segments: list[tuple[str, float, float]] | None, **more: str) -> Sample:
    told = [{"modality": m, "start_seconds": a, "stop_seconds": b} for m, a, b in segments or []]
    extra = {} if segments is None else {"segments": json.dumps(told)}
    return Sample("a.mp4", "video", extra=extra, **more)


def test_each_sense_is_held_to_its_own_stretches_and_any_to_all():
    samples = [row([("video", 1, 3), ("audio", 2, 4)]), row([]), row(None)]
    verdicts = [
        verdict([("video", 1.0, 3.0, 0.9), ("audio", 6.0, 7.0, 0.8)]),
        verdict([]),
        verdict([("audio", 0.0, 9.0, 0.99)]),
    ]
    found = measure_segments(samples, verdicts)
    assert list(found) == ["any", "video", "audio"]
    assert (found["video"].files, found["video"].genuine_files) == (2, 1)  # the third says nothing
    assert found["video"].average_precision == {"0.5": 1.0, "0.75": 1.0, "0.95": 1.0}
    assert found["audio"].average_precision["0.5"] == 0.0
    assert found["any"].segments == 1  # 1 to 4 s
    assert found["any"].average_precision["0.5"] == 1.0
    assert found["any"].average_precision["0.75"] == 0.0
    assert measure_segments(samples[1:], verdicts[1:]) == {}


def test_two_faces_forged_at_once_are_one_stretch():
    samples = [row([("video", 1, 3), ("video", 1, 3)])]
    verdicts = [verdict([("video", 1.0, 3.0, 0.9), ("video", 1.0, 2.5, 0.95)])]
    found = measure_segments(samples, verdicts)["video"]
    assert (found.segments, found.found) == (1, 1)
    assert found.average_precision["0.75"] == 1.0


def test_an_unreadable_file_finds_nothing():
    verdicts = [unreadable_verdict("a.mp4", "torn", MODEL)]
    found = measure_segments([row([("audio", 1, 3)])], verdicts)["audio"]
    assert found.average_recall == 0.0


@pytest.mark.parametrize(
    "text", ["{", '[{"modality": "smell", "start_seconds": 0, "stop_seconds": 1}]',
             '[{"modality": "audio", "start_seconds": 2, "stop_seconds": 1}]', "[1]"],
)  # fmt: skip
def test_segments_that_cannot_be_read_are_refused(text):
    with pytest.raises(BadManifest, match=r"a\.mp4: column segments must hold a JSON list"):
        true_segments(Sample("a.mp4", "video", extra={"segments": text}))


def test_the_layout_of_lav_df_is_read(tmp_path):
    table = [
        {"file": "test/1.mp4", "split": "test", "original": None, "modify_video": False,
         "modify_audio": False, "fake_periods": []},
        {"file": "test/2.mp4", "split": "test", "original": "test/1.mp4", "modify_video": True,
         "modify_audio": True, "fake_periods": [[1.0, 2.0]]},
    ]  # fmt: skip
    (tmp_path / "metadata.json").write_text(json.dumps(table))
    (tmp_path / "test").mkdir()
    for name in ("1", "2"):
        (tmp_path / "test" / f"{name}.mp4").write_bytes(b"x")
    samples = find_lav_df(tmp_path)
    found = measure_segments(samples, [verdict([]), verdict([("audio", 1.0, 2.0, 0.9)])])
    assert {name: m.average_precision["0.95"] for name, m in found.items()} == {
        "any": 1.0, "video": 0.0, "audio": 1.0,
    }  # fmt: skip
    assert [true_label(sample) for sample in samples] == ["real", "fake_both"]


def test_the_confusion_is_scikit_learns():
    generator = np.random.default_rng(0)
    labels = {"real": ("real", "real"), "fake_video": ("fake", "real"),
              "fake_audio": ("real", "fake"), "fake_both": ("fake", "fake")}  # fmt: skip
    truths = [str(t) for t in generator.choice(list(labels), 60)]
    told = [str(t) for t in generator.choice(TOLD, 60)]
    samples = [row(None, video_label=labels[t][0], audio_label=labels[t][1]) for t in truths]
    found = measure_four_way(samples, [verdict([], label=t) for t in told])
    counts = [[found.counts[t][p] for p in TOLD] for t in labels]
    assert counts == confusion_matrix(truths, told, labels=TOLD)[:4].tolist()
    f1 = f1_score(truths, told, labels=list(labels), average="macro")
    assert found.macro_f1 == pytest.approx(f1)
    called = [p for t, p in zip(truths, told, strict=True) if t == "real"]
    assert found.reals_called_fake == np.mean([p.startswith("fake") for p in called])


def test_a_row_without_both_labels_or_fake_by_sync_alone_is_left_out():
    rows = [
        row(None, video_label="fake"),
        row(None, label="fake", video_label="real", audio_label="real"),
        row(None, label="real"),
    ]
    assert [true_label(sample) for sample in rows] == [None, None, None]
    assert measure_four_way(rows, [verdict([])] * 3) is None


def test_the_tables_tell_both():
    samples = [row([("audio", 1, 3)], label="fake", video_label="real", audio_label="fake")]
    result = measure(samples, [verdict([("audio", 1.0, 3.0, 0.9)], label="fake_audio")])
    found = json.loads(json.dumps(result_json(result)))
    assert found["four_way"]["counts"]["fake_audio"]["fake_audio"] == 1
    assert found["segments"]["audio"]["average_precision"]["0.5"] == 1.0
    assert "| fake_audio | 0 | 0 | 1 | 0 | 0 | 1.00 |" in result_markdown(result)
    assert "| audio | 1 | 1 | 1 | 1.000 | 1.000 | 1.000 | 1.000 |" in result_markdown(result)

    from rich.console import Console

    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(result_table(result))
    assert "Forged stretches" in capture.get()
    assert "macro-F1 1.000" in capture.get()


def test_proposals_are_ranked_and_what_is_called_has_its_own_row() -> None:
    """One splice is called, one only stands out: ranked, both are found; called, one of two."""
    rows = [row([("video", 2, 4)]), row([("video", 5, 7)]), row([])]
    called = [verdict([("video", 2.0, 4.0, 0.99)]), verdict([]), verdict([])]
    beside = [[], [Segment("video", 0, 5.0, 7.0, 0.6)], [Segment("video", 0, 1.0, 2.0, 0.3)]]
    proposed = [
        replace(v, proposals=(*v.segments, *more)) for v, more in zip(called, beside, strict=True)
    ]
    found = measure_segments(rows, proposed)
    assert found["video"].average_precision["0.75"] == 1.0
    assert found["video"].found == 3
    assert found["video, called"].average_precision["0.75"] == 0.5
    assert found["video, called"] == measure_segments(rows, called)["video"]
    assert "video, called" not in measure_segments(rows, called)
