"""Lays the sound of training clips to their mouths: a bundle that hears the lag in, entries out.

Recordings of telephones and webcams are often 0.1 s out of step, and in films of people somebody
else may be heard. A network that learns which sound belongs to a moment is taught the wrong moment
by the former and nothing by the latter (Chung & Zisserman, "Out of time", ACCV 2016, clean their
data alike).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seamline.clips.contract import CropContract
from seamline.data.mouth_augment import plain_mouths
from seamline.models.sync_net import COLUMNS_PER_STEP
from seamline.scoring.synchrony import STEP_SECONDS, fit_of, offset_likeness
from seamline.training.sync_pairs import SyncEntry, mel_of
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model

LEAST_STEPS = 50
"""A shorter stretch says too little of its lag: 2 s."""
LEAST_MARGIN = 0.5
"""By which, as a logit, some natural lag must fit better than every unnatural one."""


def laid_together(entries: Sequence[SyncEntry], teacher: str, cut: CropContract) -> list[SyncEntry]:
    """Move each entry's sound by the lag that the bundle finds; leave out what fits nowhere.

    Entries of less than two seconds stay as they are.
    """
    bundle = Bundle.load(find_model(teacher), threads=1)
    mouth = bundle.contract.mouth
    if mouth is None or cut.mouth is None or "sync" not in bundle.branches:
        raise ValueError(f"sync_teacher {teacher!r} has no sync branch. Name a bundle with one.")
    laid = []
    for entry in entries:
        if entry.steps < LEAST_STEPS:
            laid.append(entry)
            continue
        crops = plain_mouths(entry.mouths, stored_margin=cut.mouth.margin, size_px=mouth.size_px)
        seen, heard = bundle.embed_sync(crops, mel_of(entry, 0, entry.steps))
        fit = fit_of(offset_likeness(seen, heard[: len(seen)]))
        if fit is not None and fit.logit <= -LEAST_MARGIN:
            laid.append(moved_by(entry, round(fit.offset_seconds / STEP_SECONDS)))
    return laid


def moved_by(entry: SyncEntry, lag_steps: int) -> SyncEntry:
    """Cut an entry so that sound which comes late by ``lag_steps`` comes with its mouth."""
    mouths = entry.mouths[max(0, -lag_steps) : entry.steps - max(0, lag_steps)]
    first = max(0, lag_steps) * COLUMNS_PER_STEP
    columns = slice(first, first + len(mouths) * COLUMNS_PER_STEP + 1)
    return replace(entry, mouths=mouths, log_mel=entry.log_mel[:, columns])
