"""The verdict on one file: its records and their JSON form.

In: the scores of the senses. Out: a ``Verdict`` whose JSON is public (schema 1): keys in a fixed
order, probabilities to 4 decimals, seconds to 3, null for what was not examined, never a NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

if TYPE_CHECKING:  # a process that only passes verdicts on need not load the decoders
    from seamline.media.probe import MediaInfo

SCHEMA = 1
PROBABILITY_DECIMALS = 4
SECONDS_DECIMALS = 3

Label = Literal["real", "fake_video", "fake_audio", "fake_both", "inconclusive"]
Modality = Literal["video", "audio", "sync"]


def _check_probability(owner: object, value: float | None) -> None:
    if value is not None and not 0.0 <= value <= 1.0:  # a NaN fails both comparisons
        raise ValueError(
            f"{type(owner).__name__}.fake_probability must be None or within 0..1, found {value}"
        )


@dataclass(frozen=True)
class SenseScore:
    """What one sense says: a probability, or None with the reason why it could not be examined."""

    fake_probability: float | None
    examined_seconds: float
    reason: str | None

    def __post_init__(self) -> None:
        _check_probability(self, self.fake_probability)
        if self.fake_probability is None and not self.reason:
            raise ValueError("a sense that was not examined needs a reason")


@dataclass(frozen=True)
class SyncScore:
    """What the synchrony of lips and voice says; a positive offset means the sound comes late.

    ``track`` names the person who speaks where several are seen; JSON has it only then.
    """

    fake_probability: float | None
    offset_seconds: float | None
    reason: str | None
    track: int | None = None

    def __post_init__(self) -> None:
        _check_probability(self, self.fake_probability)
        if self.fake_probability is None and not self.reason:
            raise ValueError("a sense that was not examined needs a reason")


@dataclass(frozen=True)
class Person:
    """One face followed over ``[start, stop)``; ``face_px`` is its typical height."""

    track: int
    start_seconds: float
    stop_seconds: float
    fake_probability: float | None
    face_px: int

    def __post_init__(self) -> None:
        _check_probability(self, self.fake_probability)


@dataclass(frozen=True)
class Segment:
    """A stretch ``[start, stop)`` in which one sense found a forgery."""

    modality: Modality
    track: int | None
    start_seconds: float
    stop_seconds: float
    fake_probability: float

    def __post_init__(self) -> None:
        _check_probability(self, self.fake_probability)


@dataclass(frozen=True)
class Timeline:
    """Probabilities over even steps of time, one row a sense; None where nothing was examined."""

    step_seconds: float = 1.0
    video: tuple[float | None, ...] = ()
    audio: tuple[float | None, ...] = ()
    sync: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class ModelId:
    """Names the bundle that judged, down to its bytes."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class ReferencePerson:
    """A track that was judged against genuine footage, and how alike the two faces are."""

    track: int
    reference: str
    """Path of the footage."""
    similarity: float


@dataclass(frozen=True)
class ReferenceUse:
    """The genuine footage that was given, and who in the file was judged against it."""

    paths: tuple[str, ...]
    sha256: tuple[str, ...]
    people: tuple[ReferencePerson, ...] = ()

    def judged(self, track: int) -> tuple[ReferencePerson, ...]:
        """Gives the footage that a track was judged against."""
        return tuple(person for person in self.people if person.track == track)


@dataclass(frozen=True)
class Verdict:
    """Everything that was found, and not found, in one file.

    ``error`` tells why a file could not be read at all; its ``label`` is then None, and
    ``sha256`` is empty where not even the bytes could be had.
    """

    schema: int
    path: str
    sha256: str
    media: dict[str, Any]
    label: Label | None
    fake_probability: float | None
    video: SenseScore
    audio: SenseScore
    sync: SyncScore
    people: tuple[Person, ...]
    segments: tuple[Segment, ...]
    timeline: Timeline
    warnings: tuple[str, ...]
    model: ModelId
    seconds: dict[str, float]
    reference: ReferenceUse | None = None
    proposals: tuple[Segment, ...] | None = None
    """`segments` and what stands out too little to be one of them, for measures that rank; None,
    and not in JSON, where they were not asked for. They accuse nobody."""
    error: str | None = None

    def __post_init__(self) -> None:
        _check_probability(self, self.fake_probability)
        if (self.label is None) != (self.error is not None):
            raise ValueError("a verdict has a label, or an error and no label")
        if self.label is not None and self.label not in get_args(Label):
            raise ValueError(f"label must be one of {get_args(Label)}, found {self.label!r}")

    @property
    def fake_by_sync(self) -> bool:
        """Whether lips and sound alone make the file a fake."""
        chance, picture = self.sync.fake_probability, self.video.fake_probability or 0.0
        if self.label != "fake_video" or chance is None:
            return False
        return chance == self.fake_probability and picture < chance

    def to_json(self) -> dict[str, Any]:
        """Gives the public JSON object; ``error`` appears only where a file was unreadable."""
        found = _plain(self)
        found["sha256"] = self.sha256 or None
        if self.error is None:
            del found["error"]
        if self.proposals is None:
            del found["proposals"]
        if self.sync.track is None:
            del found["sync"]["track"]
        return found

    @staticmethod
    def from_json(found: dict[str, Any]) -> Verdict:
        """Reads what ``to_json`` gave; further keys are ignored."""
        if found.get("schema") != SCHEMA:
            raise ValueError(f"this reads verdicts of schema {SCHEMA}, found {found.get('schema')}")
        rows = {name: tuple(found["timeline"][name]) for name in ("video", "audio", "sync")}
        parts: dict[str, Any] = {
            "sha256": found["sha256"] or "",
            "video": _record(SenseScore, found["video"]),
            "audio": _record(SenseScore, found["audio"]),
            "sync": _record(SyncScore, found["sync"]),
            "people": tuple(_record(Person, one) for one in found["people"]),
            "segments": tuple(_record(Segment, one) for one in found["segments"]),
            "timeline": Timeline(found["timeline"]["step_seconds"], **rows),
            "warnings": tuple(found["warnings"]),
            "model": _record(ModelId, found["model"]),
            "reference": _reference(found.get("reference")),
            "proposals": _proposals(found.get("proposals")),
        }
        return _record(Verdict, {**found, **parts})


_T = TypeVar("_T")


def _record(kind: type[_T], found: dict[str, Any]) -> _T:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in found.items() if name in names})


def _reference(found: dict[str, Any] | None) -> ReferenceUse | None:
    if found is None:
        return None
    people = tuple(_record(ReferencePerson, one) for one in found["people"])
    return ReferenceUse(tuple(found["paths"]), tuple(found["sha256"]), people)


def _proposals(found: list[dict[str, Any]] | None) -> tuple[Segment, ...] | None:
    return None if found is None else tuple(_record(Segment, one) for one in found)


def _plain(value: Any, digits: int = SECONDS_DECIMALS) -> Any:
    """Turns records into dicts and rounds every number; refuses what JSON cannot say."""
    if is_dataclass(value):
        inner = PROBABILITY_DECIMALS if isinstance(value, Timeline) else SECONDS_DECIMALS
        value = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(part, _digits(name, inner)) for name, part in value.items()}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part, digits) for part in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a verdict cannot carry {value}: missing evidence is None")
        return round(float(value), digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    return value


def _digits(name: str, otherwise: int) -> int:
    if name == "fake_probability":
        return PROBABILITY_DECIMALS
    return SECONDS_DECIMALS if name.endswith("seconds") else otherwise


def media_summary(info: MediaInfo) -> dict[str, Any]:
    """Gives the ``media`` part of a verdict from what the probe found."""
    video = info.video and {
        "codec": info.video.codec,
        "width": info.video.width,
        "height": info.video.height,
        "frames_per_second": info.video.frames_per_second,
    }
    audio = info.audio and {"codec": info.audio.codec, "sample_rate_hz": info.audio.sample_rate_hz}
    return {"duration_seconds": info.duration_seconds, "video": video, "audio": audio}


def unreadable_verdict(
    path: str, reason: str, model: ModelId, *, sha256: str = "", total_seconds: float = 0.0
) -> Verdict:
    """Makes the row of a file that could not be read: no label, no scores, the reason."""
    unseen = "the file could not be read"
    return Verdict(
        schema=SCHEMA,
        path=path,
        sha256=sha256,
        media={"duration_seconds": None, "video": None, "audio": None},
        label=None,
        fake_probability=None,
        video=SenseScore(None, 0.0, unseen),
        audio=SenseScore(None, 0.0, unseen),
        sync=SyncScore(None, None, unseen),
        people=(),
        segments=(),
        timeline=Timeline(),
        warnings=(),
        model=model,
        seconds={"total": total_seconds},
        error=reason or "unknown reason",
    )
