"""The detector: a file in, a verdict (and on request the evidence behind it) out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from seamline.clips.clip import Clip
from seamline.clips.extract import Clips, extract
from seamline.clips.window import WindowPlan
from seamline.faces.mtcnn import FaceDetector
from seamline.media.hashing import file_sha256
from seamline.media.upright import Turn
from seamline.scoring.branch import judge_of
from seamline.scoring.evidence import Evidence, Listened, SeenWindow, keep_window, settle
from seamline.scoring.findings import Findings, PairScore, VoiceScores
from seamline.scoring.judge import judge
from seamline.scoring.judge_picture import find_scales
from seamline.scoring.motion import motion_added
from seamline.scoring.reference import Reference, distinct
from seamline.scoring.sense import sense_branch
from seamline.scoring.verdict import Verdict
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import DEFAULT, find_model
from seamline.zoo.clip_scores import face_scores, score_clip, sync_steps
from seamline.zoo.reference import describe, read_reference, require_reference_branch

MIN_SPEECH_SECONDS = 0.3  # of a window; less is a cough, not a voice to judge
TURNED = {
    90: "the picture lies on its side: faces were found after turning it clockwise",
    180: "the picture stands on its head: faces were found after turning it over",
    270: "the picture lies on its side: faces were found after turning it counterclockwise",
}


@dataclass(frozen=True)
class Examination:
    """A verdict with the evidence behind it."""

    verdict: Verdict
    evidence: Evidence


@dataclass(frozen=True)
class _Asked:
    thorough: bool
    min_face_px: float
    reference: tuple[Reference, ...]
    proposals: bool


@dataclass
class _Looked:
    """What one look at a file gave."""

    clips: Clips
    findings: Findings
    seen: list[SeenWindow] = field(default_factory=list)


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
        reference: Sequence[str | Path | Reference] = (),
        proposals: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Verdict:
        """Judge one video, image or audio file; raises `UnreadableMedia`.

        People who are also seen in the ``reference`` footage, which must be genuine, are judged
        against it; raises `BadReference`. With ``proposals`` the verdict also has what stands out
        too little to be a segment. ``progress`` is told the share done, 0 to 1.
        """
        known = self._references(reference, thorough, min_face_px)
        asked = _Asked(thorough, min_face_px, known, proposals)
        return self._run(path, asked, None, progress)

    def examine(
        self,
        path: str | Path,
        *,
        thorough: bool = False,
        min_face_px: float = 48.0,
        reference: Sequence[str | Path | Reference] = (),
        proposals: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Examination:
        """Judge one file like `scan`, and keep crops, heatmaps and spectrogram for a report."""
        evidence = Evidence()
        known = self._references(reference, thorough, min_face_px)
        asked = _Asked(thorough, min_face_px, known, proposals)
        return Examination(self._run(path, asked, evidence, progress), evidence)

    def read_reference(
        self, path: str | Path, *, thorough: bool = False, min_face_px: float = 48.0
    ) -> Reference:
        """Measure genuine footage once, to judge many files against; raises `BadReference`."""
        require_reference_branch(self.bundle)
        return read_reference(
            path,
            self.bundle,
            self._faces,
            thorough=thorough,
            min_face_px=min_face_px,
            threads=self._threads,
        )

    def _references(
        self, given: Sequence[str | Path | Reference], thorough: bool, min_face_px: float
    ) -> tuple[Reference, ...]:
        if given:
            require_reference_branch(self.bundle)
        return distinct(
            one
            if isinstance(one, Reference)
            else self.read_reference(one, thorough=thorough, min_face_px=min_face_px)
            for one in given
        )

    def _run(
        self,
        path: str | Path,
        asked: _Asked,
        evidence: Evidence | None,
        progress: Callable[[float], None] | None,
    ) -> Verdict:
        began = time.perf_counter()
        looked = self._look(path, asked, evidence, progress, turn=0)
        turn = self._turn_of(looked.clips, asked)
        if turn:
            again = self._look(path, asked, evidence, progress, turn=turn)
            if again.clips.looks.found_somebody:
                again.clips.warnings.append(TURNED[turn])
                looked = again
        clips, findings = looked.clips, looked.findings
        findings.warnings = list(dict.fromkeys(clips.warnings))
        findings.frames_examined = clips.frames_examined
        sha256 = file_sha256(path)
        findings.leave_out_itself(sha256)
        if evidence is not None:
            scales = find_scales(findings).get
            settle(looked.seen, scales, evidence, motion_added(findings.faces))
        spent = {**clips.seconds_spent, "total": time.perf_counter() - began}
        return judge(findings, str(path), sha256, spent)

    def _turn_of(self, clips: Clips, asked: _Asked) -> Turn:
        """Look for the turn that shows faces in a picture in which nobody was found."""
        if clips.looks.found_somebody or judge_of("video", self.bundle.branches) is None:
            return 0
        return clips.looks.find_turn(self._faces, asked.min_face_px)

    def _look(
        self,
        path: str | Path,
        asked: _Asked,
        evidence: Evidence | None,
        progress: Callable[[float], None] | None,
        *,
        turn: Turn,
    ) -> _Looked:
        """Examine the file with its picture turned clockwise by ``turn``."""
        plan = WindowPlan(max_windows=None) if asked.thorough else WindowPlan()
        clips = extract(
            path,
            self.bundle.contract,
            plan=plan,
            detector=self._faces,
            min_face_px=asked.min_face_px,
            threads=self._threads,
            dense="all" if asked.thorough else "some",
            sound_margin_seconds=self.bundle.sound_margin_seconds,
            turn=turn,
        )
        clips.seconds_spent["model"] = 0.0
        findings = Findings(
            media=clips.media,
            branches=self.bundle.branches,
            model=self.bundle.model_id,
            frame_step_seconds=self.bundle.contract.frame_step_seconds,
            min_face_px=asked.min_face_px,
            references=asked.reference,
            limits=self.bundle.quality,
            proposes=asked.proposals,
            examined_seconds=sum(stop - start for start, stop in clips.windows),
            size_bytes=Path(path).stat().st_size,
        )
        if evidence is not None:
            evidence.sound.clear()
        looked, heard = _Looked(clips, findings), -1
        for clip in clips:
            started = time.perf_counter()
            self._score(clip, findings, looked.seen, evidence, listen=clip.window != heard)
            heard = clip.window
            clips.seconds_spent["model"] += time.perf_counter() - started
            if progress is not None:
                progress((clip.window + 1) / len(clips.windows))
        return looked

    def _score(
        self,
        clip: Clip,
        findings: Findings,
        seen: list[SeenWindow],
        evidence: Evidence | None,
        *,
        listen: bool,
    ) -> None:
        """Add what the bundle says of a clip; ``listen`` at the first clip of each window."""
        spoken = clip.speech_seconds >= MIN_SPEECH_SECONDS
        found = score_clip(self.bundle, clip, spoken=spoken, listen=listen)
        if clip.faces is not None and found.picture is not None:
            faces, logits = clip.faces, found.picture
            scores = face_scores(self.bundle, faces, logits, found.strangeness)
            if findings.references:
                scores = replace(scores, likeness=describe(faces))
            findings.faces.append(scores)
            if evidence is not None:
                seen.append(
                    keep_window(
                        faces.track, faces.seconds, faces.boxes, logits, faces.crops, found.masks
                    )
                )
        if listen and clip.log_mel is not None:
            heard = self._listen(clip, clip.log_mel, found.voice, evidence, findings)
            findings.voices.append(heard)
        mouth, sound = sync_steps(self.bundle, clip, spoken=spoken, listen=listen)
        if mouth is not None:
            findings.mouths.append(mouth)
        if sound is not None:
            findings.sounds.append(sound)
        if found.together is not None:
            track = None if clip.faces is None else clip.faces.track
            findings.pairs.append(PairScore(track, found.together))

    def _listen(
        self,
        clip: Clip,
        mel: Float[np.ndarray, "mel frame"],
        logits: Float[np.ndarray, " step"] | None,
        evidence: Evidence | None,
        findings: Findings,
    ) -> VoiceScores:
        branch = sense_branch(findings, "audio")
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
