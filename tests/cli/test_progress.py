from __future__ import annotations

import io

import pytest

from seamline.cli import progress
from seamline.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_short_run_shows_nothing(clock):
    stream = io.StringIO()
    bar = Progress(10, stream)
    for _ in range(10):
        clock[0] += 0.05
        bar.file_done()
    assert stream.getvalue() == ""


def test_without_a_terminal_a_plain_line_comes_every_few_seconds(clock):
    stream = io.StringIO()
    bar = Progress(40, stream)
    for _ in range(40):
        clock[0] += 0.5
        bar.file_done()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "  5 %, 2 of 40 files, 0:19 to go"
    assert len(lines) == 4
    assert "\r" not in stream.getvalue()


def test_in_a_terminal_one_line_is_redrawn_and_cleared(clock):
    stream = Terminal()
    bar = Progress(1, stream)
    clock[0] += 2
    bar.part(0.5)
    assert stream.getvalue() == "\r[############............]  50 %, 0:02 to go\x1b[K"
    bar.clear()
    assert stream.getvalue().endswith("\r\x1b[K")
