"""Splits samples so that a person, and every fake made from them, stays on one side.

In: samples that name their people (``a+b`` ties a and b together). Out: the same samples with
their ``split`` set, or a fold number for each. Persons are the nodes of a graph, files its edges;
its connected components are what may be dealt out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from seamline.data.manifest import Sample

_Stratum = tuple[str, str]  # kind and label: every side gets its share of each


def identity_groups(samples: Sequence[Sample]) -> list[int]:
    """Numbers the connected identities; samples of one number must not be separated.

    A sample without a person is tied to its own file, and to the file that an ``original`` column
    names, as fakes often do. A person's name means the same person in every source.
    """
    parents: dict[tuple[str, str], tuple[str, str]] = {}

    def top(node: tuple[str, str]) -> tuple[str, str]:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]  # halves the way for the next one
            node = parents[node]
        return node

    keys = [_keys(sample) for sample in samples]
    for first, *others in keys:
        for other in others:
            parents[top(other)] = top(first)
    numbers: dict[tuple[str, str], int] = {}
    return [numbers.setdefault(top(first), len(numbers)) for first, *_ in keys]


def _keys(sample: Sample) -> list[tuple[str, str]]:
    files = [
        str(sample.root / path) for path in (sample.path, sample.extra.get("original")) if path
    ]
    return [*(("person", name) for name in sample.people), *(("file", path) for path in files)]


def split_by_identity(
    samples: Sequence[Sample], fractions: Mapping[str, float], generator: np.random.Generator
) -> list[Sample]:
    """Gives each sample a split, in the shares of ``fractions``, never parting a person.

    ``{"train": 0.8, "val": 0.2}`` is met as closely as the sizes of the groups allow.
    """
    shares = np.array(list(fractions.values()), dtype=np.float64)
    if len(shares) == 0 or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(f"fractions must be above 0 and sum to 1, found {dict(fractions)}")
    names = list(fractions)
    sides = _deal(samples, shares, generator)
    return [replace(sample, split=names[side]) for sample, side in zip(samples, sides, strict=True)]


def folds_by_identity(
    samples: Sequence[Sample], k: int, generator: np.random.Generator
) -> list[int]:
    """Numbers each sample's fold, 0 to k - 1, for cross-validation over people."""
    if k < 2:
        raise ValueError(f"cross-validation needs at least 2 folds, found k = {k}")
    return _deal(samples, np.full(k, 1 / k), generator)


def _deal(
    samples: Sequence[Sample], shares: np.ndarray, generator: np.random.Generator
) -> list[int]:
    """Deals whole groups, largest first, each to the side that its kinds and labels need most."""
    groups = identity_groups(samples)
    count = max(groups, default=-1) + 1
    if count < len(shares):
        raise ValueError(
            f"{len(samples)} samples form {count} groups of connected people: "
            f"too few for {len(shares)} sides"
        )
    strata: dict[_Stratum, int] = {}
    contents: list[dict[int, int]] = [defaultdict(int) for _ in range(count)]
    for sample, group in zip(samples, groups, strict=True):
        stratum = strata.setdefault((sample.kind, sample.label), len(strata))
        contents[group][stratum] += 1
    totals = np.zeros(len(strata))
    for content in contents:
        for stratum, number in content.items():
            totals[stratum] += number
    filled = np.zeros((len(shares), len(strata)))
    order = generator.permutation(count)
    side_of = np.zeros(count, dtype=int)
    for place, group in enumerate(sorted(order, key=lambda g: -sum(contents[g].values()))):
        wanted = np.array([contents[group].get(s, 0) for s in range(len(strata))], dtype=np.float64)
        fullness = ((filled + wanted) / (shares[:, None] * totals)) @ (wanted / totals)
        empty = filled.sum(axis=1) == 0
        if count - place <= empty.sum():  # the last groups go where nothing is yet
            fullness[~empty] = np.inf
        side = int(np.argmin(fullness))
        side_of[group] = side
        filled[side] += wanted
    return [int(side_of[group]) for group in groups]
