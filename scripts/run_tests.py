"""Runs all tests in a few pytest processes, one after another, none of which can hang for long.

In: the tests of this checkout. Out: what pytest prints; the exit status is that of the first group
of tests that fails, and then no further group is run. A group that never comes to its end (a test
that hangs is ended with everyone's stack by ``faulthandler_timeout`` in pyproject.toml, anything
else by `GROUP_SECONDS`) is run once more, which is said; a second hang in one run is a failure.

    python scripts/run_tests.py
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = [["models", "training"], ["cli", "scale", "server", "watch"]]
"""Folders whose tests share a process; all that is not named is the last group."""
GROUP_SECONDS = 1500.0
"""A bound for hangs outside of tests; a group takes a few minutes, on a busy machine more."""
DUMP_SECONDS = 20.0
HUNG = 124  # as timeout(1) says it


def main() -> int:
    """Run the groups; gives the exit status."""
    may_repeat = True
    named = [f"tests/{folder}" for group in GROUPS for folder in group]
    rest = ["tests", *(f"--ignore={folder}" for folder in named)]
    for group in [*([f"tests/{folder}" for folder in group] for group in GROUPS), rest]:
        status = run_group(group)
        if status == HUNG and may_repeat:
            may_repeat = False
            say(f"pytest {' '.join(group)} hung and was ended; it is run once more.")
            status = run_group(group)
        if status == HUNG:
            say(f"pytest {' '.join(group)} hung and was ended: the second hang is a failure.")
        if status:
            return status
    return 0


def run_group(arguments: list[str], seconds: float = GROUP_SECONDS) -> int:
    """Run pytest in a process of its own; gives its exit status, or `HUNG`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "ended.xml"  # written by pytest as the last thing it does
        command = [sys.executable, "-m", "pytest", *arguments, f"--junitxml={report}"]
        child = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            end_with_stacks(child)
            return HUNG
        finally:
            end_group(child)
        if status < 0:
            say(f"pytest was ended by {signal.Signals(-status).name}")
            return 128 - status
        # faulthandler ends a process as a failing test does, with 1, but at once.
        return HUNG if status == 1 and not report.exists() else status


def end_with_stacks(child: subprocess.Popen[bytes]) -> None:
    """Have faulthandler print every thread's stack, which needs no lock of Python, and end."""
    child.send_signal(signal.SIGABRT)
    with contextlib.suppress(subprocess.TimeoutExpired):  # then it is killed with its group
        child.wait(DUMP_SECONDS)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a group: pytest itself, and the workers and browsers it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def say(text: str) -> None:
    print(f"\nrun_tests: {text}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the group, too
    sys.exit(main())
