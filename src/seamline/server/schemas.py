"""What the REST interface says, as pydantic models: the source of its OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from seamline.server.store import JobRow
from seamline.server.worker import Step

Probability = Annotated[float, Field(ge=0, le=1)]
State = Literal["queued", "running", "done", "failed"]
Stage = Literal["queued", "reading", "examining", "reporting", "done", "failed"]
Moment = Annotated[
    datetime,
    PlainSerializer(
        lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        return_type=str,
        when_used="json",
    ),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


class Progress(BaseModel):
    """How far a job is."""

    stage: Stage
    share: Probability
    queue_position: Annotated[int | None, Field(description="1 is next; null: not queued.")]


class SenseScore(BaseModel):
    """What picture or voice says."""

    fake_probability: Probability | None
    examined_seconds: float
    reason: Annotated[str | None, Field(description="Why it was not examined.")]


class SyncScore(BaseModel):
    """What the synchrony of lips and voice says; `track` is there where several are seen."""

    model_config = ConfigDict(extra="allow")

    fake_probability: Probability | None
    offset_seconds: float | None
    reason: str | None


class Person(BaseModel):
    """One face followed over time."""

    track: int
    start_seconds: float
    stop_seconds: float
    fake_probability: Probability | None
    face_px: int


class Segment(BaseModel):
    """A stretch in which one sense found a forgery."""

    modality: Literal["video", "audio", "sync"]
    track: int | None
    start_seconds: float
    stop_seconds: float
    fake_probability: Probability


class Timeline(BaseModel):
    """Probabilities over even steps of time; null where nothing was examined."""

    step_seconds: float
    video: list[float | None]
    audio: list[float | None]
    sync: list[float | None]


class Video(BaseModel):
    """The picture stream."""

    codec: str
    width: int
    height: int
    frames_per_second: float | None


class Audio(BaseModel):
    """The sound stream."""

    codec: str
    sample_rate_hz: int


class Media(BaseModel):
    """What the file holds."""

    duration_seconds: float | None
    video: Video | None
    audio: Audio | None


class ModelId(BaseModel):
    """The bundle that judged, down to its bytes."""

    name: str
    version: str
    sha256: str


class ReferencePerson(BaseModel):
    """A face that was judged against genuine footage."""

    track: int
    reference: str
    similarity: float


class ReferenceUse(BaseModel):
    """Genuine footage that was given; null where none was."""

    paths: list[str]
    sha256: list[str]
    people: list[ReferencePerson]


class Verdict(BaseModel):
    """The verdict, as `seamline scan --json` prints it; `path` is the upload's name."""

    model_config = ConfigDict(extra="allow")

    schema_: Annotated[int, Field(alias="schema")]
    path: str
    sha256: str | None
    media: Media
    label: Literal["real", "fake_video", "fake_audio", "fake_both", "inconclusive"]
    fake_probability: Probability | None
    video: SenseScore
    audio: SenseScore
    sync: SyncScore
    people: list[Person]
    segments: list[Segment]
    timeline: Timeline
    warnings: list[str]
    model: ModelId
    seconds: dict[str, float]
    reference: ReferenceUse | None = None


class Job(BaseModel):
    """One upload and what became of it."""

    id: str
    name: Annotated[str, Field(description="The upload's file name, for display only.")]
    size_bytes: int
    state: State
    created: Moment
    started: Moment | None
    ended: Moment | None
    progress: Progress
    verdict: Verdict | None
    reason: Annotated[str | None, Field(description="Why it failed.")]
    attempts: int
    expires: Annotated[Moment | None, Field(description="When it will be deleted.")]
    media_type: Annotated[str | None, Field(description="By the content, not by the name.")]
    reference_ids: Annotated[
        list[str], Field(description="Jobs whose uploads this one is judged against.")
    ]
    has_media: bool
    has_report: bool


class JobPage(BaseModel):
    """Some jobs, newest first."""

    jobs: list[Job]
    next: Annotated[str | None, Field(description="`after` of the next page; null at the end.")]


class FaceTrack(BaseModel):
    """Where one face was, and how it scored, in every examined frame."""

    track: int
    seconds: list[float]
    boxes: Annotated[list[list[float]], Field(description="x0, y0, x1, y1 in pixels.")]
    fake_probability: list[Probability]


class Look(BaseModel):
    """One examined face with its pictures."""

    track: int
    seconds: float
    fake_probability: Probability
    face_url: str
    heat_url: str | None
    heat_peak: Annotated[str | None, Field(description="How high the heat rises and where.")]


class Evidence(BaseModel):
    """What a player shows over the medium; boxes refer to a picture of width × height."""

    width: int | None
    height: int | None
    faces: list[FaceTrack]
    looks: list[Look]


class ModelCard(BaseModel):
    """A model that this service judges by."""

    name: str
    version: str
    sha256: str
    line: str
    card: Annotated[str, Field(description="Markdown.")]
    figures: dict[str, Any]
    limits: list[str]


class LimitsBody(BaseModel):
    """What the service takes, and whether it asks for a token."""

    upload_bytes: int
    duration_seconds: float
    pixels: int
    keep_seconds: float | None
    token_required: bool


class TokenBody(BaseModel):
    """The token, to be turned into a cookie."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=512)]


class Status(BaseModel):
    """How the service is."""

    status: str


class ErrorDetail(BaseModel):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    message: str


class ErrorBody(BaseModel):
    """The body of every refusal."""

    error: ErrorDetail


def job_body(row: JobRow, step: Step | None) -> dict[str, Any]:
    """Gives a job as its JSON; ``step`` is how far a running one is."""
    running = step if row.state == "running" else None
    job = Job(
        id=row.id,
        name=row.name,
        size_bytes=row.size_bytes,
        state=row.state,  # type: ignore[arg-type]
        created=_moment(row.created),
        started=None if row.started is None else _moment(row.started),
        ended=None if row.ended is None else _moment(row.ended),
        progress=Progress(
            stage=running.stage if running else row.stage,  # type: ignore[arg-type]
            share=running.share if running else row.share,
            queue_position=None if row.ahead is None else row.ahead + 1,
        ),
        verdict=None if row.verdict is None else Verdict.model_validate(row.verdict),
        reason=row.reason,
        attempts=row.attempts,
        expires=None if row.expires is None else _moment(row.expires),
        media_type=row.media_type,
        reference_ids=row.reference_ids or [],
        has_media=row.has_media,
        has_report=row.has_report,
    )
    return job.model_dump(mode="json", by_alias=True)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
