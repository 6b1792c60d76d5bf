"""The jobs in the database: made, claimed, renewed, ended. Rows out as ``JobRow``.

A claim is a random name for one attempt. Whoever works on a job must show it with every change,
so that an attempt that was given up can change nothing afterwards, and no job ends twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from seamline.server.tables import jobs

LEASE_SECONDS = 60.0
MOST_ATTEMPTS = 2
MOST_INTERRUPTIONS = 5
"""So often may the service itself die over a job before the job is held to be the cause."""
STOPPED = "the service stopped {} times while it worked on this file"


@dataclass(frozen=True)
class JobRow:
    """One job as the database has it; moments in seconds since 1970."""

    number: int
    id: str
    name: str
    size_bytes: int
    media_type: str | None
    reference_ids: list[str] | None
    """Jobs whose uploads are genuine footage to judge this one against."""
    state: str
    stage: str
    share: float
    verdict: dict[str, Any] | None
    reason: str | None
    attempts: int
    claim: str | None
    created: float
    started: float | None
    ended: float | None
    expires: float | None
    has_media: bool
    has_report: bool
    ahead: int | None = None
    """How many queued jobs come before this one; None unless it is queued."""


_COLUMNS = [jobs.c[name] for name in JobRow.__dataclass_fields__ if name != "ahead"]


class JobStore:
    """The jobs of one data folder."""

    def __init__(
        self, engine: sa.Engine, home: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine, self._home, self._clock = engine, home, clock
        self._mine = jobs.c.home == home

    def add(
        self, job_id: str, *, name: str, size_bytes: int, media_type: str | None,
        reference_ids: Sequence[str] = (),
    ) -> JobRow:  # fmt: skip
        """Queues a job; on return it outlives a crash."""
        values = {
            "id": job_id, "home": self._home, "name": name, "size_bytes": size_bytes,
            "media_type": media_type, "reference_ids": list(reference_ids) or None,
            "state": "queued", "stage": "queued", "created": self._clock(),
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(jobs.insert().values(values))
        found = self.get(job_id)
        assert found is not None
        return found

    def get(self, job_id: str) -> JobRow | None:
        """Reads one job."""
        with self._engine.connect() as connection:
            row = connection.execute(self._select().where(jobs.c.id == job_id)).one_or_none()
            return None if row is None else self._rows(connection, [row])[0]

    def page(self, limit: int, before: int | None) -> list[JobRow]:
        """Reads up to ``limit`` jobs, newest first, that are older than number ``before``."""
        query = self._select().order_by(jobs.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(jobs.c.number < before)
        with self._engine.connect() as connection:
            return self._rows(connection, connection.execute(query).all())

    def count(self, state: str) -> int:
        """Counts the jobs in a state."""
        query = sa.select(sa.func.count()).where(self._mine, jobs.c.state == state)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def ids(self) -> set[str]:
        """Reads the ids of all jobs."""
        with self._engine.connect() as connection:
            return set(connection.execute(sa.select(jobs.c.id).where(self._mine)).scalars())

    def claim_next(self) -> JobRow | None:
        """Takes the oldest queued job for one attempt; None when none waits."""
        oldest = (
            sa.select(jobs.c.id)
            .where(self._mine, jobs.c.state == "queued")
            .order_by(jobs.c.number)
            .limit(1)
        )
        with self._engine.begin() as connection:
            job_id = connection.execute(oldest).scalar_one_or_none()
            if job_id is None:
                return None
            now = self._clock()
            taken = connection.execute(
                jobs.update()
                .where(self._mine, jobs.c.id == job_id, jobs.c.state == "queued")
                .values(
                    state="running",
                    stage="reading",
                    share=0.0,
                    reason=None,
                    started=now,
                    attempts=jobs.c.attempts + 1,
                    claim=secrets.token_urlsafe(16),
                    lease_until=now + LEASE_SECONDS,
                )
            ).rowcount
        return self.get(job_id) if taken else None

    def renew(self, claim: str, *, stage: str | None = None, share: float | None = None) -> bool:
        """Keeps a claim for another lease; False when it is no longer held."""
        known = {"stage": stage, "share": share}
        values = {key: value for key, value in known.items() if value is not None}
        return self._change(claim, lease_until=self._clock() + LEASE_SECONDS, **values)

    def finish(
        self, claim: str, verdict: dict[str, Any], *, keep_seconds: float | None, has_report: bool,
        has_media: bool,
    ) -> bool:  # fmt: skip
        """Ends a job with its verdict; False when the claim is no longer held."""
        return self._end(
            claim, keep_seconds, state="done", verdict=verdict, has_report=has_report,
            has_media=has_media,
        )  # fmt: skip

    def fail(self, claim: str, reason: str, *, keep_seconds: float | None, has_media: bool) -> bool:
        """Ends a job without a verdict; False when the claim is no longer held."""
        return self._end(claim, keep_seconds, state="failed", reason=reason, has_media=has_media)

    def give_back(self, claim: str) -> bool:
        """Puts a claimed job back into its place in the queue, for another attempt."""
        return self._change(claim, state="queued", stage="queued", share=0.0, claim=None,
                            lease_until=None)  # fmt: skip

    def recover(self, *, keep_seconds: float | None) -> int:
        """At the start of a service: what ran when it stopped is queued again, as untried.

        A job over which the service stopped again and again is failed instead.
        """
        running = (self._mine, jobs.c.state == "running")
        with self._engine.begin() as connection:
            connection.execute(
                jobs.update().where(*running).values(interruptions=jobs.c.interruptions + 1)
            )
            connection.execute(
                jobs.update()
                .where(*running, jobs.c.interruptions >= MOST_INTERRUPTIONS)
                .values(
                    **self._ended(keep_seconds),
                    state="failed",
                    stage="failed",
                    reason=STOPPED.format(MOST_INTERRUPTIONS),
                )
            )
            return connection.execute(
                jobs.update()
                .where(*running)
                .values(
                    state="queued",
                    stage="queued",
                    share=0.0,
                    claim=None,
                    lease_until=None,
                    started=None,
                    attempts=jobs.c.attempts - 1,
                )
            ).rowcount

    def lapsed(self) -> list[str]:
        """Lists claims whose lease ran out: nobody works on them any more."""
        query = sa.select(jobs.c.claim).where(
            self._mine, jobs.c.state == "running", jobs.c.lease_until < self._clock()
        )
        with self._engine.connect() as connection:
            return [claim for claim in connection.execute(query).scalars() if claim]

    def delete(self, job_id: str) -> bool:
        """Forgets a job; False when there was none."""
        with self._engine.begin() as connection:
            gone = connection.execute(jobs.delete().where(self._mine, jobs.c.id == job_id))
            return gone.rowcount == 1

    def expired(self) -> list[str]:
        """Lists the jobs whose time is over."""
        query = sa.select(jobs.c.id).where(self._mine, jobs.c.expires <= self._clock())
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _end(self, claim: str, keep_seconds: float | None, **values: Any) -> bool:
        return self._change(claim, **self._ended(keep_seconds), stage=values["state"], **values)

    def _ended(self, keep_seconds: float | None) -> dict[str, Any]:
        now = self._clock()
        expires = None if keep_seconds is None else now + keep_seconds
        return {"ended": now, "expires": expires, "share": 1.0, "claim": None, "lease_until": None}

    def _change(self, held: str, **values: Any) -> bool:
        change = jobs.update().where(self._mine, jobs.c.claim == held).values(**values)
        with self._engine.begin() as connection:
            return connection.execute(change).rowcount == 1

    def _select(self) -> sa.Select[Any]:
        return sa.select(*_COLUMNS).where(self._mine)

    def _rows(self, connection: sa.Connection, rows: Sequence[Any]) -> list[JobRow]:
        """Makes records of rows; queued ones are told how many come before them."""
        ahead: dict[int, int] = {}
        if any(row.state == "queued" for row in rows):
            waiting = (
                sa.select(jobs.c.number)
                .where(self._mine, jobs.c.state == "queued")
                .order_by(jobs.c.number)
            )
            numbers = connection.execute(waiting).scalars()
            ahead = {number: place for place, number in enumerate(numbers)}
        return [
            JobRow(**row._mapping, ahead=ahead.get(row.number) if row.state == "queued" else None)
            for row in rows
        ]
