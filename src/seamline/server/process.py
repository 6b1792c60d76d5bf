"""Makes a process harmless: it gives way to the service, has bounds, and dies with its parent.

For processes that open strangers' files. In: limits. Out: nothing; the process is changed.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

_NICENESS = 10
_KILL_ME_FIRST = 500  # of -1000 to 1000: when the machine runs out of memory, not the service
_SPACE_FACTOR = 4


def settle(lifeline: Connection, *, nice: int = _NICENESS) -> None:
    """Lowers the priority, writes no core files, and ends when ``lifeline``'s other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError, AttributeError):
        os.nice(nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_KILL_ME_FIRST))
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(0)


def bound_address_space(memory_bytes: int) -> None:
    """Makes absurd allocations fail at once, well above the limit that is watched.

    What counts is resident memory, which the parent watches: decoders and ONNX Runtime reserve
    gigabytes of addresses that they never touch, so a tight limit on addresses would refuse
    innocent files. This one only stops what would fill the machine between two looks.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        bound = _pages("/proc/self/statm", 0) + _SPACE_FACTOR * memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


def resident_bytes(pid: int | None) -> int | None:
    """Tells how much memory a process holds; None where the system does not say."""
    try:
        return _pages(f"/proc/{pid}/statm", 1)
    except (OSError, ValueError, IndexError):
        return None


def _pages(file: str, column: int) -> int:
    return int(Path(file).read_text().split()[column]) * os.sysconf("SC_PAGE_SIZE")
