"""A detector for tests of the service: what it does stands in the sound file that it is given.

The file is a genuine WAV, so that it passes the gate; the order is a chunk that players skip.
Importable by worker processes, which get it by name.
"""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from cli_fakes import MODEL, FakeLoader, make_verdict

from seamline.errors import BadReference, UnreadableMedia
from seamline.scoring.evidence import Evidence, FaceLook, FacesSeen
from seamline.scoring.reference import Reference, reference_use

RATE_HZ = 8000


def wav(order: str = "0.1", seconds: float = 0.1) -> bytes:
    """Gives a WAV file of silence that carries an order.

    Orders: a chance such as ``0.9``; ``slow 2``: takes that long; ``die``: kills its process;
    ``die-once PATH``: does so unless PATH is there, and makes it; ``hang``; ``eat``: takes more
    and more memory; ``bad REASON``: cannot be read.
    """
    sound = bytes(2 * round(seconds * RATE_HZ))
    layout = struct.pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    body = b"WAVE" + _chunk(b"fmt ", layout) + _chunk(b"data", sound) + _chunk(b"ordr", order)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


class OrderedDetector:
    """Does what the file says."""

    bundle = SimpleNamespace(model_id=MODEL)

    def examine(self, path: Any, *, progress: Any = None, reference: Any = (), **_: Any) -> Any:
        content = Path(path).read_bytes()
        order, _, rest = content.rpartition(b"ordr")[2][4:].rstrip(b"\0").decode().partition(" ")
        if order == "bad":
            raise UnreadableMedia(path, rest)
        if order == "die" or (order == "die-once" and not Path(rest).exists()):
            if rest:
                Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "hang":
            time.sleep(600)
        if order == "eat":
            eaten = []
            while True:
                eaten.append(np.ones(15_000_000))
                time.sleep(0.02)
        if order == "slow":
            for step in range(10):
                progress(step / 10)
                time.sleep(float(rest) / 10)
        progress(1.0)
        chance = float(order) if order.replace(".", "").isdigit() else 0.1
        verdict = make_verdict(str(path), chance)
        if reference:
            verdict = replace(verdict, reference=reference_use(reference, {}))
        return SimpleNamespace(verdict=verdict, evidence=evidence(chance))

    def read_reference(self, path: Any, **_: Any) -> Reference:
        content = Path(path).read_bytes() if Path(path).exists() else b"ordrgone"
        order = content.rpartition(b"ordr")[2]
        if b"faceless" in order or b"gone" in order:
            raise BadReference(f"The reference {path} shows no face. Name another.")
        return Reference(str(path), hashlib.sha256(content).hexdigest(), (), 0.4)

    def scan(self, path: Any, **asked: Any) -> Any:
        return self.examine(path, **asked).verdict


def evidence(chance: float) -> Evidence:
    """Gives three frames of one face, the first two with a crop."""
    crop, heat = np.full((32, 32, 3), 90, np.uint8), np.full((4, 4), chance)
    box = np.array([10.0, 20.0, 110.0, 140.0])
    looks = [FaceLook(0, second, crop, heat, box, chance) for second in (0.0, 0.5)]
    seen = FacesSeen(0, np.array([0.0, 0.5, 1.0]), np.tile(box, (3, 1)), np.full(3, chance))
    return Evidence(looks=looks, faces=[seen])


@dataclass(frozen=True)
class OrderedLoader(FakeLoader):
    """Stands in for ``DetectorLoader``."""

    def __call__(self) -> Any:
        return OrderedDetector()
