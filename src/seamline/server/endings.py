"""How an attempt at a job ends: the answer goes into the store, files to their place or away."""

from __future__ import annotations

from contextlib import suppress

from seamline.server.files import DataFolder
from seamline.server.settings import ServiceSettings
from seamline.server.store import MOST_ATTEMPTS, JobRow, JobStore
from seamline.server.worker import Answer

ZERO_KEEP_SECONDS = 3600.0
"""With zero retention: how long the verdict alone can be fetched."""


def row_keep_seconds(settings: ServiceSettings) -> float | None:
    """Tells how long a job's row outlives its end."""
    return ZERO_KEEP_SECONDS if settings.keep_seconds == 0 else settings.keep_seconds


class Endings:
    """Ends attempts; a claim that is no longer held changes nothing."""

    def __init__(self, store: JobStore, files: DataFolder, settings: ServiceSettings) -> None:
        self._store, self._files = store, files
        self._keep_files = settings.keep_seconds != 0
        self._keep_seconds = row_keep_seconds(settings)

    def may_try_again(self, job: JobRow) -> bool:
        """Tells whether a job whose worker died gets another attempt."""
        return job.attempts < MOST_ATTEMPTS

    def give_back(self, job: JobRow) -> None:
        """Queues a job once more."""
        assert job.claim is not None
        self._store.give_back(job.claim)
        self._files.drop_parts(job.id)

    def end(self, job: JobRow, answer: Answer) -> None:
        """Ends a job with its answer."""
        assert job.claim is not None
        if answer.verdict is not None:
            if answer.has_report:
                with suppress(FileNotFoundError):  # deleted at this moment
                    self._files.publish(job.id, job.claim)
            self._store.finish(
                job.claim,
                answer.verdict,
                keep_seconds=self._keep_seconds,
                has_report=answer.has_report,
                has_media=self._keep_files,
            )
        else:
            self._store.fail(
                job.claim,
                answer.reason or "no reason was recorded",
                keep_seconds=self._keep_seconds,
                has_media=self._keep_files,
            )
        if not self._keep_files or self._store.get(job.id) is None:
            self._files.remove(job.id)
        else:
            self._files.drop_parts(job.id)
