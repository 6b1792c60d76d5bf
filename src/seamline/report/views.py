"""One file's verdict and evidence become the texts, drawings and pictures of its section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seamline.report.lanes import gaps
from seamline.report.looks import PersonView, view_person
from seamline.report.page_data import ReportPage
from seamline.report.time_views import (
    SpectrogramView,
    TimelineView,
    sense_steps,
    view_spectrogram,
    view_timeline,
)
from seamline.report.words import (
    SENSE_NAMES,
    SENSES,
    Headline,
    bytes_text,
    headline,
    interval,
    lag_text,
    likelihood,
    percent,
    person_name,
    reasons,
    reference_lines,
    seconds_text,
)
from seamline.scoring.verdict import Verdict

HIGHEST_LOOKS = 3
SPREAD_LOOKS = 5
MOST_PEOPLE = 6
MOST_ROWS = 50


@dataclass(frozen=True)
class SenseRow:
    """One line of the table of senses."""

    name: str
    probability: str | None
    word: str | None
    share: float
    level: int
    examined: str


@dataclass(frozen=True)
class SectionView:
    """Everything that one file's section shows."""

    number: int
    path: str
    headline: Headline
    senses: tuple[SenseRow, ...]
    timeline: TimelineView | None
    segments: tuple[tuple[str, str, str], ...]
    segments_left_out: int
    tracks: tuple[tuple[str, str, str, str], ...]
    tracks_left_out: int
    people: tuple[PersonView, ...]
    people_left_out: int
    has_heat: bool
    spectrogram: SpectrogramView | None
    unexamined: tuple[str, ...]
    warnings: tuple[str, ...]
    references: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def view_section(page: ReportPage, number: int) -> SectionView:
    """Builds the section of one file; ``number`` counts from 1."""
    verdict = page.verdict
    persons = {person.track: person for person in verdict.people}
    shown = sorted(page.people, key=lambda one: -_highest(page, one.track))[:MOST_PEOPLE]
    people = tuple(
        view_person(
            evidence,
            persons.get(evidence.track),
            verdict.media,
            highest=HIGHEST_LOOKS,
            spread=SPREAD_LOOKS,
        )
        for evidence in shown
    )
    return SectionView(
        number=number,
        path=verdict.path,
        headline=headline(verdict),
        senses=tuple(_sense_row(verdict, sense) for sense in SENSES),
        timeline=view_timeline(verdict),
        segments=_segment_rows(verdict),
        segments_left_out=max(0, len(verdict.segments) - MOST_ROWS),
        tracks=_track_rows(verdict),
        tracks_left_out=max(0, len(verdict.people) - MOST_ROWS),
        people=people,
        people_left_out=len(page.people) - len(people),
        has_heat=any(look.heat_uri for person in people for look in person.looks),
        spectrogram=view_spectrogram(page.spectrogram),
        unexamined=_unexamined(verdict),
        warnings=tuple(verdict.warnings),
        references=tuple(reference_lines(verdict)),
        facts=_facts(page),
    )


def _highest(page: ReportPage, track: int) -> float:
    """The probability by which a track's place on the page is decided."""
    for person in page.verdict.people:
        if person.track == track and person.fake_probability is not None:
            return person.fake_probability
    looks = (one.looks for one in page.people if one.track == track)
    return max((look.fake_probability for several in looks for look in several), default=0.0)


def _sense_row(verdict: Verdict, sense: str) -> SenseRow:
    score = getattr(verdict, sense)
    name, value = SENSE_NAMES[sense], score.fake_probability
    if value is None:
        return SenseRow(name, None, None, 0.0, 0, score.reason or "no reason was recorded")
    if sense == "sync":
        examined = lag_text(score)
    else:
        duration = verdict.media.get("duration_seconds")
        examined = f"{seconds_text(score.examined_seconds)} examined"
        if duration:
            examined = f"{seconds_text(score.examined_seconds)} of {seconds_text(duration)}"
    level = min(int(5 * value), 4)
    return SenseRow(name, percent(value), likelihood(value), 100 * value, level, examined)


def _segment_rows(verdict: Verdict) -> tuple[tuple[str, str, str], ...]:
    rows = []
    shown = sorted(verdict.segments, key=lambda one: -one.fake_probability)[:MOST_ROWS]
    for segment in sorted(shown, key=lambda one: (one.start_seconds, one.modality)):
        what = SENSE_NAMES[segment.modality]
        if segment.track is not None:
            what += f", {person_name(segment.track).lower()}"
        when = interval(segment.start_seconds, segment.stop_seconds)
        rows.append((when, what, percent(segment.fake_probability)))
    return tuple(rows)


def _track_rows(verdict: Verdict) -> tuple[tuple[str, str, str, str], ...]:
    shown = sorted(verdict.people, key=lambda one: -(one.fake_probability or 0.0))[:MOST_ROWS]
    return tuple(
        (
            person_name(person.track),
            interval(person.start_seconds, person.stop_seconds),
            f"{person.face_px}\u00a0px",
            "not examined" if person.fake_probability is None else percent(person.fake_probability),
        )
        for person in sorted(shown, key=lambda one: one.track)
    )


def _unexamined(verdict: Verdict) -> tuple[str, ...]:
    """What was left out and why: whole senses, then the gaps in those that were examined."""
    told = [f"{sense}: {why}" for sense, why in reasons(verdict)]
    for sense, steps in sense_steps(verdict).items():
        if getattr(verdict, sense).fake_probability is None:
            continue
        missing = gaps(steps)
        if missing:
            total = seconds_text(sum(stop - start for start, stop in missing))
            listed = ", ".join(interval(*gap) for gap in missing[:8])
            more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
            told.append(f"{SENSE_NAMES[sense]}: {total} without a score, at {listed}{more}")
    unscored = [person for person in verdict.people if person.fake_probability is None]
    for person in unscored[:MOST_ROWS]:
        when = interval(person.start_seconds, person.stop_seconds)
        told.append(f"{person_name(person.track)}: seen at {when}, not scored")
    if len(unscored) > MOST_ROWS:
        told.append(f"{len(unscored) - MOST_ROWS} more faces were seen and not scored")
    return tuple(told)


def _facts(page: ReportPage) -> tuple[tuple[str, str], ...]:
    verdict = page.verdict
    media: dict[str, Any] = verdict.media
    facts = [("File", verdict.path)]
    if page.size_bytes is not None:
        facts.append(("Size", bytes_text(page.size_bytes)))
    if media.get("duration_seconds"):
        facts.append(("Duration", seconds_text(media["duration_seconds"])))
    if video := media.get("video"):
        rate = video.get("frames_per_second")
        tail = f", {rate:.5g} frames/s" if rate else ""
        size = f"{video.get('width')}×{video.get('height')} px"
        facts.append(("Picture stream", f"{video.get('codec')}, {size}{tail}"))
    if audio := media.get("audio"):
        tail = f", {audio['channels']} channel(s)" if audio.get("channels") else ""
        facts.append(
            ("Sound stream", f"{audio.get('codec')}, {audio.get('sample_rate_hz')} Hz{tail}")
        )
    model = verdict.model
    facts += [
        ("SHA-256 of the file", verdict.sha256),
        ("Model", f"{model.name}, version {model.version}"),
        ("SHA-256 of the model", model.sha256),
    ]
    if verdict.reference is not None:
        for path, sha256 in zip(verdict.reference.paths, verdict.reference.sha256, strict=True):
            facts += [("Genuine footage given", path), ("SHA-256 of the footage", sha256)]
    if "total" in verdict.seconds:
        facts.append(("Time to scan", seconds_text(verdict.seconds["total"])))
    return tuple(fact for fact in facts if fact[1])
