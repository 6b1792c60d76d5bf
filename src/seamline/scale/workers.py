"""Scans many files, in this process or in several: paths in, outcomes out as they are done.

A worker process that dies, however hard, costs the one file it was at: that file becomes a row
with a reason, and a fresh worker takes the next.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from seamline.errors import SeamlineError
from seamline.scale.examine import FileState, Loader, Outcome, Settings, examine_file
from seamline.scoring.verdict import ModelId, unreadable_verdict

_CONTEXT = multiprocessing.get_context("spawn")  # decoders and ONNX Runtime do not survive a fork


def scan_files(
    paths: Sequence[str],
    load: Loader,
    settings: Settings,
    *,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Yields (place in ``paths``, outcome); with several jobs, in the order of finishing.

    ``progress`` is told the share of the file at hand, by a single job only.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be 1 or more, found {jobs}")
    if jobs == 1 or len(paths) < 2:
        scanner = load()
        for index, path in enumerate(paths):
            yield index, examine_file(scanner, path, settings, progress)
    else:
        yield from _scan_in_processes(paths, load, settings, min(jobs, len(paths)))


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: int | None = None


def _scan_in_processes(
    paths: Sequence[str], load: Loader, settings: Settings, jobs: int
) -> Iterator[tuple[int, Outcome]]:
    model = load.identify()
    waiting = deque(range(len(paths)))
    workers = [_start(load, settings) for _ in range(jobs)]
    open_tasks = len(paths)
    try:
        while open_tasks:
            working = [worker for worker in workers if not worker.connection.closed]
            ready = wait([worker.connection for worker in working])
            for worker in [worker for worker in working if worker.connection in ready]:
                task, outcome = _hear(worker, paths, model)
                if outcome is not None and task is not None:
                    open_tasks -= 1
                    yield task, outcome
                if worker.connection.closed:  # it died
                    workers.remove(worker)
                    if waiting:
                        workers.append(_start(load, settings))
                elif waiting:
                    worker.task = waiting.popleft()
                    with suppress(OSError):  # dead by now: the next turn hears of it
                        worker.connection.send(paths[worker.task])
                else:
                    worker.connection.close()  # so it leaves by itself
                    worker.process.join(timeout=5)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _hear(
    worker: _Worker, paths: Sequence[str], model: ModelId
) -> tuple[int | None, Outcome | None]:
    """Takes a worker's message; for one that died, closes its line and gives its file's row."""
    task, worker.task = worker.task, None
    try:
        message = worker.connection.recv()
    except (EOFError, OSError):
        worker.connection.close()
        worker.process.join()
        how = _manner(worker.process.exitcode)
        if task is None:
            raise SeamlineError(
                f"A worker process ended before its first file ({how}). Try --jobs 1, which "
                "works without them; `seamline doctor` checks the installation."
            ) from None
        reason = f"the decoder crashed on this file ({how})"
        verdict = unreadable_verdict(paths[task], reason, model)
        return task, Outcome(verdict, FileState.of(paths[task]))
    if isinstance(message, SeamlineError):
        raise message
    return task, message


def _manner(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            return f"killed by {signal.Signals(-exitcode).name}"
        except ValueError:
            return f"killed by signal {-exitcode}"
    return f"exit status {exitcode}"


def _start(load: Loader, settings: Settings) -> _Worker:
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(theirs, load, settings), daemon=True)
    process.start()
    theirs.close()  # the worker holds the only other end, so its death ends the line
    return _Worker(process, ours)


def _work(connection: Connection, load: Loader, settings: Settings) -> None:
    """Runs in a worker: loads once, says so with a None, then answers paths with outcomes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        scanner = load()
    except SeamlineError as error:
        connection.send(error)
        return
    message: Any = None
    while True:
        try:
            connection.send(message)
            path = connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent is done, or gone
            return
        message = examine_file(scanner, path, settings)


def threads_per_job(jobs: int) -> int:
    """Shares the cores out; 0 lets a single job use them all."""
    return 0 if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)


def in_order(outcomes: Iterator[tuple[int, Outcome]]) -> Iterator[Outcome]:
    """Puts outcomes back into the order of the paths, holding back what came too early."""
    held: dict[int, Outcome] = {}
    turn = 0
    for index, outcome in outcomes:
        held[index] = outcome
        while turn in held:
            yield held.pop(turn)
            turn += 1
