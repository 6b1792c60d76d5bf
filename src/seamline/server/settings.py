"""What whoever runs the service may choose: limits, places, who may ask. Text becomes numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from seamline.errors import WrongUsage
from seamline.media.container import MAX_PIXELS

_SPAN_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SIZE_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_TOKEN = 8


@dataclass(frozen=True)
class Limits:
    """Where the service says no."""

    upload_bytes: int = 2 * 10**9
    duration_seconds: float = 4 * 3600.0
    pixels: int = MAX_PIXELS
    """Of one frame."""
    job_seconds: float = 900.0
    """A job that takes longer is ended, and not tried again."""
    memory_bytes: int = 4 * 10**9
    """Resident memory of one worker."""
    waiting_jobs: int = 1000
    uploads_at_once: int = 64
    jobs_a_minute: int = 120
    """From one address."""
    streams_at_once: int = 200
    """Of events."""
    free_bytes: int = 10**9
    """What an upload must leave free on the disk."""
    silent_seconds: float = 20.0
    """An upload that sends nothing for so long is refused."""
    slowest_bytes_a_second: float = 1000.0
    """Over an upload's whole time, after its first ``silent_seconds``."""
    upload_seconds: float = 3600.0
    """A whole upload may take."""


@dataclass(frozen=True)
class ServiceSettings:
    """How one service runs."""

    data: Path
    """The folder of uploads, results and, unless another is named, the database."""
    database: str | None = None
    """An SQLAlchemy URL; None stands for SQLite in ``data``."""
    workers: int = 1
    token: str | None = None
    keep_seconds: float | None = 7 * 86400.0
    """How long a job is kept after its end; 0: files go with the verdict; None: for ever."""
    hosts: tuple[str, ...] = tuple(sorted(_LOOPBACK))
    """The names that a browser may call the service by where no token is asked for."""
    limits: Limits = field(default_factory=Limits)

    @property
    def database_url(self) -> str:
        """Gives the URL of the database."""
        return self.database or f"sqlite:///{self.data.absolute() / 'jobs.sqlite'}"


def is_loopback(host: str) -> bool:
    """Tells whether only this machine can reach a service on ``host``."""
    return host in _LOOPBACK or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def check_host(host: str, token: str | None, *, insecure: bool) -> None:
    """Refuses to be open to others without a token; raises ``WrongUsage``."""
    if not is_loopback(host) and token is None and not insecure:
        raise WrongUsage(
            f"--host {host} lets other machines in, and no --token keeps them out: all could read "
            "every upload. Set --token (or SEAMLINE_TOKEN), or say --insecure if that is meant."
        )
    if token is not None and not (len(token) >= SHORTEST_TOKEN and token.isascii()):
        raise WrongUsage(
            f"--token must have {SHORTEST_TOKEN} or more ASCII characters, found {len(token)}. "
            'Try: python -c "import secrets; print(secrets.token_urlsafe())"'
        )


def parse_keep(text: str) -> float | None:
    """Reads a span of time such as 12h, 7d or 0; ``forever`` gives None."""
    if text == "forever":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", text.strip())
    if found is None or (not found[2] and float(found[1]) != 0):
        raise WrongUsage(f"--keep takes a span such as 12h, 7d, 0 or forever, found {text!r}.")
    return float(found[1]) * _SPAN_SECONDS[found[2] or "s"]


def parse_size(option: str, text: str) -> int:
    """Reads a number of bytes such as 500M or 2G (powers of ten)."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None or float(found[1]) == 0:
        raise WrongUsage(f"{option} takes a size such as 500M or 2G, found {text!r}.")
    return round(float(found[1]) * _SIZE_BYTES[found[2]])
