"""What counts in a crop's logit beside the network's own: its mask and its fine detail."""

import cv2
import numpy as np
import pytest

from seamline.scoring.crop_logits import LEAST_DETAIL, CropWeights, fine_detail, weigh_crops

NOISE = np.random.default_rng(5).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
LOGITS = np.array([1.0, -2.0], np.float32)
MASKS = np.stack([np.full((4, 4), -3.0), np.arange(16.0).reshape(4, 4)]).astype(np.float32)


def test_by_themselves_logits_stay_as_they_are():
    assert weigh_crops(LOGITS, MASKS, NOISE, CropWeights()).tolist() == [1.0, -2.0]


def test_the_highest_mask_logit_makes_up_its_share():
    weighed = weigh_crops(LOGITS, MASKS, NOISE, CropWeights(mask_share=0.25))
    assert weighed == pytest.approx([0.75 * 1.0 + 0.25 * -3.0, 0.75 * -2.0 + 0.25 * 15.0])


def test_a_soft_crop_needs_more_to_look_forged():
    soft = np.stack([cv2.GaussianBlur(crop, (0, 0), 2.0) for crop in NOISE])
    weights = CropWeights(detail_weight=0.5)
    sharp_logits, soft_logits = (
        weigh_crops(LOGITS, MASKS, crops, weights) for crops in (NOISE, soft)
    )
    lost = 0.5 * np.log(fine_detail(NOISE[0]) / fine_detail(soft[0]))
    assert sharp_logits[0] - soft_logits[0] == pytest.approx(lost)
    assert lost > 1.0


def test_detail_is_that_of_the_middle_and_a_flat_crop_has_the_least():
    crop = np.zeros((64, 64, 3), np.uint8)
    assert fine_detail(crop) == LEAST_DETAIL
    crop[:16] = NOISE[0][:16]
    assert fine_detail(crop) == LEAST_DETAIL
    crop[16:48, 16:48] = NOISE[0][16:48, 16:48]
    assert fine_detail(crop) == pytest.approx(fine_detail(NOISE[0]))
