"""The running service: its folder, jobs, workers and listeners, opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from seamline.scale.examine import Loader
from seamline.server.endings import row_keep_seconds
from seamline.server.files import DataFolder, is_id, new_id
from seamline.server.gate import Gate
from seamline.server.guard import Guard
from seamline.server.hub import Hub
from seamline.server.pool import Pool
from seamline.server.refusals import Refused
from seamline.server.schemas import job_body
from seamline.server.settings import ServiceSettings
from seamline.server.store import JobRow, JobStore
from seamline.server.tables import open_database, take_over
from seamline.server.threads import in_thread
from seamline.server.upload import Upload


@dataclass(frozen=True)
class Ground:
    """What a service stands on: its folder, held, and its database."""

    files: DataFolder
    engine: sa.Engine
    store: JobStore

    @staticmethod
    def open(settings: ServiceSettings) -> Ground:
        """Opens both; raises ``SeamlineError`` with what is wrong."""
        files = DataFolder(settings.data)
        try:
            engine = open_database(settings.database_url)
            take_over(engine, files.home)
        except BaseException:
            files.release()
            raise
        return Ground(files, engine, JobStore(engine, files.home))

    def close(self) -> None:
        """Closes both."""
        self.engine.dispose()
        self.files.release()


@dataclass
class Service:
    """Everything that the routes work with."""

    settings: ServiceSettings
    guard: Guard
    ground: Ground
    pool: Pool
    gate: Gate
    hub: Hub
    uploads: int = field(default=0)
    """How many are coming in."""

    @staticmethod
    def start(
        settings: ServiceSettings,
        guard: Guard,
        load: Loader,
        loop: asyncio.AbstractEventLoop,
        ground: Ground | None = None,
    ) -> Service:
        """Takes up what an earlier service left, and starts the processes."""
        ground = ground or Ground.open(settings)
        files, store = ground.files, ground.store
        store.recover(keep_seconds=row_keep_seconds(settings))
        files.sweep(store.ids())
        hub = Hub(loop)
        gate = Gate(settings.limits)
        pool = Pool(store, files, load, settings, hub.tell)
        pool.start()
        return Service(settings, guard, ground, pool, gate, hub)

    def close(self) -> None:
        """Ends the processes; jobs that ran start again with the next service."""
        self.pool.stop()
        self.gate.close()
        self.ground.close()

    @property
    def files(self) -> DataFolder:
        """The folder of uploads and results."""
        return self.ground.files

    @property
    def store(self) -> JobStore:
        """The jobs."""
        return self.ground.store

    async def job(self, job_id: str) -> JobRow:
        """Reads a job; raises ``Refused`` where there is none."""
        row = await self.look_up(job_id)
        if row is None:
            raise no_such_job()
        return row

    async def look_up(self, job_id: str) -> JobRow | None:
        """Reads a job, or None."""
        if not is_id(job_id):  # also what no database would take, such as a zero byte
            return None
        return await in_thread(self.store.get, job_id, kind="database")

    def body(self, row: JobRow) -> dict[str, Any]:
        """Gives a job as its JSON."""
        return job_body(row, self.pool.progress.get(row.id))

    async def check_room(self, promised_bytes: int) -> None:
        """Refuses uploads for which there is no room on the disk, in the queue or at the door."""
        limits = self.settings.limits
        if self.uploads >= limits.uploads_at_once:
            raise _busy(f"{self.uploads} uploads are coming in, as many as this service takes.")
        if await in_thread(self.store.count, "queued", kind="database") >= limits.waiting_jobs:
            raise _busy(f"{limits.waiting_jobs:,} jobs wait, as many as this service keeps.")
        free = await in_thread(self.files.free_bytes)
        if free - promised_bytes < limits.free_bytes:
            raise Refused(507, "disk", "The disk of this service is full. Delete old jobs.")

    async def check_references(self, reference_ids: Sequence[str]) -> None:
        """Refuses references of which this service has no upload."""
        if reference_ids and self.settings.keep_seconds == 0:
            raise _no_reference("This service keeps no upload, so it has none to judge against.")
        for job_id in reference_ids:
            if await self.look_up(job_id) is None:
                raise _no_reference(
                    f"The reference {job_id!r} is no job of this service. Send the genuine footage "
                    "first, and name the id of its job."
                )
            if not await in_thread(self.files.media(job_id).is_file):
                raise _no_reference(f"The upload of the reference {job_id} is gone. Send it again.")

    async def accept(self, upload: Upload, reference_ids: Sequence[str] = ()) -> JobRow:
        """Makes a job of an upload that was looked into."""
        job_id = new_id()

        def add() -> JobRow:
            self.files.take_in(upload.path, job_id)
            try:
                return self.store.add(
                    job_id,
                    name=upload.name,
                    size_bytes=upload.size_bytes,
                    media_type=upload.media_type,
                    reference_ids=reference_ids,
                )
            except BaseException:
                self.files.remove(job_id)
                raise

        row = await in_thread(add, kind="database")
        self.pool.ring()
        return row

    async def delete(self, job_id: str) -> None:
        """Forgets a job and ends the work on it; raises ``Refused`` where there is none."""
        if not is_id(job_id) or not await in_thread(self.store.delete, job_id, kind="database"):
            raise no_such_job()
        self.pool.cancel(job_id)
        await in_thread(self.files.remove, job_id)
        self.hub.tell(job_id)


def no_such_job() -> Refused:
    """Makes the refusal of an unknown id."""
    return Refused(404, "not_found", "There is no such job: it never was, was deleted or expired.")


def _no_reference(message: str) -> Refused:
    return Refused(400, "no_reference", message)


def _busy(message: str) -> Refused:
    return Refused(503, "busy", f"{message} Try again soon.", {"Retry-After": "30"})
