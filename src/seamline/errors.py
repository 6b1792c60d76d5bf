"""What the world does to us, as a tree of exceptions.

SeamlineError
├── UnreadableMedia      a file that cannot be opened, or holds nothing that decodes
│   └── OversizedMedia   one whose frames are too large to be decoded safely
├── BadManifest          a table of samples that does not follow the layout
├── BadReference         genuine footage to compare with that shows no face, or cannot be used
├── UnknownModel         a model name or folder that is not there
├── WrongUsage           options that contradict each other or what is on the disk
├── ServiceError         a service that refuses, or cannot be reached
│   └── JobFailed        a job that ended without a verdict
└── BadBundle            a bundle whose files are missing, altered or inconsistent
    └── ContractMismatch inputs cut by other rules than the bundle was trained on

A caller's slip (a wrong argument) is a ``ValueError`` and not listed here.
"""

from __future__ import annotations

from pathlib import Path


class SeamlineError(Exception):
    """Base of every error that Seamline raises for what it found in the world."""


class UnreadableMedia(SeamlineError):
    """A file that cannot be read as media; ``reason`` alone is fit for a table cell."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"Cannot read {path}: {reason}")
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableMedia], tuple[str, str]]:
        return type(self), (self.path, self.reason)  # crosses process borders whole


class OversizedMedia(UnreadableMedia):
    """A file whose frames are too large to be decoded safely."""


class BadManifest(SeamlineError):
    """A manifest row or column that does not follow the layout."""


class BadReference(SeamlineError):
    """Footage to compare with that cannot be read or shows no face, or a model that takes none."""


class UnknownModel(SeamlineError):
    """A model name or folder that does not exist."""


class WrongUsage(SeamlineError):
    """Options that contradict each other or what is on the disk."""


class ServiceError(SeamlineError):
    """A service that refuses a request (``status``, ``code``), or cannot be reached (both None)."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class JobFailed(ServiceError):
    """A job of a service that ended without a verdict."""


class BadBundle(SeamlineError):
    """A bundle whose files are missing, altered or inconsistent."""


class ContractMismatch(BadBundle):
    """Inputs cut by other rules than the ones that the bundle was trained on."""
