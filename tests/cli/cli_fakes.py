"""A detector for tests of the command: its verdict on a file is written in the file itself.

Importable by worker processes, which get it by name.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seamline.errors import UnreadableMedia
from seamline.scoring.verdict import (
    SCHEMA,
    Label,
    ModelId,
    Person,
    Segment,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
)

MODEL = ModelId("fake-detector", "1", "ab" * 32)


class FakeDetector:
    """Does what a file's text says: a chance, or an order like ``bad``, ``die``, ``bug``."""

    bundle = SimpleNamespace(model_id=MODEL)

    def scan(
        self,
        path: str | Path,
        *,
        thorough: bool,
        min_face_px: float,
        proposals: bool = False,
        progress: Any = None,
    ) -> Verdict:
        try:
            text = Path(path).read_text()
        except OSError as error:
            raise UnreadableMedia(path, "no such file") from error
        order, _, rest = text.partition(" ")
        if order == "bad":
            raise UnreadableMedia(path, rest or "the file is empty")
        if order == "bug":
            raise KeyError("a fault of ours")
        if order == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "grow":
            Path(path).write_text(text + "more")
        if order == "slow":
            time.sleep(float(rest))
        if progress is not None:
            progress(1.0)
        chance = float(order) if order.replace(".", "").isdigit() else 0.1
        verdict = make_verdict(str(path), chance, hashlib.sha256(text.encode()).hexdigest())
        return replace(verdict, proposals=verdict.segments) if proposals else verdict

    def examine(self, path: Any, **asked: Any) -> Any:
        return SimpleNamespace(verdict=self.scan(path, **asked), evidence=None)


@dataclass(frozen=True)
class FakeLoader:
    """Stands in for ``DetectorLoader``."""

    model: str = "seamline-small"
    threads: int = 0
    device: str = "cpu"

    def identify(self) -> ModelId:
        return MODEL

    def summary(self) -> dict[str, Any]:
        return {"line": "a fake", "limits": ["it reads what it is told"]}

    def card(self) -> str:
        return "# a fake"

    def __call__(self) -> FakeDetector:
        return FakeDetector()


class OtherModelLoader(FakeLoader):
    """As ``FakeLoader``, but of a later model."""

    def identify(self) -> ModelId:
        return ModelId("fake-detector", "2", "cd" * 32)


class DyingLoader(FakeLoader):
    """Cannot be loaded in a worker."""

    def __call__(self) -> FakeDetector:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def make_verdict(path: str, chance: float, sha256: str = "00") -> Verdict:
    """Gives a verdict on a ten-second film with a picture and no sound."""
    label: Label = "fake_video" if chance >= 0.5 else "real"
    found = (Segment("video", 0, 2.0, 6.0, chance),) if chance >= 0.5 else ()
    film = {"codec": "h264", "width": 640, "height": 480, "frames_per_second": 25.0}
    return Verdict(
        schema=SCHEMA,
        path=path,
        sha256=sha256,
        media={"duration_seconds": 10.0, "video": film, "audio": None},
        label=label,
        fake_probability=chance,
        video=SenseScore(chance, 8.0, None),
        audio=SenseScore(None, 0.0, "no audio stream"),
        sync=SyncScore(None, None, "no audio stream"),
        people=(Person(0, 0.0, 10.0, chance, 212),),
        segments=found,
        timeline=Timeline(video=(chance,) * 10),
        warnings=("heavy compression: scores are less certain",),
        model=MODEL,
        seconds={"total": 0.01},
    )
