"""The rule that turns the scores of the senses into one label and one number.

In: the senses' scores, the bundle's thresholds, whether a sense met evidence that its model does
not know. Out: the label, the file's probability, and a warning where ``real`` rests on one sense.
"""

from __future__ import annotations

from dataclasses import dataclass

from seamline.scoring.verdict import Label, SenseScore, SyncScore

BESIDE_ANOTHER = 0.5
"""Probability from which a sense joins another one that calls a fake: whichever is likelier."""


@dataclass(frozen=True)
class Thresholds:
    """The probability from which each sense calls a fake; a bundle carries its own."""

    video: float = 0.5
    audio: float = 0.5


def decide(
    video: SenseScore,
    audio: SenseScore,
    thresholds: Thresholds,
    *,
    video_out_of_range: bool = False,
    audio_out_of_range: bool = False,
) -> tuple[Label, float | None]:
    """Makes the label and the file's probability from the senses that were examined.

    A sense calls a fake when its probability reaches its threshold; one that was not examined, or
    whose evidence is out of the model's range, never does. Thresholds spare genuine files; once one
    sense calls a fake, none is at stake, and the other joins it from `BESIDE_ANOTHER` on.

    With no fake called, out-of-range evidence leaves the file inconclusive (and without a
    probability) rather than real: a genuine voice does not clear a picture that the model cannot
    judge. That holds also for a sense without a score whose evidence was there, but too poor.
    """
    senses = [
        (video.fake_probability, thresholds.video, video_out_of_range),
        (audio.fake_probability, thresholds.audio, audio_out_of_range),
    ]
    judged = [p for p, _, out in senses if p is not None and not out]
    called = any(p is not None and not out and p >= threshold for p, threshold, out in senses)
    unsure = any(out for _, _, out in senses)
    if called:
        fake_video, fake_audio = (
            p is not None and not out and p >= min(threshold, BESIDE_ANOTHER)
            for p, threshold, out in senses
        )
        label: Label = "fake_video" if fake_video else "fake_audio"
        return ("fake_both" if fake_video and fake_audio else label), max(judged)
    if unsure or not judged:
        return "inconclusive", None
    return "real", max(judged)


def decide_pair(
    video: SenseScore,
    audio: SenseScore,
    fake_probability: float,
    threshold: float,
    *,
    out_of_range: bool = False,
) -> tuple[Label, float | None]:
    """Makes the label and the file's probability from one judgement of both senses together.

    That judgement tells whether the file is fake; the senses, each judged with the other hidden,
    tell which: those that reach the threshold, or else the likelier one.
    """
    if out_of_range:
        return "inconclusive", None
    if fake_probability < threshold:
        return "real", fake_probability
    alone = [-1.0 if s.fake_probability is None else s.fake_probability for s in (video, audio)]
    if min(alone) >= threshold:
        return "fake_both", fake_probability
    return "fake_video" if alone[0] >= alone[1] else "fake_audio", fake_probability


def with_sync(
    label: Label, fake_probability: float | None, sync: SyncScore, *, accuses: bool
) -> tuple[Label, float | None]:
    """Adds what the synchrony says: a sure mismatch makes a `real` file `fake_video`.

    That is what a lip-sync forgery is. Dubbing and another voice laid over a genuine speaker look
    the same to this sense, which is why it needs more to accuse than the others, changes no other
    label, and why no match, however good, clears a file.
    """
    if not accuses or label != "real" or sync.fake_probability is None:
        return label, fake_probability
    return "fake_video", max(sync.fake_probability, fake_probability or 0.0)


def gap_warnings(label: Label, video: SenseScore, audio: SenseScore) -> list[str]:
    """Says which sense a ``real`` verdict rests on when the other one was not examined."""
    if label != "real":
        return []
    if video.fake_probability is None:
        return [f"only the voice was examined; the picture was not: {video.reason}"]
    if audio.fake_probability is None:
        return [f"only the picture was examined; the voice was not: {audio.reason}"]
    return []
