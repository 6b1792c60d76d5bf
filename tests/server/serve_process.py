"""`seamline serve` as a process of its own, with the detector of tests."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from server_fakes import OrderedLoader
from seamline.scale import examine
from seamline.cli.main import app

if __name__ == "__main__":
    examine.DetectorLoader = OrderedLoader
    app()
"""
START_SECONDS = 60.0


class ServeProcess:
    """A running service; use as a context manager."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        here = Path(__file__).parent
        script = folder / "seamline_with_a_detector_of_tests.py"
        paths = [str(here), str(here.parent / "cli"), str(here.parent)]
        script.write_text(SCRIPT.format(paths=paths))
        command = [sys.executable, str(script), "serve", "--data", str(folder / "data"),
                   "--port", str(port), *options]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address = self._wait_for_address()

    def __enter__(self) -> ServeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()

    @property
    def port(self) -> int:
        """The port of the printed address."""
        return int(self.address.rstrip("/").rpartition(":")[2])

    def kill(self) -> None:
        """Ends the service as a power cut does."""
        self.process.kill()
        self.process.wait(10)

    def interrupt(self) -> int:
        """Ends the service as Ctrl-C does; gives its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def children(self) -> list[int]:
        """The service's own processes."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [
            int(pid)
            for task in tasks.iterdir()
            for pid in (task / "children").read_text().split()
        ]  # fmt: skip

    def _read(self) -> None:
        assert self.process.stderr is not None
        try:
            for line in self.process.stderr:
                self.said.append(line)
        except ValueError:  # closed while it was read
            pass

    def _wait_for_address(self) -> str:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            for line in self.said:
                found = re.search(r"http://\S+", line)
                if found:
                    return found[0]
            if self.process.poll() is not None:
                time.sleep(0.2)
                raise AssertionError(f"the service ended: {''.join(self.said)}")
            time.sleep(0.02)
        self.process.kill()
        raise AssertionError(f"the service did not start: {''.join(self.said)}")


def is_alive(pid: int) -> bool:
    """Tells whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(pids: list[int], seconds: float = 20.0) -> bool:
    """Waits until all processes have ended; tells whether they have."""
    until = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(is_alive, pids))
