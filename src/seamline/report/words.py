"""A verdict and its numbers in plain words: probabilities, times and sizes become short texts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from seamline.scoring.verdict import Label, SyncScore, Verdict

Tone = Literal["fake", "real", "unsure", "unread"]

SENSES = ("video", "audio", "sync")
SENSE_NAMES = {"video": "Picture", "audio": "Voice", "sync": "Synchrony"}

# (upper bound, word), after the IPCC's guidance note on uncertainty (Mastrandrea et al., 2010).
_LIKELIHOODS = (
    (0.01, "exceptionally unlikely"),
    (0.10, "very unlikely"),
    (0.33, "unlikely"),
    (0.66, "about as likely as not"),
    (0.90, "likely"),
    (0.99, "very likely"),
)
_MANIPULATED: dict[Label, str] = {
    "fake_video": "manipulated picture",
    "fake_audio": "manipulated voice",
    "fake_both": "manipulated picture and voice",
}

_APART = "lips and sound that do not belong together"
_ALIKE = "Dubbing, or another voice laid over a genuine speaker, looks the same."


@dataclass(frozen=True)
class Headline:
    """The verdict's one line, with the sentence below it; ``figure`` is None without a verdict."""

    tone: Tone
    title: str
    figure: str | None
    word: str | None
    sentence: str


def likelihood(probability: float) -> str:
    """The word for a probability."""
    for upper, word in _LIKELIHOODS:
        if probability < upper:
            return word
    return "almost certain"


def likelihood_scale() -> list[tuple[str, str]]:
    """(range, word) for each word of ``likelihood``, the highest first."""
    bounds = [0.0, *(upper for upper, _ in _LIKELIHOODS), 1.0]
    words = [word for _, word in _LIKELIHOODS] + ["almost certain"]
    ranges = [
        f"{round(100 * low)}\u2013{round(100 * high)}\u00a0%" for low, high in pairwise(bounds)
    ]
    return list(zip(ranges, words, strict=True))[::-1]


def percent(probability: float) -> str:
    """A probability as a figure; certainty is never claimed."""
    if probability < 0.01:
        return "under 1\u00a0%"
    if probability > 0.99:
        return "over 99\u00a0%"
    return f"{round(100 * probability)}\u00a0%"


def clock(seconds: float) -> str:
    """Minutes and seconds, ``1:05`` or ``1:05.3``, from an hour on ``1:02:05``."""
    tenths = round(10 * seconds)
    sign = "-" if tenths < 0 else ""
    whole, tenth = divmod(abs(tenths), 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{sign}{text}.{tenth}" if tenth else f"{sign}{text}"


def interval(start_seconds: float, stop_seconds: float) -> str:
    """A half-open interval as ``0:02–0:06``."""
    return f"{clock(start_seconds)}\u2013{clock(stop_seconds)}"


def seconds_text(seconds: float) -> str:
    """A length of time, ``8.5 s`` or ``2 min 5 s``; from a minute on in whole seconds."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}".removesuffix(".0") + "\u00a0s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    parts = ((hours, "h"), (minute, "min"), (second, "s"))
    return " ".join(f"{count}\u00a0{unit}" for count, unit in parts if count)


def bytes_text(size_bytes: int) -> str:
    """A file size with both the readable and the exact figure."""
    exact = f"{size_bytes:,} bytes".replace(",", "\u00a0")
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if size_bytes >= 1000**power:
            return f"{size_bytes / 1000**power:.1f}\u00a0{unit} ({exact})"
    return exact


def split_path(path: str, longest: int = 48) -> tuple[str, str]:
    """(name, folder) of a path; of a long folder only the end, which tells more."""
    cut = max(path.rfind("/"), path.rfind("\\")) + 1
    folder = path[:cut]
    return path[cut:] or path, folder if len(folder) <= longest else f"…{folder[-longest:]}"


def person_name(track: int) -> str:
    """What the page calls a track; the number is the one in the JSON verdict."""
    return f"Face {track}"


def reference_lines(verdict: Verdict) -> list[str]:
    """Says which genuine footage was given, and who was judged against it."""
    if verdict.reference is None:
        return []
    told = []
    for path in verdict.reference.paths:
        alike = [one for one in verdict.reference.people if one.reference == path]
        listed = ", ".join(
            f"{person_name(one.track).lower()} (likeness {one.similarity:.2f})" for one in alike
        )
        whom = f"judged against it: {listed}" if alike else "shows nobody of this file"
        told.append(f"{split_path(path)[0]}, {whom}")
    return told


def reasons(verdict: Verdict) -> list[tuple[str, str]]:
    """(sense, why) for each sense that was not examined."""
    found = []
    for sense in SENSES:
        score = getattr(verdict, sense)
        if score.fake_probability is None:
            found.append((SENSE_NAMES[sense], score.reason or "no reason was recorded"))
    return found


def headline(verdict: Verdict) -> Headline:
    """Says in one line what was found and how sure it is."""
    if verdict.error:
        return Headline("unread", "Could not be read", None, None, _sentence(verdict.error))
    if verdict.label in (None, "inconclusive") or verdict.fake_probability is None:
        return Headline("unsure", "Inconclusive", None, None, _why_inconclusive(verdict))
    probability = verdict.fake_probability
    figure, word = percent(probability), likelihood(probability)
    if verdict.label == "real" and verdict.segments:
        title = "No manipulation found on the whole, but a part stands out"
        sentence = f"{_strongest(verdict)} {doubtful_sync(verdict)}".strip()
        return Headline("real", title, figure, word, sentence)
    if verdict.label == "real":
        doubt = "" if probability < 0.33 else ", but one is not ruled out"
        title = f"No manipulation found{doubt}"
        sentence = f"{doubtful_sync(verdict)} {_unexamined(verdict)}".strip()
        return Headline("real", title, figure, word, sentence)
    apart = verdict.fake_by_sync
    wrong = _APART if apart else _MANIPULATED[verdict.label]
    what = _both(verdict) or f"{_how(probability)} {wrong}"
    title = f"{what[:1].upper()}{what[1:]}: {figure}"
    sentence = f"{_ALIKE} {_strongest(verdict)}" if apart else _strongest(verdict)
    return Headline("fake", title, figure, word, sentence)


def doubtful_sync(verdict: Verdict) -> str:
    """Why lips and sound that fit poorly leave a file genuine; empty where they fit or accuse."""
    chance = verdict.sync.fake_probability or 0.0
    if verdict.label != "real" or chance < 0.5:
        return ""
    fit = f"Lips and sound fit poorly ({percent(chance)})"
    return f"{fit}, too little to call the file fake by itself."


def _how(probability: float) -> str:
    word = likelihood(probability)
    if probability < 0.66:
        return "possibly"
    return "almost certainly" if word == "almost certain" else word


def lag_text(sync: SyncScore) -> str:
    """How late the sound comes; of what hardly belongs together no lag is told."""
    offset = sync.offset_seconds
    if offset is None:
        return "offset not measured"
    if (sync.fake_probability or 0.0) >= 0.5:
        return "no natural lag fits"
    return f"the sound comes {abs(offset):.2f}\u00a0s {'late' if offset > 0 else 'early'}"


def _both(verdict: Verdict) -> str | None:
    """Each sense in its own words, where both are called fake and one is much less sure."""
    told = {"picture": verdict.video.fake_probability, "voice": verdict.audio.fake_probability}
    found = {name: probability for name, probability in told.items() if probability is not None}
    if verdict.label != "fake_both" or len(found) < len(told):
        return None
    surer, other = sorted(found, key=found.__getitem__, reverse=True)
    first, second = _how(found[surer]), _how(found[other])
    return None if first == second else f"{first} manipulated {surer}, {second} {other} too"


def _why_inconclusive(verdict: Verdict) -> str:
    missing = reasons(verdict)
    told = "; ".join(f"{sense.lower()}: {why}" for sense, why in missing)
    if len(missing) == len(SENSES):
        return f"Nothing could be examined because of this: {_sentence(told, capital=False)}"
    judged = "What could be examined does not suffice for a verdict, or lies outside the range"
    tail = f" Not examined: {_sentence(told, capital=False)}" if told else ""
    return f"{judged} in which the model is reliable.{tail}"


def _strongest(verdict: Verdict) -> str:
    """Names the segment with the highest probability, and how many more there are."""
    if not verdict.segments:
        return "No single segment stands out. " + _unexamined(verdict)
    top = max(verdict.segments, key=lambda segment: segment.fake_probability)
    who = f", {person_name(top.track).lower()}" if top.track is not None else ""
    where = interval(top.start_seconds, top.stop_seconds)
    more = len(verdict.segments) - 1
    others = f" (and {more} more segment{'s' if more > 1 else ''})" if more else ""
    text = f"Strongest in the {SENSE_NAMES[top.modality].lower()} at {where}{who}{others}."
    return f"{text} {_unexamined(verdict)}".strip()


def _unexamined(verdict: Verdict) -> str:
    missing = [sense.lower() for sense, _ in reasons(verdict)]
    if not missing:
        return "Picture, voice and their synchrony were examined."
    return f"Not examined, so not covered by this figure: {', '.join(missing)}."


def _sentence(text: str, *, capital: bool = True) -> str:
    text = text.strip().rstrip(".")
    return (text[:1].upper() + text[1:] if capital else text) + "."
