"""Puts a motion branch onto the scale of the picture branch that it adds to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seamline.scoring.branch import Branch

MOTION_WEIGHT = 1.0
"""What a motion branch's evidence counts beside the picture's (docs/results/motion.md)."""


def on_scale_of(motion: Branch, picture: Branch) -> Branch:
    """Let what motion adds be in units of the picture's raw logits."""
    return replace(motion, weight=MOTION_WEIGHT * picture.calibration.temperature)


def joined_rows(
    picture: Sequence[dict[str, Any]], motion: Sequence[dict[str, Any]], branch: Branch
) -> list[dict[str, Any]]:
    """Add to the picture's held-out rows what the motion branch says of the same files.

    Files that motion has not seen, such as photographs, stay as they are.
    """
    known: dict[str, list[float]] = defaultdict(list)
    for row in motion:
        known[row["path"]].append(branch.evidence(row["logit"]))
    return [
        {**row, "logit": row["logit"] + float(np.mean(known[row["path"]]))}
        if row["path"] in known
        else row
        for row in picture
    ]
