"""A worker process seen from the service: its line, the job it is at, and how it died."""

from __future__ import annotations

import multiprocessing
import signal
import time
from contextlib import suppress

from seamline.scale.examine import Loader
from seamline.server.process import resident_bytes
from seamline.server.results import Order
from seamline.server.store import JobRow
from seamline.server.worker import Answer, work

_CONTEXT = multiprocessing.get_context("spawn")  # decoders and ONNX Runtime do not survive a fork


class WorkerProcess:
    """One worker and what it is at."""

    def __init__(self, load: Loader, memory_bytes: int) -> None:
        self.line, theirs = _CONTEXT.Pipe()
        self._lifeline, end = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=work, args=(theirs, end, load, memory_bytes), daemon=True
        )
        self._process.start()
        theirs.close()  # the worker holds the only other end, so its death ends the line
        end.close()
        self.is_ready = False
        self.job: JobRow | None = None
        self.answer: Answer | None = None
        self.since = 0.0

    def take(self, job: JobRow, order: Order) -> None:
        """Gives the worker a job."""
        self.job, self.since = job, time.monotonic()
        with suppress(OSError):  # dead by now: the next turn hears of it
            self.line.send(order)

    def is_alive(self) -> bool:
        """Tells whether the process runs."""
        return self._process.is_alive()

    def resident_bytes(self) -> int | None:
        """Tells how much memory the process holds."""
        return resident_bytes(self._process.pid)

    def manner_of_death(self) -> str:
        """Says how the process ended."""
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            try:
                return f"the decoder crashed on this file ({signal.Signals(-code).name})"
            except ValueError:
                return f"the decoder crashed on this file (signal {-code})"
        return f"the worker ended over this file (exit status {code})"

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()
        self._process.join(5)

    def end(self) -> None:
        """Ends the process and closes its lines."""
        self.kill()
        self.line.close()
        self._lifeline.close()
