"""Chooses which samples are seen: a table in, as many genuine samples as fakes out.

A model that always answers "fake" is right on 84 % of the Deepfake Detection Challenge; on a
balanced table it is right half of the time and has to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from seamline.data.manifest import Sample


def sample_balanced(
    samples: Sequence[Sample],
    generator: np.random.Generator,
    *,
    per_class: int | None = None,
    label_of: Callable[[Sample], str] = lambda sample: sample.label,
    within: Callable[[Sample], str] | None = None,
) -> list[Sample]:
    """Draw as many samples of each label, without repeating one; in the table's order.

    ``per_class`` is how many of each (default: all of the rarest). ``label_of`` reads the label,
    such as ``lambda sample: sample.voice_truth``; samples without one are left out. With ``within``
    every group that it names, such as a method or a split, gets its even share of each label's
    draw as far as its size allows.
    """
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if label := label_of(sample):
            by_label[label].append(index)
    if len(by_label) < 2:
        found = ", ".join(by_label) or "none"
        raise ValueError(f"a balanced draw needs two labels at least, found {found}")
    least = min(len(members) for members in by_label.values())
    if per_class is not None and not 0 < per_class <= least:
        raise ValueError(
            f"per_class is {per_class}, but the rarest label has {least} samples; "
            f"give a number from 1 to {least}"
        )
    chosen: list[int] = []
    for label in sorted(by_label):
        groups: dict[str, list[int]] = defaultdict(list)
        for index in by_label[label]:
            groups[within(samples[index]) if within else ""].append(index)
        shuffled = [list(generator.permutation(groups[name])) for name in sorted(groups)]
        chosen += _deal_round(shuffled, per_class or least)
    return [samples[index] for index in sorted(chosen)]


def _deal_round(piles: list[list[int]], count: int) -> list[int]:
    """Take from the piles in turn until ``count`` are taken; empty piles are passed over."""
    taken: list[int] = []
    depth = 0
    while len(taken) < count:
        for pile in piles:
            if depth < len(pile) and len(taken) < count:
                taken.append(int(pile[depth]))
        depth += 1
    return taken
