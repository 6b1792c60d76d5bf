"""Loaders for tests of the Ray engine; importable by Ray's workers, which get them by name."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_fakes import FakeDetector, FakeLoader

from seamline.errors import BadBundle
from seamline.scoring.verdict import Verdict

HALTED = "halted"


class HaltingDetector(FakeDetector):
    """Halts at the file that says ``halt``, once: notes its process and waits to be killed."""

    def __init__(self, folder: str) -> None:
        self._halted = Path(folder) / HALTED

    def scan(self, path: Any, **asked: Any) -> Verdict:
        if Path(path).read_text() == "halt" and not self._halted.exists():
            unfinished = self._halted.with_suffix(".part")
            unfinished.write_text(str(os.getpid()))
            unfinished.replace(self._halted)
            time.sleep(60)
        return super().scan(path, **asked)


@dataclass(frozen=True)
class HaltingLoader(FakeLoader):
    """Loads detectors that halt once between all of them."""

    folder: str = ""

    def __call__(self) -> FakeDetector:
        return HaltingDetector(self.folder)


class BrokenLoader(FakeLoader):
    """Finds its bundle altered."""

    def __call__(self) -> FakeDetector:
        raise BadBundle("picture.onnx was altered")
