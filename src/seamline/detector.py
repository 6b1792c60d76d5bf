"""The detector: a file in, a verdict (and on request the evidence behind it) out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

from seamline.clips.clip import Clip, FaceCrops
from seamline.clips.extract import extract
from seamline.clips.window import WindowPlan
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.scoring.branch import Branch, judge_of
from seamline.scoring.findings import FaceScores, Findings, PairScore, VoiceScores
from seamline.scoring.judge import judge
from seamline.scoring.verdict import Verdict
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import DEFAULT, find_model
from seamline.zoo.clip_scores import score_clip, sync_steps

MIN_SPEECH_SECONDS = 0.3  # of a window; less is a cough, not a voice to judge
LOOKS_A_WINDOW = 2  # face crops kept as evidence, per person and window


@dataclass(frozen=True)
class FaceLook:
    """One examined face, kept for a report."""

    track: int
    seconds: float
    crop: UInt8[np.ndarray, "size size 3"]
    heat: Float[np.ndarray, "rows columns"] | None
    """Forgery probability of each cell of the crop; None where the model cannot tell."""
    box: Float[np.ndarray, " 4"]
    fake_probability: float


@dataclass(frozen=True)
class Listened:
    """One examined stretch of sound, kept for a report."""

    start_seconds: float
    stop_seconds: float
    log_mel: Float[np.ndarray, "mel frame"]
    step_probabilities: Float[np.ndarray, " step"] | None
    step_seconds: float


@dataclass(frozen=True)
class FacesSeen:
    """Where one face was in every examined frame of a window, kept for a player's overlay."""

    track: int
    seconds: Float[np.ndarray, " time"]
    boxes: Float[np.ndarray, "time 4"]
    """x0 y0 x1 y1 in pixels of the full-size frame."""
    fake_probabilities: Float[np.ndarray, " time"]


@dataclass
class Evidence:
    """What a report shows beside the verdict."""

    looks: list[FaceLook] = field(default_factory=list)
    faces: list[FacesSeen] = field(default_factory=list)
    sound: list[Listened] = field(default_factory=list)


@dataclass(frozen=True)
class Examination:
    """A verdict with the evidence behind it."""

    verdict: Verdict
    evidence: Evidence


class Detector:
    """Judges files with one bundle; keep one per process and reuse it."""

    def __init__(self, bundle: Bundle, *, threads: int = 0) -> None:
        self.bundle = bundle
        self._faces = FaceDetector(threads)
        self._threads = threads

    @classmethod
    def load(
        cls, model: str | Path = DEFAULT, *, threads: int = 0, device: str = "cpu"
    ) -> Detector:
        """Load a shipped bundle by name, or one from a folder; ``threads`` 0 uses every core.

        ``device`` "cuda" runs the bundle's graphs on a GPU and needs onnxruntime-gpu.
        """
        bundle = Bundle.load(find_model(model), threads=threads, device=device)
        return cls(bundle, threads=threads)

    def scan(
        self,
        path: str | Path,
        *,
        thorough: bool = False,
        min_face_px: float = 48.0,
        progress: Callable[[float], None] | None = None,
    ) -> Verdict:
        """Judge one video, image or audio file; raises `UnreadableMedia`.

        ``progress`` is told the share done, 0 to 1.
        """
        return self._run(path, thorough, min_face_px, None, progress)

    def examine(
        self,
        path: str | Path,
        *,
        thorough: bool = False,
        min_face_px: float = 48.0,
        progress: Callable[[float], None] | None = None,
    ) -> Examination:
        """Judge one file like `scan`, and keep crops, heatmaps and spectrogram for a report."""
        evidence = Evidence()
        return Examination(self._run(path, thorough, min_face_px, evidence, progress), evidence)

    def _run(
        self,
        path: str | Path,
        thorough: bool,
        min_face_px: float,
        evidence: Evidence | None,
        progress: Callable[[float], None] | None,
    ) -> Verdict:
        began = time.perf_counter()
        plan = WindowPlan(max_windows=None) if thorough else WindowPlan()
        clips = extract(
            path,
            self.bundle.contract,
            plan=plan,
            detector=self._faces,
            min_face_px=min_face_px,
            threads=self._threads,
            mouths="all" if thorough else "some",
        )
        clips.seconds_spent["model"] = 0.0
        findings = Findings(
            media=clips.media,
            branches=self.bundle.branches,
            model=self.bundle.model_id,
            frame_step_seconds=self.bundle.contract.frame_step_seconds,
            min_face_px=min_face_px,
            examined_seconds=sum(stop - start for start, stop in clips.windows),
            size_bytes=Path(path).stat().st_size,
        )
        heard = -1
        for clip in clips:
            started = time.perf_counter()
            self._score(clip, findings, evidence, listen=clip.window != heard)
            heard = clip.window
            clips.seconds_spent["model"] += time.perf_counter() - started
            if progress is not None:
                progress((clip.window + 1) / len(clips.windows))
        findings.warnings = list(dict.fromkeys(clips.warnings))
        findings.frames_examined = clips.frames_examined
        sha256 = file_sha256(path)
        spent = {**clips.seconds_spent, "total": time.perf_counter() - began}
        return judge(findings, str(path), sha256, spent)

    def _score(
        self, clip: Clip, findings: Findings, evidence: Evidence | None, *, listen: bool
    ) -> None:
        """Add what the bundle says of a clip; ``listen`` at the first clip of each window."""
        spoken = clip.speech_seconds >= MIN_SPEECH_SECONDS
        found = score_clip(self.bundle, clip, spoken=spoken, listen=listen)
        if clip.faces is not None and found.picture is not None:
            findings.faces.append(self._look(clip.faces, found.picture, found.masks, evidence))
        if listen and clip.log_mel is not None:
            findings.voices.append(self._listen(clip, clip.log_mel, found.voice, evidence))
        mouth, sound = sync_steps(self.bundle, clip, spoken=spoken, listen=listen)
        if mouth is not None:
            findings.mouths.append(mouth)
        if sound is not None:
            findings.sounds.append(sound)
        if found.together is not None:
            track = None if clip.faces is None else clip.faces.track
            findings.pairs.append(PairScore(track, found.together))

    def _branch(self, sense: Literal["video", "audio"]) -> Branch | None:
        name = judge_of(sense, self.bundle.branches)
        return None if name is None else self.bundle.branches[name]

    def _look(
        self,
        faces: FaceCrops,
        logits: Float[np.ndarray, " time"],
        masks: Float[np.ndarray, "time rows columns"] | None,
        evidence: Evidence | None,
    ) -> FaceScores:
        branch = self._branch("video")
        if evidence is not None and branch is not None:
            chances = branch.calibration.probabilities(logits)
            evidence.faces.append(FacesSeen(faces.track, faces.seconds, faces.boxes, chances))
            best = np.argsort(-logits, kind="stable")[:LOOKS_A_WINDOW]
            for index in sorted(int(i) for i in best):
                evidence.looks.append(
                    FaceLook(
                        track=faces.track,
                        seconds=float(faces.seconds[index]),
                        crop=faces.crops[index],
                        heat=None if masks is None else _chances(masks[index]),
                        box=faces.boxes[index],
                        fake_probability=float(chances[index]),
                    )
                )
        return FaceScores(faces.track, faces.seconds, logits, faces.face_px)

    def _listen(
        self,
        clip: Clip,
        mel: Float[np.ndarray, "mel frame"],
        logits: Float[np.ndarray, " step"] | None,
        evidence: Evidence | None,
    ) -> VoiceScores:
        branch = self._branch("audio")
        step = clip.stop_seconds - clip.start_seconds
        if branch is not None and branch.step_seconds:
            step = branch.step_seconds
        if evidence is not None:
            chances = None
            if branch is not None and logits is not None:
                chances = branch.calibration.probabilities(logits)
            evidence.sound.append(
                Listened(clip.start_seconds, clip.stop_seconds, mel, chances, step)
            )
        return VoiceScores(clip.start_seconds, clip.stop_seconds, logits, step)


def _chances(logits: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def file_sha256(path: str | Path) -> str:
    """Hash a file's bytes; raises `UnreadableMedia` when they cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableMedia(path, error.strerror or "cannot be opened") from error
