"""Chooses the seconds that a spliced fake forges: where something is seen or heard in, spans out.

Spans are half-open ``(start, stop)`` in seconds on the file's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Span = tuple[float, float]

SPAN_SECONDS = (1.0, 3.0)
LEAST_SPLICED_SECONDS = 2.0  # of a clip: a span of a second, and as much left genuine
SECONDS_PER_SPAN = 8.0
LEAST_GIVEN_SECONDS = 0.2  # shorter, the faded borders would meet
LEAST_BETWEEN_SECONDS = 0.3  # closer spans could not be told from one in the masks


def draw_spans(
    seconds: float,
    generator: np.random.Generator,
    present: Sequence[Sequence[Span]],
) -> list[Span]:
    """Draw one span of 1 to 3 s in about every 8 s, where most is present.

    ``present`` holds for each thing that is forged (a voice, a face) the spans in which it is
    there; a span is placed where least of any of them is missing.
    """
    if seconds < LEAST_SPLICED_SECONDS:
        raise ValueError(
            f"a splice needs {LEAST_SPLICED_SECONDS:g} s at least, found {seconds:.2f} s"
        )
    slots = max(1, int(seconds / SECONDS_PER_SPAN))
    slot_seconds = seconds / slots
    spans = []
    for slot in range(slots):
        length = float(generator.uniform(SPAN_SECONDS[0], min(SPAN_SECONDS[1], slot_seconds / 2)))
        starts = slot * slot_seconds + generator.uniform(0, slot_seconds - length, 16)
        overlaps = [
            min((overlap(spans_of, (start, start + length)) for spans_of in present), default=0.0)
            for start in starts
        ]
        start = float(starts[int(np.argmax(overlaps))])
        spans.append((start, start + length))
    return [span for i, span in enumerate(spans) if i == 0 or _clear(spans[i - 1], span)]


def check_spans(spans: Sequence[Span]) -> None:
    """Refuse given spans that are too short, too close, or not in order."""
    for start, stop in spans:
        if start < 0 or stop - start < LEAST_GIVEN_SECONDS:
            raise ValueError(
                f"A span must start at 0 s or later and last {LEAST_GIVEN_SECONDS:g} s at least, "
                f"found {start:g}-{stop:g}."
            )
    for before, after in pairwise(spans):
        if not _clear(before, after):
            raise ValueError(
                f"Spans must be in order, {LEAST_BETWEEN_SECONDS:g} s apart at least, found "
                f"{before[0]:g}-{before[1]:g} and {after[0]:g}-{after[1]:g}."
            )


def parse_spans(text: str) -> list[Span]:
    """Read ``3.5-5,8-9.25``; raises `ValueError`."""
    spans = []
    for part in text.split(","):
        start, dash, stop = part.strip().partition("-")
        try:
            spans.append((float(start), float(stop)))
        except ValueError:
            raise ValueError(
                f"A span is START-STOP in seconds, as in 3.5-5 (several: 3.5-5,8-9.25); found "
                f"{part.strip()!r}."
            ) from None
        assert dash
    check_spans(spans)
    return spans


def within(spans: Sequence[Span], seconds: float) -> list[Span]:
    """Cut spans at a clip's end; what is left of under 0.2 s is dropped."""
    cut = [(start, min(stop, seconds)) for start, stop in spans]
    return [(start, stop) for start, stop in cut if stop - start >= LEAST_GIVEN_SECONDS]


def overlap(spans: Sequence[Span], span: Span) -> float:
    """Give how many seconds of a span lie in others that do not overlap among themselves."""
    return sum(max(0.0, min(span[1], b) - max(span[0], a)) for a, b in spans)


def _clear(before: Span, after: Span) -> bool:
    return after[0] - before[1] >= LEAST_BETWEEN_SECONDS
