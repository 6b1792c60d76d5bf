"""The rolling verdict: frames and sound in, window by window; a verdict on the last seconds out.

Windows are cut and scored as a file's are, and judged by the same rule; what is older than the
rolling span is forgotten, so memory does not grow.

    windows   | 0–2 | 2–4 | 4–6 | 6–8 | 8–10 | 10–12 |
    verdict at 12 s, over the last 10:  └───────────────┘
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from seamline.clips.cut import CutFace, cut_face, gather_tracks, window_clips
from seamline.detector import MIN_SPEECH_SECONDS
from seamline.faces.mtcnn import FaceDetector
from seamline.faces.track import FaceTracker
from seamline.media.audio import Sound
from seamline.media.probe import MediaInfo
from seamline.media.video import Frame
from seamline.scoring.branch import judge_of
from seamline.scoring.findings import FaceScores, Findings, PairScore, VoiceScores
from seamline.scoring.judge import judge
from seamline.scoring.reference import Reference, distinct
from seamline.scoring.verdict import Person, Segment, SyncScore, Verdict
from seamline.zoo.bundle import Bundle
from seamline.zoo.clip_scores import face_scores, score_clip
from seamline.zoo.reference import describe

_Placed = TypeVar("_Placed", Person, Segment)


@dataclass
class _Window:
    start_seconds: float
    stop_seconds: float
    frames: int
    size_bytes: int
    faces: list[FaceScores] = field(default_factory=list)
    voices: list[VoiceScores] = field(default_factory=list)
    pairs: list[PairScore] = field(default_factory=list)


class RollingJudge:
    """Judges the last ``span_seconds`` of a source."""

    def __init__(
        self,
        bundle: Bundle,
        finder: FaceDetector,
        *,
        span_seconds: float,
        min_face_px: float,
        references: Sequence[Reference] = (),
    ) -> None:
        self._bundle = bundle
        self._finder = finder
        self._span_seconds = span_seconds
        self._min_face_px = min_face_px
        self._references = distinct(references)
        self._tracker = FaceTracker(finder, min_face_px=min_face_px)
        self._windows: deque[_Window] = deque()
        self._faces: list[CutFace] = []
        self._frames: list[float] = []
        self._past: Sound | None = None
        self._number = 0
        self.frames_examined = 0

    @property
    def window(self) -> tuple[float, float]:
        """The stretch that is being filled, half-open."""
        length = self._bundle.contract.window_seconds
        return self._number * length, (self._number + 1) * length

    def see(self, frames: Sequence[Frame]) -> None:
        """Find and cut the faces of the next frames, which must be in time order."""
        for frame, people in zip(frames, self._tracker.follow(frames), strict=True):
            self._faces += [cut_face(frame, person, self._bundle.contract) for person in people]
            self._frames.append(frame.seconds)
        self.frames_examined += len(frames)

    def skip_to(self, seconds: float) -> None:
        """Leave out empty windows before ``seconds``, if nothing came for longer than the span."""
        if seconds - self.window[0] > 2 * self._span_seconds and not self._frames:
            self._number = int(seconds / self._bundle.contract.window_seconds)

    def close_window(
        self, sound: Sound | None, stop_seconds: float | None = None, size_bytes: int = 0
    ) -> None:
        """Score the current window and begin the next; ``stop_seconds`` where the source ended."""
        start, stop = self.window
        inside = [face for face in self._faces if face[0].seconds < stop]
        self._faces = self._faces[len(inside) :]
        seen = sum(seconds < stop for seconds in self._frames)
        self._frames = self._frames[seen:]
        end = stop if stop_seconds is None else min(stop, stop_seconds)
        window = _Window(start, end, seen, size_bytes)
        contract = self._bundle.contract
        tracks = gather_tracks(inside, contract)
        heard = self._with_past(sound)
        for place, clip in enumerate(
            window_clips(self._number, (start, end), tracks, heard, contract)
        ):
            spoken, listen = clip.speech_seconds >= MIN_SPEECH_SECONDS, place == 0
            found = score_clip(self._bundle, clip, spoken=spoken, listen=listen)
            if clip.faces is not None and found.picture is not None:
                scores = face_scores(self._bundle, clip.faces, found.picture, found.strangeness)
                if self._references:
                    scores = replace(scores, likeness=describe(clip.faces))
                window.faces.append(scores)
            if listen and clip.log_mel is not None:
                window.voices.append(VoiceScores(start, end, found.voice, self._voice_step()))
            if found.together is not None:
                track = None if clip.faces is None else clip.faces.track
                window.pairs.append(PairScore(track, found.together))
        self._windows.append(window)
        while self._windows[0].stop_seconds <= end - self._span_seconds + 1e-6:
            self._windows.popleft()
        self._number += 1

    def _with_past(self, sound: Sound | None) -> Sound | None:
        """Put the end of the last window's sound before this one's, as far as the branch asks.

        What follows is not known yet: live sound is judged with its past alone.
        """
        past, self._past = self._past, sound
        if sound is None or past is None:
            return sound
        return sound.preceded_by(past, self._bundle.sound_margin_seconds)

    def _voice_step(self) -> float:
        name = judge_of("audio", self._bundle.branches)
        step = None if name is None else self._bundle.branches[name].step_seconds
        return step or self._bundle.contract.window_seconds

    def verdict(self, media: MediaInfo, notes: Sequence[str]) -> tuple[float, Verdict]:
        """Judge the windows held; give the second at which they start, and the verdict.

        People and segments carry the source's own clock; the timeline starts at that second.
        """
        start, stop = self._windows[0].start_seconds, self._windows[-1].stop_seconds
        frames = sum(window.frames for window in self._windows)
        findings = Findings(
            media=replace(media, duration_seconds=stop - start),
            branches=self._bundle.branches,
            model=self._bundle.model_id,
            frame_step_seconds=self._bundle.contract.frame_step_seconds,
            min_face_px=self._min_face_px,
            faces=[
                replace(f, seconds=np.asarray(f.seconds) - start)
                for w in self._windows
                for f in w.faces
            ],
            voices=[
                replace(
                    v, start_seconds=v.start_seconds - start, stop_seconds=v.stop_seconds - start
                )
                for w in self._windows
                for v in w.voices
            ],
            pairs=[pair for w in self._windows for pair in w.pairs],
            references=self._references,
            limits=self._bundle.quality,
            warnings=list(notes),
            examined_seconds=stop - start,
            frames_examined=frames,
            size_bytes=sum(window.size_bytes for window in self._windows),
        )
        found = judge(findings, media.path, "", {})
        unjudged = SyncScore(None, None, "synchrony is not judged live")
        moved = replace(
            found,
            sync=unjudged,
            people=tuple(_later(person, start) for person in found.people),
            segments=tuple(_later(segment, start) for segment in found.segments),
        )
        return start, moved


def _later(placed: _Placed, seconds: float) -> _Placed:
    return replace(
        placed,
        start_seconds=placed.start_seconds + seconds,
        stop_seconds=placed.stop_seconds + seconds,
    )
