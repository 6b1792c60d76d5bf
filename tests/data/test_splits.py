from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.data.manifest import Sample, read_manifest
from seamline.data.splits import folds_by_identity, identity_groups, split_by_identity


@st.composite
def collections(draw):
    """Samples over few people, so that swaps tie them into chains; some name nobody."""
    samples = []
    for number in range(draw(st.integers(1, 40))):
        people = draw(st.lists(st.integers(0, 25), max_size=2))
        extra = {}
        if number and draw(st.booleans()):
            extra = {"original": f"{draw(st.integers(0, number - 1))}.mp4"}
        samples.append(
            Sample(
                f"{number}.mp4",
                draw(st.sampled_from(["video", "audio"])),
                label=draw(st.sampled_from(["real", "fake"])),
                person="+".join(f"p{p}" for p in people),
                extra=extra,
            )
        )
    return samples


def reachable(samples: list[Sample]) -> list[set[int]]:
    """A naive truth: grows each sample's set of relatives until nothing is added."""

    def related(a: Sample, b: Sample) -> bool:
        files = [{str(s.path), s.extra.get("original")} - {None} for s in (a, b)]
        return bool(set(a.people) & set(b.people)) or bool(files[0] & files[1])

    sets = [{i} for i in range(len(samples))]
    changed = True
    while changed:
        changed = False
        for i in range(len(samples)):
            for j in range(len(samples)):
                if sets[i] != sets[j] and any(related(samples[k], samples[j]) for k in sets[i]):
                    joined = sets[i] | sets[j]
                    for k in joined:
                        sets[k] = joined
                    changed = True
    return sets


@given(collections())
@settings(max_examples=40)
def test_groups_are_the_connected_components(samples):
    groups, truth = identity_groups(samples), reachable(samples)
    for i in range(len(samples)):
        assert {j for j in range(len(samples)) if groups[j] == groups[i]} == truth[i]


@given(collections(), st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(max_examples=80)
def test_no_person_is_on_two_sides(samples, seed, k):
    count = len(set(identity_groups(samples)))
    fractions = {f"side{i}": 1 / k for i in range(k)}
    if count < k:
        with pytest.raises(ValueError, match=f"form {count} groups"):
            split_by_identity(samples, fractions, np.random.default_rng(seed))
        return
    split = split_by_identity(samples, fractions, np.random.default_rng(seed))
    folds = folds_by_identity(samples, k, np.random.default_rng(seed))
    assert {sample.split for sample in split} == set(fractions)  # none is left empty
    assert set(folds) == set(range(k))
    assert [s.path for s in split] == [s.path for s in samples]
    for sides in ([s.split for s in split], folds):
        side_of: dict[str, object] = {}
        for sample, side in zip(samples, sides, strict=True):
            for name in (*sample.people, sample.path, sample.extra.get("original")):
                if name is not None:
                    assert side_of.setdefault(name, side) == side


def test_shares_are_met_within_each_kind_and_label():
    samples = [
        Sample(f"{i}", "video", label="real" if i % 4 else "fake", person=f"p{i // 3}")
        for i in range(600)
    ]
    split = split_by_identity(samples, {"train": 0.7, "val": 0.2, "test": 0.1},
                              np.random.default_rng(0))  # fmt: skip
    for label in ("real", "fake"):
        ours = [s.split for s in split if s.label == label]
        for name, share in (("train", 0.7), ("val", 0.2), ("test", 0.1)):
            assert ours.count(name) / len(ours) == pytest.approx(share, abs=0.02)


def test_the_seed_alone_decides():
    samples = [Sample(f"{i}", "video", person=f"p{i}") for i in range(50)]
    first, again, other = (
        folds_by_identity(samples, 5, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    assert first == again != other


def test_wrong_shares_are_refused():
    samples = [Sample("a", "video"), Sample("b", "video")]
    with pytest.raises(ValueError, match="sum to 1"):
        split_by_identity(samples, {"train": 0.8, "val": 0.1}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 2 folds"):
        folds_by_identity(samples, 1, np.random.default_rng(0))


@pytest.mark.real_clips
def test_the_splits_of_the_research_pictures_share_no_person():
    path = Path(__file__).parents[3] / "shared" / "data" / "manifest.csv"
    if not path.exists():
        pytest.skip("the research clips are not beside the checkout")
    samples = [sample for sample in read_manifest(path) if sample.kind != "audio"]
    side_of: dict[int, str] = {}
    for sample, group in zip(samples, identity_groups(samples), strict=True):
        assert side_of.setdefault(group, sample.split) == sample.split, sample.path
