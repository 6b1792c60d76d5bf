"""Keeps worker processes at work on the queue: jobs out of the store, answers back into it.

One thread hands out jobs, listens to all workers, and ends those that break a limit, whose job was
deleted, or that died by themselves. A worker's death costs its job one retry.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait

import sqlalchemy as sa

from seamline.scale.examine import Loader
from seamline.server.endings import Endings
from seamline.server.files import DataFolder
from seamline.server.results import Order
from seamline.server.settings import ServiceSettings
from seamline.server.store import LEASE_SECONDS, JobStore
from seamline.server.worker import Answer, NotLoaded, Ready, Step
from seamline.server.worker_process import WorkerProcess

TICK_SECONDS = 0.2
RENEW_SECONDS = LEASE_SECONDS / 6
SWEEP_SECONDS = 5.0
PAUSE_SECONDS = 5.0
"""Before a worker that could not load is started again."""
_log = logging.getLogger(__name__)


class Pool:
    """The workers of one service and the thread that keeps them busy."""

    def __init__(
        self,
        store: JobStore,
        files: DataFolder,
        load: Loader,
        settings: ServiceSettings,
        tell: Callable[[str], None],
    ) -> None:
        """``tell`` is called, in the pool's thread, with the id of every job that changed."""
        self._store, self._files, self._load, self._settings = store, files, load, settings
        self._tell = tell
        self._endings = Endings(store, files, settings)
        self._workers: list[WorkerProcess] = []
        self._cancelled: set[str] = set()
        self._stopping = threading.Event()
        self._renewed = self._swept = 0.0
        self._start_after = 0.0
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._button, False)
        self._thread = threading.Thread(target=self._run, name="seamline-pool", daemon=True)
        self.progress: dict[str, Step] = {}
        """How far the running jobs are, by id; newer than what the store has."""
        self.trouble: str | None = "the workers are loading the model"
        """Why no job can be worked on; None when all is well."""

    def start(self) -> None:
        """Starts the workers."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the workers; their jobs start again with the next service on this folder."""
        self._stopping.set()
        self.ring()
        self._thread.join(10)

    def ring(self) -> None:
        """Says that a job was queued."""
        with suppress(BlockingIOError):  # rung already
            os.write(self._button, b"!")

    def cancel(self, job_id: str) -> None:
        """Ends the work on a job that was deleted."""
        self._cancelled.add(job_id)
        self.ring()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._turn()
                except sa.exc.SQLAlchemyError as error:
                    _log.warning("the database fails: %s", error)
                    self.trouble = "the database fails"
                    self._stopping.wait(1.0)
                except Exception:  # a fault of ours in one turn must not end all work
                    _log.exception("the pool met an error and goes on")
                    self._stopping.wait(1.0)
        finally:
            for worker in self._workers:
                worker.end()

    def _turn(self) -> None:
        self._fill()
        lines = [worker.line for worker in self._workers]
        ready: Sequence[object] = wait([*lines, self._bell], TICK_SECONDS)
        if self._bell in ready:
            os.read(self._bell, 4096)
        cancelled = set(self._cancelled)
        for worker in list(self._workers):
            if worker.line in ready:
                self._hear(worker)
            if worker not in self._workers:  # it died, and that was dealt with
                continue
            if worker.answer is not None:
                self._settle(worker)
            elif worker.job is not None:
                self._check(worker, cancelled)
        for job_id in cancelled:  # also what was written between the deletion and the kill
            self._files.remove(job_id)
        self._cancelled -= cancelled
        self._hand_out()
        self._keep_house()

    def _fill(self) -> None:
        """Starts workers for those that are gone."""
        while len(self._workers) < self._settings.workers:
            if time.monotonic() < self._start_after:
                return
            memory_bytes = self._settings.limits.memory_bytes
            self._workers.append(WorkerProcess(self._load, memory_bytes))

    def _hear(self, worker: WorkerProcess) -> None:
        try:
            message = worker.line.recv()
        except (EOFError, OSError):
            self._lost(worker)
            return
        if isinstance(message, Ready):
            worker.is_ready = True
            self.trouble = None
        elif isinstance(message, NotLoaded):
            self._give_up(worker, message.reason)
        elif worker.job is None:  # of a job that was settled otherwise
            return
        elif isinstance(message, Step):
            self.progress[worker.job.id] = message
            self._tell(worker.job.id)
        elif isinstance(message, Answer):
            worker.answer = message

    def _check(self, worker: WorkerProcess, cancelled: set[str]) -> None:
        """Ends a worker whose job was deleted or takes too much."""
        assert worker.job is not None
        limits = self._settings.limits
        if worker.job.id in cancelled:
            self._retire(worker)
        elif time.monotonic() - worker.since > limits.job_seconds:
            reason = f"it took longer than {limits.job_seconds:g} s, the limit of this service"
            worker.kill()
            worker.answer = Answer(None, reason, has_report=False)
            self._settle(worker)
        elif (held := worker.resident_bytes()) is not None and held > limits.memory_bytes:
            worker.kill()
            self._lost(worker, f"it took more than {limits.memory_bytes / 1e9:.1f} GB of memory")

    def _lost(self, worker: WorkerProcess, why: str | None = None) -> None:
        """A worker died: its job is tried once more, or has failed."""
        why = why or worker.manner_of_death()
        if worker.job is None:
            if not worker.is_ready:
                self._give_up(worker, f"a worker ended while it loaded ({why})")
            else:
                self._retire(worker)
            return
        _log.warning("job %s, attempt %d: %s", worker.job.id, worker.job.attempts, why)
        if self._endings.may_try_again(worker.job):
            self._endings.give_back(worker.job)
            self._retire(worker)
        else:
            worker.answer = Answer(None, f"{why}, twice", has_report=False)
            self._settle(worker)

    def _settle(self, worker: WorkerProcess) -> None:
        """Writes down how a job ended; where the database fails, the next turn tries again."""
        assert worker.job is not None
        assert worker.answer is not None
        job_id = worker.job.id
        self._endings.end(worker.job, worker.answer)
        worker.job = worker.answer = None
        self.progress.pop(job_id, None)
        self._tell(job_id)
        if not worker.is_alive():
            self._retire(worker)

    def _hand_out(self) -> None:
        for worker in self._workers:
            if not worker.is_ready or worker.job is not None:
                continue
            job = self._store.claim_next()
            if job is None or job.claim is None:
                return
            order = Order(
                claim=job.claim,
                media=self._files.media(job.id),
                part=self._files.part(job.id, job.claim),
                name=job.name,
                references=tuple(self._reference(one) for one in job.reference_ids or ()),
                keep_files=self._settings.keep_seconds != 0,
            )
            worker.take(job, order)
            self._tell(job.id)

    def _reference(self, job_id: str) -> tuple[Path, str]:
        row = self._store.get(job_id)
        return self._files.media(job_id), job_id if row is None else row.name

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now - self._renewed > RENEW_SECONDS:
            self._renewed = now
            held = {worker.job.claim for worker in self._workers if worker.job is not None}
            for claim in held:
                if claim is not None:
                    self._store.renew(claim)
            for claim in self._store.lapsed():
                if claim not in held:
                    self._store.give_back(claim)
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            for job_id in self._store.expired():
                self._store.delete(job_id)
                self._files.remove(job_id)
                self._tell(job_id)

    def _give_up(self, worker: WorkerProcess, why: str) -> None:
        """A worker cannot even load: says so, and pauses before the next is started."""
        _log.error("no worker: %s", why)
        self.trouble = why
        self._start_after = time.monotonic() + PAUSE_SECONDS
        self._retire(worker)

    def _retire(self, worker: WorkerProcess) -> None:
        if worker.job is not None:
            self.progress.pop(worker.job.id, None)
            self._tell(worker.job.id)
        worker.end()
        self._workers.remove(worker)
