"""Looks into an upload before it becomes a job, in a process of its own: a path in, its kind out.

A file that makes the decoder crash, hang or ask for gigabytes costs one of these processes, which
is replaced, and is refused.
"""

from __future__ import annotations

import multiprocessing
import queue
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from seamline.server.process import bound_address_space, settle
from seamline.server.refusals import Refused, check_pixels
from seamline.server.settings import Limits

LOOK_SECONDS = 20.0
MEMORY_BYTES = 10**9
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Seen:
    """What a look found: video, image or audio, and how long."""

    kind: str
    duration_seconds: float | None


@dataclass
class _Keeper:
    process: BaseProcess
    line: Connection
    lifeline: Connection


class Gate:
    """Some processes that look at uploads, one at a time each."""

    def __init__(self, limits: Limits, keepers: int = 2, seconds: float = LOOK_SECONDS) -> None:
        self._limits, self._seconds = limits, seconds
        self._free: queue.Queue[_Keeper] = queue.Queue()
        self._open = True
        for _ in range(keepers):
            self._free.put(_start(limits))

    def look(self, path: Path) -> Seen:
        """Looks at one upload; raises ``Refused``. Blocks: call it in a thread."""
        answer: Seen | Refused | None = None
        for _ in range(2):  # a process may be killed by somebody, and the file be innocent
            answer = self._ask(path)
            if answer is not None:
                break
        if answer is None:
            answer = Refused(415, "unreadable", "The decoder crashes on this file.")
        if isinstance(answer, Refused):
            raise answer
        return answer

    def _ask(self, path: Path) -> Seen | Refused | None:
        """Gets one process's answer; None where that died over it."""
        keeper = self._renewed(self._free.get())
        try:
            keeper.line.send(str(path))
            if keeper.line.poll(self._seconds):
                answer: Seen | Refused = keeper.line.recv()
                return answer
            _end(keeper)
            return Refused(
                415, "unreadable", f"What it holds cannot be told within {self._seconds:g} s."
            )
        except (EOFError, OSError):
            keeper.process.join(1)
            return None
        finally:
            self._free.put(self._renewed(keeper))

    def _renewed(self, keeper: _Keeper) -> _Keeper:
        """Gives the process, or a new one where it is dead."""
        if keeper.process.is_alive() or not self._open:
            return keeper
        _end(keeper)
        return _start(self._limits)

    def close(self) -> None:
        """Ends the processes."""
        self._open = False
        with suppress(queue.Empty):
            while True:
                _end(self._free.get_nowait())


def _start(limits: Limits) -> _Keeper:
    ours, theirs = _CONTEXT.Pipe()
    life, end = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_keep, args=(theirs, end, limits), daemon=True)
    process.start()
    theirs.close()
    end.close()
    return _Keeper(process, ours, life)


def _end(keeper: _Keeper) -> None:
    keeper.process.kill()
    keeper.process.join(5)
    keeper.line.close()
    keeper.lifeline.close()


def _keep(line: Connection, lifeline: Connection, limits: Limits) -> None:
    """Runs in the process: answers paths with ``Seen`` or ``Refused``."""
    settle(lifeline, nice=2)
    import seamline.media.probe  # noqa: F401 (loads the decoders, before the bound is set)

    bound_address_space(MEMORY_BYTES)
    while True:
        try:
            path = line.recv()
            line.send(_look(path, limits))
        except (EOFError, OSError):
            return


def _look(path: str, limits: Limits) -> Seen | Refused:
    from seamline.errors import OversizedMedia, UnreadableMedia
    from seamline.media.probe import probe

    try:
        info = probe(path)
        if info.video is not None:
            check_pixels((info.video.width, info.video.height), limits)
    except OversizedMedia as error:
        return Refused(413, "too_many_pixels", f"Its {error.reason}. Send a smaller copy.")
    except UnreadableMedia as error:
        return Refused(415, "unreadable", f"This file cannot be read: {error.reason}.")
    except Refused as refused:
        return refused
    except Exception as error:  # whatever a hostile file provokes, it is refused
        return Refused(415, "unreadable", f"This file cannot be read ({type(error).__name__}).")
    if info.duration_seconds is not None and info.duration_seconds > limits.duration_seconds:
        return Refused(
            413,
            "too_long",
            f"Files may last {limits.duration_seconds:,.0f} s; this one lasts "
            f"{info.duration_seconds:,.0f} s. Send the part that matters.",
        )
    return Seen(info.kind, info.duration_seconds)
