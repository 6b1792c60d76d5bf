"""Scans one file so that nothing it does can stop the others: a path in, an ``Outcome`` out.

What cannot be read becomes a verdict with its reason; a file that changed meanwhile is marked.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from seamline.errors import UnreadableMedia
from seamline.scoring.verdict import ModelId, Verdict, unreadable_verdict

if TYPE_CHECKING:
    from seamline.detector import Examination
    from seamline.scoring.reference import Reference
    from seamline.zoo.bundle import Bundle

CHANGED = "the file changed while it was read"
_log = logging.getLogger(__name__)


class Identified(Protocol):
    """A bundle, as far as it matters here."""

    @property
    def model_id(self) -> ModelId: ...


class Scanner(Protocol):
    """``seamline.detector.Detector``, or anything that scans like it."""

    @property
    def bundle(self) -> Identified: ...

    def scan(
        self,
        path: str | Path,
        *,
        thorough: bool,
        min_face_px: float,
        reference: Sequence[Reference] = (),
        proposals: bool = False,
        progress: Callable[[float], None] | None,
    ) -> Verdict: ...

    def examine(
        self,
        path: str | Path,
        *,
        thorough: bool,
        min_face_px: float,
        reference: Sequence[Reference] = (),
        proposals: bool = False,
        progress: Callable[[float], None] | None,
    ) -> Examination: ...

    def read_reference(
        self, path: str | Path, *, thorough: bool, min_face_px: float
    ) -> Reference: ...


class Loader(Protocol):
    """Makes scanners, here or in another process; must survive pickling."""

    def identify(self) -> ModelId:
        """Names the model without getting it ready."""

    def summary(self) -> dict[str, Any]:
        """Gives what the model's bundle tells of itself, for a report."""

    def card(self) -> str:
        """Gives the text of the model's card."""

    def __call__(self) -> Scanner: ...


@dataclass(frozen=True)
class DetectorLoader:
    """Loads the detector of a shipped model's name or a bundle's folder."""

    model: str
    threads: int = 0
    device: str = "cpu"

    def identify(self) -> ModelId:
        """Verifies the bundle and names it."""
        return self._bundle().model_id

    def summary(self) -> dict[str, Any]:
        """Gives the summary that the bundle carries."""
        return self._bundle().summary

    def card(self) -> str:
        """Gives the card that the bundle carries."""
        return self._bundle().card

    def _bundle(self) -> Bundle:
        from seamline.zoo.bundle import Bundle
        from seamline.zoo.catalog import find_model

        return Bundle.load(find_model(self.model))

    def __call__(self) -> Scanner:
        from seamline.detector import Detector

        return Detector.load(self.model, threads=self.threads, device=self.device)


@dataclass(frozen=True)
class Settings:
    """What the caller may choose about a scan."""

    thorough: bool = False
    min_face_px: float = 48.0
    keep_evidence: bool = False
    reference: tuple[Reference, ...] = ()
    """Genuine footage, measured already, that the people in the files are judged against."""
    proposals: bool = False
    """Whether verdicts also have what stands out too little to be a segment."""

    def to_json(self) -> dict[str, Any]:
        """Gives what bears on the verdict; footage is named by its bytes."""
        chosen: dict[str, Any] = {"thorough": self.thorough, "min_face_px": self.min_face_px}
        if self.reference:
            chosen["reference"] = [one.sha256 for one in self.reference]
        if self.proposals:
            chosen["proposals"] = True
        return chosen


@dataclass(frozen=True)
class FileState:
    """Tells whether a file is still the one that was scanned."""

    size_bytes: int
    modified_ns: int

    @staticmethod
    def of(path: str) -> FileState | None:
        """Reads a file's state; None if it is not there."""
        try:
            found = os.stat(path)
        except (OSError, ValueError):  # ValueError: a name with a zero byte
            return None
        return FileState(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class Outcome:
    """One scanned file: its verdict, its state before the scan, its evidence if that was kept."""

    verdict: Verdict
    state: FileState | None
    evidence: Any = None


def examine_file(
    scanner: Scanner,
    path: str,
    settings: Settings,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Scans one file; ``progress`` is told the share done, 0 to 1."""
    before, start = FileState.of(path), time.monotonic()
    asked: dict[str, Any] = {"thorough": settings.thorough, "min_face_px": settings.min_face_px}
    if settings.reference:
        asked["reference"] = settings.reference
    if settings.proposals:
        asked["proposals"] = True
    evidence = None
    try:
        if settings.keep_evidence:
            examination = scanner.examine(path, progress=progress, **asked)
            verdict, evidence = examination.verdict, examination.evidence
        else:
            verdict = scanner.scan(path, progress=progress, **asked)
    except UnreadableMedia as error:
        verdict = _unread(path, error.reason, scanner, start)
    except Exception as error:  # a fault of ours in one file must not cost the other million
        _log.debug("scanning %s failed", path, exc_info=True)
        reason = f"an internal error, please report it ({type(error).__name__}: {error})"
        verdict = _unread(path, reason, scanner, start)
    if verdict.error is None and FileState.of(path) != before:
        verdict = replace(verdict, warnings=(*verdict.warnings, CHANGED))
    return Outcome(verdict, before, evidence)


def _unread(path: str, reason: str, scanner: Scanner, start: float) -> Verdict:
    spent = time.monotonic() - start
    return unreadable_verdict(path, reason, scanner.bundle.model_id, total_seconds=spent)
