from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from seamline.evaluation.cross_set import measure_cross_set
from seamline.evaluation.curves import MOST_POINTS, curves_of
from seamline.evaluation.measures import Row, measures_of, risks_of


def rows(seed: int, count: int, *, source: str = "A", shift: float = 0.0) -> list[Row]:
    generator = np.random.default_rng(seed)
    found = []
    for i in range(count):
        fake = i % 3 == 0
        chance = float(np.clip(generator.normal(0.35 + 0.25 * fake + shift, 0.15), 0, 1).round(3))
        unsure = i % 10 == 7
        found.append(
            Row(source, "M" if fake else "", i // 2, fake, None if i % 10 == 3 else chance,
                called_fake=chance >= 0.6 and not unsure, inconclusive=unsure)
        )  # fmt: skip
    return found


def auc(chosen: list[Row]) -> float:
    kept = [(r.fake, r.probability) for r in chosen if r.probability is not None]
    return sk.roc_auc_score(*zip(*kept, strict=True))


def test_a_shift_between_sets_lowers_the_pooled_auc_and_not_the_mean():
    even = [*rows(0, 150, source="A"), *rows(1, 150, source="B")]
    moved = [*rows(0, 150, source="A"), *rows(1, 150, source="B", shift=0.3)]
    for every in (even, moved):
        found = measure_cross_set(every, 50)
        sets = [[r for r in every if r.source == s] for s in "AB"]
        assert found.mean_auc == pytest.approx(np.mean([auc(one) for one in sets]))
        assert found.pooled_auc == pytest.approx(auc(every))
        assert found.pooled_auc_interval.low < found.pooled_auc < found.pooled_auc_interval.high
    before, after = (measure_cross_set(every, 20) for every in (even, moved))
    assert after.mean_auc == pytest.approx(before.mean_auc, abs=0.02)  # clipped at 1
    assert after.pooled_auc < before.pooled_auc - 0.05


def test_sets_of_one_class_are_left_out_of_both_aucs():
    reals = [r for r in rows(2, 60, source="C") if not r.fake]
    two = [*rows(0, 60, source="A"), *rows(1, 60, source="B")]
    found = measure_cross_set([*two, *reals], 20)
    assert (found.sets, found.left_out) == (("A", "B"), ("C",))
    assert found.pooled_auc == pytest.approx(auc(two))
    assert measure_cross_set([*rows(0, 60), *reals], 20) is None


def test_roc_points_are_sklearns_without_the_points_on_straight_lines():
    every = rows(3, 120)
    kept = [r for r in every if r.probability is not None]
    false_rate, true_rate, _ = sk.roc_curve([r.fake for r in kept], [r.probability for r in kept])
    found = np.array(curves_of(every).roc)
    assert sk.auc(found[:, 0], found[:, 1]) == pytest.approx(auc(every))
    theirs = {(round(a, 9), round(b, 9)) for a, b in zip(false_rate, true_rate, strict=True)}
    assert {(round(a, 9), round(b, 9)) for a, b in found.tolist()} <= theirs
    assert len(found) < len(kept)


def test_reliability_bins_hold_all_scored_rows_and_their_true_shares():
    every = rows(4, 95)
    found = curves_of(every).reliability
    kept = sorted((r for r in every if r.probability is not None), key=lambda r: r.probability)
    assert sum(one.rows for one in found) == len(kept)
    first = kept[: found[0].rows]
    assert found[0].observed == pytest.approx(sum(r.fake for r in first) / len(first))
    assert found[0].predicted == pytest.approx(sum(r.probability for r in first) / len(first))


def test_risk_over_coverage_is_a_naive_loop_and_leaves_the_inconclusive_uncovered():
    every = rows(5, 100)
    judged = [r for r in every if r.probability is not None and not r.inconclusive]
    judged.sort(key=lambda r: -(r.probability if r.called_fake else 1 - r.probability))
    wrong = [r.called_fake != r.fake for r in judged]
    risks = risks_of(every)
    sureness = [r.probability if r.called_fake else 1 - r.probability for r in judged]
    for n in range(1, len(judged)):
        if sureness[n - 1] > sureness[n]:  # between ties nothing says who comes first
            assert risks[n - 1] == pytest.approx(sum(wrong[:n]) / n)
    measured = measures_of(every, 20)
    assert measured.judged == pytest.approx(len(judged) / 100)
    assert measured.risk == pytest.approx(sum(wrong) / len(judged))
    assert measured.aurc == pytest.approx(risks.mean())
    curve = curves_of(every).risk_coverage
    assert curve[-1] == pytest.approx((len(judged) / 100, measured.risk))
    assert curve[0][0] == pytest.approx(1 / 100)


def test_perfect_sureness_has_the_least_area_and_the_reverse_the_most():
    def area(order: list[bool]) -> float:
        calls = [
            Row("", "", i, True, 0.9 - i / 100, called_fake=right) for i, right in enumerate(order)
        ]
        return measures_of(calls, 10).aurc

    right = [True] * 8
    assert area(right) == 0.0
    # A missed fake is called real at one minus its probability: unsure here, so it comes last.
    assert area([True] * 6 + [False] * 2) == pytest.approx((1 / 7 + 2 / 8) / 8)


def test_long_curves_are_thinned_and_keep_their_ends():
    found = curves_of(rows(6, 3000))
    assert len(found.roc) <= MOST_POINTS
    assert len(found.risk_coverage) <= MOST_POINTS
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_rows_without_a_score_give_empty_curves():
    found = curves_of([Row("A", "", 0, False, None, called_fake=False)])
    assert (found.roc, found.reliability, found.risk_coverage) == ((), (), ())
