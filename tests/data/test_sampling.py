from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from seamline.data.manifest import Sample
from seamline.data.sampling import sample_balanced


def table() -> list[Sample]:
    fakes = [Sample(f"f{i}", "video", label="fake", method=m) for i, m in enumerate("aaaaaaaabbcc")]
    reals = [Sample(f"r{i}", "video", label="real") for i in range(6)]
    return [*fakes, *reals, Sample("u", "video")]


def draw(seed: int = 0, **options: object) -> list[Sample]:
    return sample_balanced(table(), np.random.default_rng(seed), **options)


def test_both_labels_are_drawn_equally_without_repeats_or_unlabelled_ones():
    drawn = draw()
    assert Counter(s.label for s in drawn) == {"fake": 6, "real": 6}
    assert len({s.path for s in drawn}) == 12
    assert Counter(s.label for s in draw(per_class=2)) == {"fake": 2, "real": 2}


def test_the_generator_alone_decides_and_every_fake_can_come():
    assert draw(seed=3) == draw(seed=3)
    assert draw(seed=3) != draw(seed=4)
    seen = {s.path for seed in range(40) for s in draw(seed=seed)}
    assert seen == {s.path for s in table() if s.label}


def test_groups_share_the_draw_evenly_as_far_as_they_go():
    drawn = draw(within=lambda s: s.method)
    assert Counter(s.method for s in drawn if s.label == "fake") == {"a": 2, "b": 2, "c": 2}
    many = [*table(), *(Sample(f"s{i}", "video", label="real") for i in range(4))]
    wide = sample_balanced(many, np.random.default_rng(0), within=lambda s: s.method)
    assert Counter(s.method for s in wide if s.label == "fake") == {"a": 6, "b": 2, "c": 2}


def test_another_label_can_be_balanced():
    voices = [
        Sample(f"{i}", "video", label="fake", audio_label="fake" if i < 3 else "real")
        for i in range(9)
    ]
    drawn = sample_balanced(
        voices, np.random.default_rng(0), label_of=lambda sample: sample.voice_truth
    )
    assert Counter(s.audio_label for s in drawn) == {"fake": 3, "real": 3}


def test_impossible_draws_are_refused():
    with pytest.raises(ValueError, match="needs two labels at least, found fake"):
        sample_balanced(table()[:3], np.random.default_rng(0))
    with pytest.raises(ValueError, match="per_class is 7, but the rarest label has 6 samples"):
        draw(per_class=7)
