"""`extract`: the one road from a file to model inputs, for scanning and for training alike.

A path and a crop contract in; `Clips` out, which yields one `Clip` a window and person while it
streams through the file, so that an hour needs no more memory than a minute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from seamline.clips.clip import Clip, FaceCrops
from seamline.clips.contract import CropContract
from seamline.clips.cut import CutFace, cut_face, gather_tracks, window_clips
from seamline.clips.motion import MotionCutter
from seamline.clips.mouths import MouthCutter
from seamline.clips.turned import Looks, turn_back
from seamline.clips.window import WindowPlan, dense_windows
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.faces.track import FaceTracker
from seamline.media.audio import Sound, read_audio
from seamline.media.probe import MediaInfo, probe
from seamline.media.upright import Turn
from seamline.media.video import Frame, GreyGrid, Picture, stream_pictures

LEAST_FOLLOWED_SECONDS = 1.0  # of a face in a file that is the right way up
CHUNK_BYTES = 64 << 20  # frames held at once; a window of 8K frames is followed one by one


@dataclass
class Clips:
    """The clips of one file: iterate once; `warnings` and `seconds_spent` fill as it streams."""

    media: MediaInfo
    contract: CropContract
    windows: list[tuple[float, float]]
    detector: FaceDetector
    min_face_px: float
    threads: int = 0
    turn: Turn = 0
    mouth_windows: frozenset[int] = frozenset()
    motion_windows: frozenset[int] = frozenset()
    sparse_motion: bool = False
    sound_margin_seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    seconds_spent: dict[str, float] = field(default_factory=lambda: {"decode": 0.0, "faces": 0.0})
    frames_examined: int = 0
    looks: Looks = field(init=False)

    def __post_init__(self) -> None:
        if self.media.kind == "image":
            self.looks = Looks([(0.0, 0.0)])
        else:
            least = math.ceil(LEAST_FOLLOWED_SECONDS / self.contract.frame_step_seconds)
            self.looks = Looks(self.windows, least)

    def __iter__(self) -> Iterator[Clip]:
        sounds = self._sounds()
        for index, (window, tracks) in enumerate(zip(self.windows, self._faces(), strict=True)):
            sound = self._timed("decode", sounds)
            yield from window_clips(index, window, tracks, sound, self.contract)

    def _sounds(self) -> Iterator[Sound | None]:
        """One Sound a window; the stream breaking off leaves None and a warning."""
        if self.media.audio is None:
            while True:
                yield None
        rate, margin = self.contract.mel.sample_rate_hz, self.sound_margin_seconds
        spans = [(max(0.0, start - margin), stop + margin) for start, stop in self.windows]
        try:
            yield from read_audio(
                self.media.path, sample_rate_hz=rate, spans=spans, warnings=self.warnings
            )
        except UnreadableMedia as error:
            self.warnings.append(f"the sound could not be read: {error.reason}")
        while True:
            yield None

    def _faces(self) -> Iterator[list[FaceCrops]]:
        """For each window the crops of each track in it."""
        if self.media.video is None:
            yield from ([] for _ in self.windows)
            return
        tracker = FaceTracker(self.detector, min_face_px=self.min_face_px)
        dense = self.mouth_windows | self.motion_windows
        spans = [span for index, span in enumerate(self.windows) if index in dense]
        step = self.contract.dense_step_seconds
        frames = _Ahead(
            stream_pictures(
                self.media.path,
                step_seconds=self.contract.frame_step_seconds,
                spans=None if self.media.kind == "image" else self.windows,
                grey=GreyGrid(step, spans) if step and spans else None,
                warnings=self.warnings,
                threads=self.threads,
                turn=self.turn,
            ),
            self.seconds_spent,
        )
        mouth, motion = self.contract.mouth, self.contract.motion
        mouths = MouthCutter(mouth) if mouth and self.mouth_windows else None
        motions = None
        if motion and self.motion_windows:
            motions = MotionCutter(motion, sparse=self.sparse_motion)
        for start, stop in self.windows:
            found: list[CutFace] = []
            for chunk in frames.chunks_until(stop):
                began = time.perf_counter()
                shown = [Frame(p.seconds, p.rgb) for p in chunk if p.rgb is not None]
                self.frames_examined += len(shown)
                tracked = tracker.follow(shown)
                self.looks.feed(shown, (p.track for people in tracked for p in people))
                for frame, people in zip(shown, tracked, strict=True):
                    found += [cut_face(frame, person, self.contract) for person in people]
                if mouths is not None:
                    mouths.feed(chunk, tracked)
                if motions is not None:
                    motions.feed(chunk, tracked)
                self.seconds_spent["faces"] += time.perf_counter() - began
            lips = mouths.take(start, stop) if mouths is not None else {}
            moves = motions.take() if motions is not None else {}
            gathered = gather_tracks(found, self.contract, lips, moves)
            yield [self._as_shown(faces) for faces in gathered]

    def _as_shown(self, faces: FaceCrops) -> FaceCrops:
        """Give the boxes in the picture as players show it, whatever turn faces were found by."""
        assert self.media.video is not None
        width, height = self.media.video.width, self.media.video.height
        return replace(faces, boxes=turn_back(faces.boxes, self.turn, width, height))

    def _timed(self, stage: str, source: Iterator[Sound | None]) -> Sound | None:
        began = time.perf_counter()
        item = next(source)
        self.seconds_spent[stage] += time.perf_counter() - began
        return item


class _Ahead:
    """Hands out a stream's frames window by window, in chunks of bounded memory."""

    def __init__(self, frames: Iterable[Picture], seconds_spent: dict[str, float]) -> None:
        self._frames = iter(frames)
        self._seconds_spent = seconds_spent
        self._next = self._pull()

    def _pull(self) -> Picture | None:
        began = time.perf_counter()
        frame = next(self._frames, None)
        self._seconds_spent["decode"] += time.perf_counter() - began
        return frame

    def chunks_until(self, stop_seconds: float) -> Iterator[list[Picture]]:
        chunk: list[Picture] = []
        held = 0
        while self._next is not None and self._next.seconds < stop_seconds:
            frame = self._next
            chunk.append(frame)
            held += frame.nbytes
            if held >= CHUNK_BYTES or frame.nbytes > CHUNK_BYTES // 4:
                yield chunk
                chunk, held = [], 0
            self._next = self._pull()
        if chunk:
            yield chunk


def extract(
    path: str | Path,
    contract: CropContract,
    *,
    plan: WindowPlan | None = None,
    detector: FaceDetector | None = None,
    min_face_px: float = 48.0,
    threads: int = 0,
    dense: Literal["some", "all"] = "some",
    sound_margin_seconds: float = 0.0,
    turn: Turn = 0,
) -> Clips:
    """Open a file and return its clips, cut by ``contract``; raises `UnreadableMedia`.

    ``min_face_px`` is in pixels of the full-size frame. A photo is a single frame at 0 s.
    ``threads`` are the decoder's; 0 uses every core. Where the contract asks for mouths, they are
    cut in all windows of what has sound; motion in ``some`` of the windows (see `dense_windows`)
    or in ``all``. ``sound_margin_seconds`` of sound on either side of a window come with its
    clips, as far as there is any. ``turn`` turns the picture clockwise before faces are looked for
    (see `Looks.find_turn`); boxes are those of the picture as it is shown.
    """
    media = probe(path)
    plan = plan or WindowPlan()
    if media.kind == "image":
        windows = [(0.0, contract.window_seconds)]
    else:
        windows = plan.windows(media.duration_seconds, contract.window_seconds)
    finder = detector or FaceDetector(threads)
    chosen: frozenset[int] = frozenset()
    if media.kind != "image":
        chosen = frozenset(range(len(windows)) if dense == "all" else dense_windows(len(windows)))
    none: frozenset[int] = frozenset()
    all_of_it = frozenset(range(len(windows))) if media.kind != "image" else none
    lips = all_of_it if contract.mouth is not None and media.audio is not None else none
    moves = chosen if contract.motion is not None else none
    sparse = dense == "some"
    clips = Clips(
        media,
        contract,
        windows,
        finder,
        min_face_px,
        threads,
        turn,
        mouth_windows=lips,
        motion_windows=moves,
        sparse_motion=sparse,
        sound_margin_seconds=sound_margin_seconds,
    )
    clips.warnings.extend(media.warnings)
    return clips
