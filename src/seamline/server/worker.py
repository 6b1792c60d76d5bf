"""The process that examines uploads: orders in, steps and answers out, over one line.

It owns a detector, loads once, and knows neither the database nor the network.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from seamline.errors import BadReference, SeamlineError
from seamline.scale.examine import Loader, Settings, examine_file
from seamline.server.process import bound_address_space, settle
from seamline.server.results import Order, named, write_results

STEP_EVERY_SECONDS = 0.25


@dataclass(frozen=True)
class Ready:
    """The worker has loaded and waits for an order."""


@dataclass(frozen=True)
class NotLoaded:
    """The worker cannot work at all."""

    reason: str


@dataclass(frozen=True)
class Step:
    """How far the job at hand is."""

    stage: str
    share: float


@dataclass(frozen=True)
class Answer:
    """How the job at hand ended: a verdict's JSON, or the reason why there is none."""

    verdict: dict[str, Any] | None
    reason: str | None
    has_report: bool


def work(line: Connection, lifeline: Connection, load: Loader, memory_bytes: int) -> None:
    """Runs in the process until the line closes."""
    settle(lifeline)
    try:
        from seamline.report.pages import model_summary

        scanner = load()
        model = model_summary(load.identify(), load.summary())
    except SeamlineError as error:
        line.send(NotLoaded(str(error)))
        return
    bound_address_space(memory_bytes)
    message: Ready | Answer = Ready()
    while True:
        try:
            line.send(message)
            order: Order = line.recv()
            message = _do(scanner, order, model, _Steps(line))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _do(scanner: Any, order: Order, model: Any, steps: _Steps) -> Answer:
    steps.tell("reading", 0.0)
    try:
        references = tuple(_reference(scanner, *one) for one in order.references)
    except BadReference as error:
        return Answer(None, str(error), has_report=False)
    settings = Settings(keep_evidence=order.keep_files, reference=references)
    outcome = examine_file(scanner, str(order.media), settings, steps.examined)
    if outcome.verdict.error is not None:
        return Answer(None, outcome.verdict.error, has_report=False)
    if order.keep_files:
        steps.tell("reporting", 0.95)
        try:
            write_results(order, outcome, model)
        except OSError as error:
            return Answer(None, f"its results cannot be stored: {error.strerror}", False)
    return Answer(named(outcome.verdict, order.name).to_json(), None, order.keep_files)


def _reference(scanner: Any, path: Path, name: str) -> Any:
    """Measures genuine footage; what is said of it names it as its sender does."""
    try:
        found = scanner.read_reference(
            path, thorough=Settings.thorough, min_face_px=Settings.min_face_px
        )
    except BadReference as error:
        raise BadReference(str(error).replace(str(path), name)) from None
    return replace(found, path=name)


class _Steps:
    """Tells the service how far a job is, but not more often than somebody would look."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._next = 0.0

    def tell(self, stage: str, share: float) -> None:
        self._line.send(Step(stage, share))

    def examined(self, share: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + STEP_EVERY_SECONDS
            self.tell("examining", 0.95 * min(max(share, 0.0), 1.0))
