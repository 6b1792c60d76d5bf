"""Self-blends: change the face inside the mask, nothing where the mask is zero."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.data.self_blend import (
    REGIONS,
    change_view,
    mix,
    region_mask,
    self_blend,
    subtle_view,
)
from seamline.faces.align import TEMPLATE, TIGHT_CENTRE, TIGHT_SIDE

SIDE = 256
MARKS = (TEMPLATE - TIGHT_CENTRE + TIGHT_SIDE * 1.7 / 2) * SIDE / (TIGHT_SIDE * 1.7)


def picture(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    coarse = generator.integers(40, 216, (16, 16, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))


@pytest.mark.parametrize("region", list(REGIONS))
def test_a_mask_lies_on_its_part_of_the_face(region: str) -> None:
    eyes, mouth = MARKS[:2].mean(axis=0), MARKS[3:].mean(axis=0)
    inside = []
    for seed in range(20):
        mask = region_mask((SIDE, SIDE), MARKS, region, np.random.default_rng(seed))
        assert mask.dtype == np.float32
        assert mask.min() >= 0 and 0.2 < mask.max() <= 1.0  # noqa: PT018
        assert mask[:8].max() < 0.2 and mask[-8:].max() < 0.2  # noqa: PT018
        at = [mask[round(y), round(x)] / mask.max() for x, y in (eyes, mouth)]
        inside.append(at)
    on_eyes, on_mouth = np.mean(inside, axis=0)
    assert on_mouth > 0.6
    assert (on_eyes > 0.6) == (region in ("face", "inner"))


def test_blending_leaves_what_the_mask_leaves() -> None:
    kept, pasted = picture(1), picture(2)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[100:150, 100:150] = 0.5
    mixed = mix(pasted, kept, mask)
    assert (mixed[mask == 0] == kept[mask == 0]).all()
    expected = (kept[mask > 0].astype(float) + pasted[mask > 0]) / 2
    assert np.abs(mixed[mask > 0] - expected).max() <= 1.0


def test_every_blend_differs_where_its_mask_says_so() -> None:
    crop = picture()
    for seed in range(50):
        blend = self_blend(crop, MARKS, np.random.default_rng(seed))
        assert blend.fake.shape == crop.shape
        assert blend.fake.dtype == np.uint8
        assert blend.mask.max() > 0.15
        assert (blend.fake != crop).any()


def test_the_same_generator_makes_the_same_blend() -> None:
    crop = picture()
    first, second = (self_blend(crop, MARKS, np.random.default_rng(7)) for _ in range(2))
    assert (first.fake == second.fake).all()
    assert (first.mask == second.mask).all()


def test_a_changed_view_is_near_the_original_but_not_it() -> None:
    crop = picture()
    for seed in range(20):
        view = change_view(crop, np.random.default_rng(seed))
        difference = np.abs(view.astype(int) - crop).mean()
        assert 0.5 < difference < 60


def test_a_subtle_view_seldom_has_other_colours() -> None:
    crop = picture()
    shifts = []
    for seed in range(60):
        view = subtle_view(crop, np.random.default_rng(seed))
        assert (view != crop).any()
        shifts.append(np.abs(view.mean(axis=(0, 1)) - crop.mean(axis=(0, 1))).max())
    always = [
        np.abs(change_view(crop, np.random.default_rng(s)).mean(axis=(0, 1)) - crop.mean((0, 1)))
        for s in range(60)
    ]
    assert np.mean(np.array(shifts) < 2) > 0.25
    assert np.median(shifts) < np.median(np.max(always, axis=1)) / 2


def test_a_region_that_is_asked_for_is_blended() -> None:
    crop, eyes = picture(), MARKS[:2].mean(axis=0)
    for seed in range(10):
        blend = self_blend(crop, MARKS, np.random.default_rng(seed), "mouth")
        assert blend.mask[round(eyes[1]), round(eyes[0])] < 0.2


def test_an_unknown_region_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown face region 'ear'\. Known: face, inner"):
        region_mask((SIDE, SIDE), MARKS, "ear", np.random.default_rng(0))
