"""Forged files in training: paired with their own scene, and blended into it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cache_factory import MARKS, STORE
from seamline.clips.cache import encode_jpeg
from seamline.training.config import TrainConfig
from seamline.training.pairs import Pair, PairDataset
from seamline.training.pool import FaceEntry, FacePool

SCENE, DRAWN = 90, 170


def entry(path: str, person: str, *, level: int, fake: bool = False, frames: int = 3) -> FaceEntry:
    """Frames of coarse noise."""
    generator = np.random.default_rng([fake, level])
    coarse = generator.integers(level - 30, level + 30, (frames, 12, 12, 3), dtype=np.uint8)
    pictures = list(coarse.repeat(8, axis=1).repeat(8, axis=2))
    method = "laid over" if fake else ""
    jpegs = tuple(encode_jpeg(picture) for picture in pictures)
    return FaceEntry(path, "here", method, person, fake, jpegs, np.stack([MARKS] * frames))


def test_a_forged_face_is_paired_with_the_scene_it_was_laid_into() -> None:
    laid = entry("c.mp4", "anna+ben", level=DRAWN, fake=True)
    people = [entry("a.mp4", "anna", level=SCENE), entry("b.mp4", "ben", level=SCENE)]
    generator = np.random.default_rng(0)
    told = FacePool([*people, laid])
    assert {told.genuine_for(generator, laid).person for _ in range(20)} == {"anna"}
    without = FacePool([people[1], entry("d.mp4", "dora", level=SCENE), laid])
    assert {without.genuine_for(generator, laid).person for _ in range(20)} == {"ben"}
    strangers = FacePool([entry("d.mp4", "dora", level=SCENE), laid])
    assert strangers.genuine_for(generator, laid).person == "dora"


def pairs(
    forged_person: str, share: float, *, frames: int = 3, cutout_share: float = 0.0
) -> list[PairDataset]:
    told = TrainConfig(
        size_px=64, steps_per_epoch=10, batch_size=8, self_blend_share=0.0,
        forged_blend_share=share, cutout_share=cutout_share,
    )  # fmt: skip
    forged = entry("c.mp4", forged_person, level=DRAWN, fake=True, frames=frames)
    pool = FacePool([entry("a.mp4", "anna", level=SCENE), forged])
    return [PairDataset(pool, told, store_margin=STORE.margin, epoch=0) for _ in range(2)]


@pytest.mark.parametrize("frames", [3, 2])
def test_it_is_blended_into_a_genuine_crop_of_that_scene(frames: int) -> None:
    drawn, again = pairs("anna+ben", 1.0, frames=frames)
    blended = [drawn[i] for i in range(len(drawn))]
    for place, pair in enumerate(blended):
        assert (pair.crops == again[place].crops).all()
        assert pair.masks[1].max() > 0.1
        assert pair.mask_known.tolist() == [1.0, 1.0]
    # Outside the mask the fake is its original, where no chain tells neighbours of each other.
    apart = np.stack([(p.crops[1] - p.crops[0]).abs().mean(0).numpy() for p in blended])
    inside = np.stack([np.kron(p.masks[1], np.ones((16, 16))) for p in blended])
    assert np.median(apart[inside > 0.5]) > 5 * np.median(apart[inside < 0.01]) + 5


def test_without_a_share_or_its_scene_it_is_shown_as_it_is() -> None:
    for person, share in (("anna+ben", 0.0), ("ben+anna", 1.0), ("", 1.0)):
        for pair in map(pairs(person, share)[0].__getitem__, range(8)):
            assert pair.mask_known.tolist() == [1.0, 0.0]
            assert pair.masks.max() == 0


def test_a_share_of_them_is_blended() -> None:
    some = pairs("anna+ben", 0.5)[0]
    known = [float(some[i].mask_known[1]) for i in range(len(some))]
    assert 0.25 < np.mean(known) < 0.75


def equal_parts(pair: Pair) -> np.ndarray:
    """Where both sides of a pair are the same."""
    return (pair.crops[0] == pair.crops[1]).all(dim=0).numpy()


def test_parts_of_both_sides_are_hidden_alike_and_count_as_genuine() -> None:
    shown, hidden = (
        [some[i] for i in range(len(some))]
        for some in (pairs("anna+ben", 0.0)[0], pairs("anna+ben", 0.0, cutout_share=1.0)[0])
    )
    assert max(equal_parts(pair).mean() for pair in shown) < 0.05
    assert 0.15 < np.mean([equal_parts(pair).mean() for pair in hidden]) < 0.6
    for pair in map(pairs("anna+ben", 1.0, cutout_share=1.0)[0].__getitem__, range(20)):
        same = equal_parts(pair).reshape(4, 16, 4, 16).all(axis=(1, 3))
        assert pair.masks[1][torch.from_numpy(same)].sum() < 1e-3  # a blend fades out
        assert pair.masks[1].max() > 0.01
