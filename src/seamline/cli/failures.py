"""Which exit status a failure has: 2 when the call itself must be changed, else 1."""

from __future__ import annotations

from seamline.errors import BadManifest, BadReference, SeamlineError, UnknownModel, WrongUsage


def exit_status(error: SeamlineError) -> int:
    """Gives the status with which a command ends on an error that stops it."""
    return 2 if isinstance(error, (WrongUsage, UnknownModel, BadManifest, BadReference)) else 1
