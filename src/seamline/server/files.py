"""The folder of the service: uploads come in here, lie beside their results, and are removed.

::

    DATA/
      lock                  held while a service runs here
      home                  a random name: whose jobs in the database these are
      jobs.sqlite           unless another database is named
      incoming/             uploads that are not whole yet; emptied at every start
      jobs/ID/media         the upload, under a name of ours
      jobs/ID/part-…/       what an attempt has written so far
      jobs/ID/result/       report.html, evidence.json, looks/N/face.png, looks/N/heat.png

No part of any path comes from outside: names of uploads are only ever shown.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Container
from pathlib import Path

from seamline.errors import SeamlineError, WrongUsage

_ID = re.compile(r"[A-Za-z0-9_-]{22}")


def new_id() -> str:
    """Makes a job's id: 128 random bits, fit for an address."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Tells whether a text could be a job's id."""
    return _ID.fullmatch(text) is not None


class DataFolder:
    """The folder, held by one service at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: int | None = None
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in (self.incoming, self._jobs):
                part.mkdir(exist_ok=True, mode=0o700)
            self._hold()
            self.home = self._name()
            for rest in self.incoming.iterdir():
                rest.unlink()
        except OSError as error:
            raise SeamlineError(
                f"--data {root} cannot be used: {error.filename}: {error.strerror}."
            ) from error

    @property
    def incoming(self) -> Path:
        """Where uploads lie until they are whole."""
        return self.root / "incoming"

    @property
    def _jobs(self) -> Path:
        return self.root / "jobs"

    def job(self, job_id: str) -> Path:
        """Gives the folder of one job."""
        if not is_id(job_id):
            raise ValueError(f"not a job's id: {job_id!r}")
        return self._jobs / job_id

    def media(self, job_id: str) -> Path:
        """Gives the place of a job's upload."""
        return self.job(job_id) / "media"

    def result(self, job_id: str) -> Path:
        """Gives the folder of a job's report and evidence."""
        return self.job(job_id) / "result"

    def part(self, job_id: str, claim: str) -> Path:
        """Gives the folder in which one attempt at a job writes."""
        return self.job(job_id) / f"part-{claim}"

    def take_in(self, upload: Path, job_id: str) -> None:
        """Moves a whole upload to its job, and waits until the disk has it."""
        self.job(job_id).mkdir(mode=0o700)
        upload.replace(self.media(job_id))

    def publish(self, job_id: str, claim: str) -> None:
        """Makes what an attempt wrote the job's result; once is enough."""
        if not self.part(job_id, claim).is_dir():
            return
        shutil.rmtree(self.result(job_id), ignore_errors=True)
        self.part(job_id, claim).replace(self.result(job_id))

    def drop_parts(self, job_id: str) -> None:
        """Removes what unfinished attempts left."""
        for part in self.job(job_id).glob("part-*"):
            shutil.rmtree(part, ignore_errors=True)

    def remove(self, job_id: str) -> None:
        """Removes all that a job has on the disk."""
        shutil.rmtree(self.job(job_id), ignore_errors=True)

    def sweep(self, known: Container[str]) -> int:
        """Removes folders of jobs that nobody knows of, and all unfinished parts."""
        removed = 0
        for folder in self._jobs.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
            elif is_id(folder.name):
                self.drop_parts(folder.name)
        return removed

    def free_bytes(self) -> int:
        """Tells how much room the disk has."""
        return shutil.disk_usage(self.root).free

    def release(self) -> None:
        """Lets another service have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold(self) -> None:
        self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            import fcntl
        except ImportError:  # Windows: two services on one folder are not noticed there
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise WrongUsage(
                f"Another service runs on --data {self.root}. Stop it, or name another folder."
            ) from None

    def _name(self) -> str:
        file = self.root / "home"
        if not file.exists():
            file.write_text(secrets.token_hex(8))
        return file.read_text().strip()
