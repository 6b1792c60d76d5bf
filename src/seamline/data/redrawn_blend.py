"""Redrawn faces: a genuine face, or the same face a moment away, drawn anew and blended in.

A self-blend differs from its original by what an editor does to it: colours, sharpness, a seam.
Most forgeries were drawn by a network, whose traces they carry, and one that re-enacts or re-voices
somebody shows the same face with another moment's expression. Crops and landmarks in, blend and
mask out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from seamline.data.cross_blend import lay_over, match_colours, whole_mask
from seamline.data.self_blend import Blend, Image, mix, region_mask, subtle_view

REGION_WEIGHTS = {"face": 0.3, "inner": 0.2, "lower": 0.2, "mouth": 0.3}
EDITED_SHARE = 0.3  # of what a network drew; what none drew is always edited
MATCHED_SHARE = 0.7  # take on the colours of what they cover


def redrawn_blend(
    crop: Image,
    landmarks: Float[np.ndarray, "5 2"],
    moment: tuple[Image, Float[np.ndarray, "5 2"]] | None,
    redraw: Callable[[Image, np.random.Generator], Image] | None,
    generator: np.random.Generator,
) -> Blend:
    """Blend a redrawn view of the crop into it; the mask is in 0..1, float32.

    ``moment`` is another crop of the same person with its landmarks, laid over this one's; None
    takes the crop itself. ``redraw`` draws a picture anew; None leaves that to an editor.
    """
    region = str(generator.choice(list(REGION_WEIGHTS), p=list(REGION_WEIGHTS.values())))
    mask = whole_mask(region_mask(crop.shape[:2], landmarks, region, generator))
    pasted = crop if moment is None else lay_over(*moment, crop, landmarks)
    if redraw is not None:
        pasted = redraw(pasted, generator)
    if redraw is None or generator.random() < EDITED_SHARE:
        pasted = subtle_view(pasted, generator)
    if generator.random() < MATCHED_SHARE:
        pasted = match_colours(pasted, crop, mask)
    return Blend(mix(pasted, crop, mask), mask)
