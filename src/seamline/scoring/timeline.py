"""Puts logits of moments or spans onto even steps of time, and finds the stretches that are fake.

In: logits with their seconds on the file's clock. Out: one logit a step (None where nothing was
examined), probabilities for the verdict's timeline, and its segments.

    spans      |-- 1.2 --|-- 0.4 --|
    steps    |     |     |     |     |     step k covers [k * step, (k + 1) * step)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from seamline.scoring.calibration import Calibration
from seamline.scoring.pool import pool_logits
from seamline.scoring.verdict import Modality, Segment

STEP_SECONDS = 1.0
LONGEST_GAP_STEPS = 1
"""A single quiet or unseen step inside a fake stretch does not cut it in two."""
_SLIVER_SECONDS = 1e-6  # rounding alone makes a span touch its neighbour's step by so much

EDGE_REACH_STEPS = 1
"""How far a segment's edge moves to where the finer logits put it."""
EDGE_SHARE = 0.5
"""An edge lies half-way down from the segment's level to the rest's, as of a blurred edge."""
EDGE_BRIDGED = 2
"""Finer steps below that level that an edge passes over when the next one is above."""

StepLogits = tuple[float | None, ...]


@dataclass(frozen=True)
class FineLogits:
    """The logits behind a row of steps, in order of time; each covers ``seconds``."""

    starts: Shaped[np.ndarray, " time"]
    logits: Shaped[np.ndarray, " time"]
    seconds: float


def step_count(duration_seconds: float | None, step_seconds: float = STEP_SECONDS) -> int:
    """Counts the steps that cover a file; a photo, or a file of unknown length, has one."""
    return max(1, math.ceil(((duration_seconds or 0.0) - _SLIVER_SECONDS) / step_seconds))


def step_logits(
    start_seconds: Shaped[np.ndarray, " time"] | Sequence[float],
    logits: Shaped[np.ndarray, " time"] | Sequence[float],
    duration_seconds: float | None,
    *,
    stop_seconds: Shaped[np.ndarray, " time"] | Sequence[float] | None = None,
    step_seconds: float = STEP_SECONDS,
    sharpness: float = 1.0,
) -> StepLogits:
    """Pools logits into steps of time; None marks a step in which nothing was examined.

    Without ``stop_seconds`` each logit belongs to one moment and so to one step. With it, a logit
    covers ``[start, stop)`` and counts in every step by the share that it covers. What lies beyond
    the ends of the file (timestamps are not always true) counts in its first or last step.
    """
    starts = np.asarray(start_seconds, dtype=np.float64)
    values = np.asarray(logits, dtype=np.float64)
    stops = starts if stop_seconds is None else np.asarray(stop_seconds, dtype=np.float64)
    if not starts.shape == values.shape == stops.shape or starts.ndim != 1:
        raise ValueError(
            f"{starts.shape} starts, {stops.shape} stops and {values.shape} logits do not match"
        )
    if (stops < starts).any():
        raise ValueError("a span stops before it starts")
    steps = step_count(duration_seconds, step_seconds)
    weights: list[dict[int, float]] = [{} for _ in range(steps)]
    for index, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        for step, weight in _shares(start, stop, steps, step_seconds):
            weights[step][index] = weight
    return tuple(
        pool_logits(values[list(inside)], sharpness, np.array(list(inside.values())))
        if inside
        else None
        for inside in weights
    )


def _shares(start: float, stop: float, steps: int, step_seconds: float) -> list[tuple[int, float]]:
    """Lists the steps that a span touches, each with the seconds that it covers there."""
    if stop - start <= _SLIVER_SECONDS:
        step = math.floor((start + _SLIVER_SECONDS) / step_seconds)
        return [(min(max(step, 0), steps - 1), 1.0)]
    shares: dict[int, float] = {}
    last = math.ceil((stop - _SLIVER_SECONDS) / step_seconds)
    for step in range(math.floor((start + _SLIVER_SECONDS) / step_seconds), last):
        covered = min(stop, (step + 1) * step_seconds) - max(start, step * step_seconds)
        place = min(max(step, 0), steps - 1)
        shares[place] = shares.get(place, 0.0) + covered
    return list(shares.items())


def loudest(tracks: Sequence[StepLogits]) -> StepLogits:
    """Takes, step by step, the highest logit of several tracks: one fake face makes a fake step."""
    if len({len(track) for track in tracks}) > 1:
        raise ValueError(f"tracks have {sorted({len(t) for t in tracks})} steps: one length needed")
    merged: list[float | None] = []
    for step in zip(*tracks, strict=True):
        present = [logit for logit in step if logit is not None]
        merged.append(max(present) if present else None)
    return tuple(merged)


def step_probabilities(logits: StepLogits, calibration: Calibration) -> tuple[float | None, ...]:
    """Calibrates each step of a timeline."""
    return tuple(None if x is None else calibration.probability(x) for x in logits)


def find_segments(
    logits: StepLogits,
    calibration: Calibration,
    threshold: float,
    *,
    modality: Modality,
    track: int | None = None,
    duration_seconds: float | None = None,
    step_seconds: float = STEP_SECONDS,
    sharpness: float = 1.0,
    fine: FineLogits | None = None,
) -> list[Segment]:
    """Finds contiguous stretches whose probability reaches the threshold.

    Gaps of one step are bridged. A segment's probability pools the steps that made it a segment,
    so it never falls below the threshold; the end is cut at the file's end. With the ``fine``
    logits behind the steps, each edge moves, by a step at most, to where they fall half-way.
    """
    end_seconds = duration_seconds or len(logits) * step_seconds
    segments = []
    for run in _runs(step_probabilities(logits, calibration), threshold):
        pooled = pool_logits(np.array([logits[step] for step in run], dtype=np.float64), sharpness)
        assert pooled is not None  # a run has at least one step
        segment = Segment(
            modality=modality,
            track=track,
            start_seconds=run[0] * step_seconds,
            stop_seconds=min((run[-1] + 1) * step_seconds, end_seconds),
            fake_probability=calibration.probability(pooled),
        )
        reach = EDGE_REACH_STEPS * step_seconds
        segments.append(segment if fine is None else _sharpened(segment, fine, reach, end_seconds))
    return segments


def _sharpened(segment: Segment, fine: FineLogits, reach: float, end_seconds: float) -> Segment:
    """Moves a segment's edges to where the finer logits fall half-way to the rest's level."""
    middles = fine.starts + fine.seconds / 2
    inside = (middles >= segment.start_seconds) & (middles < segment.stop_seconds)
    rest = (middles < segment.start_seconds - reach) | (middles >= segment.stop_seconds + reach)
    if not inside.any() or not rest.any():
        return segment
    level, base = float(fine.logits[inside].mean()), float(np.median(fine.logits[rest]))
    if level <= base:
        return segment
    above = fine.logits >= base + EDGE_SHARE * (level - base)
    first, last = (int(end) for end in np.flatnonzero(inside)[[0, -1]])
    near = (middles >= segment.start_seconds - reach) & (middles < segment.stop_seconds + reach)
    first = _edge(above, near, middles, first, -1, reach)
    last = _edge(above, near, middles, last, 1, reach)
    if last < first:
        return segment
    start, stop = float(fine.starts[first]), float(fine.starts[last]) + fine.seconds
    return replace(segment, start_seconds=max(0.0, start), stop_seconds=min(stop, end_seconds))


def _edge(
    above: Shaped[np.ndarray, " time"],
    near: Shaped[np.ndarray, " time"],
    middles: Shaped[np.ndarray, " time"],
    place: int,
    outwards: int,
    reach: float,
) -> int:
    """Walks from a segment's first or last fine step: outwards while above, else inwards."""
    from_seconds = middles[place]
    while not above[place]:
        inner = place - outwards
        if not 0 <= inner < len(above) or abs(middles[inner] - from_seconds) >= reach:
            return place
        place = inner
    if middles[place] != from_seconds:
        return place
    while True:
        ahead = [place + outwards * step for step in range(1, EDGE_BRIDGED + 2)]
        found = [i for i in ahead if 0 <= i < len(above) and near[i] and above[i]]
        if not found:
            return place
        place = found[0]


def _runs(probabilities: Sequence[float | None], threshold: float) -> list[list[int]]:
    """Groups the steps at or above the threshold, bridging short gaps between them."""
    runs: list[list[int]] = []
    for step, probability in enumerate(probabilities):
        if probability is None or probability < threshold:
            continue
        if runs and step - runs[-1][-1] <= LONGEST_GAP_STEPS + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    return runs
