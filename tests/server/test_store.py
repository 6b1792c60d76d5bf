"""The store of jobs on SQLite and on PostgreSQL: claims, leases, retries, pages, recovery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import postgresql
from server_fakes import wav
from services import ended, running, send

from seamline.errors import SeamlineError, WrongUsage
from seamline.server.files import new_id
from seamline.server.store import LEASE_SECONDS, MOST_INTERRUPTIONS, JobStore
from seamline.server.tables import jobs, open_database, take_over


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('db') / 'jobs.sqlite'}"
        return
    with postgresql() as found:
        yield found


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[sa.Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


class Clock:
    """A time that a test moves."""

    seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: sa.Engine, clock: Clock) -> JobStore:
    """A store of a home of its own."""
    return JobStore(engine, new_id()[:16], clock=clock)


def queue(store: JobStore, count: int = 1, name: str = "a.mp4") -> list[str]:
    ids = [new_id() for _ in range(count)]
    for job_id in ids:
        store.add(job_id, name=name, size_bytes=10, media_type="video/mp4")
    return ids


def claim(store: JobStore) -> str:
    job = store.claim_next()
    assert job is not None
    assert job.claim is not None
    return job.claim


def finish(store: JobStore, held: str) -> bool:
    return store.finish(held, {"x": 1}, keep_seconds=9.0, has_report=True, has_media=True)


def test_jobs_are_claimed_in_the_order_of_their_coming(store: JobStore) -> None:
    ids = queue(store, 3)
    assert [store.get(job_id).ahead for job_id in ids] == [0, 1, 2]  # type: ignore[union-attr]
    claimed = [store.claim_next() for _ in range(4)]
    assert [job.id if job else None for job in claimed] == [*ids, None]
    assert store.count("running") == 3


def test_of_many_who_claim_at_once_each_job_is_one_ones(store: JobStore) -> None:
    ids = queue(store, 30)
    found: list[str] = []
    errors: list[BaseException] = []

    def take() -> None:
        try:
            for _ in range(200):
                job = store.claim_next()
                if job is not None:
                    found.append(job.id)
                elif store.count("queued") == 0:
                    return
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert sorted(found) == sorted(ids)


def test_a_claim_that_was_given_up_changes_nothing(store: JobStore) -> None:
    (job_id,) = queue(store)
    old = claim(store)
    assert store.give_back(old)
    new = claim(store)
    assert not finish(store, old)
    assert not store.fail(old, "no", keep_seconds=None, has_media=True)
    assert not store.renew(old)
    assert finish(store, new)
    assert not finish(store, new)
    job = store.get(job_id)
    assert job is not None
    assert (job.state, job.verdict, job.attempts, job.claim) == ("done", {"x": 1}, 2, None)


def test_a_job_that_is_given_back_keeps_its_place(store: JobStore) -> None:
    first, second = queue(store, 2)
    store.give_back(claim(store))
    assert store.get(second).ahead == 1  # type: ignore[union-attr]
    assert store.claim_next().id == first  # type: ignore[union-attr]


def test_a_lease_lapses_unless_it_is_renewed(store: JobStore, clock: Clock) -> None:
    queue(store, 2)
    kept, lost = claim(store), claim(store)
    clock.seconds += LEASE_SECONDS - 1
    assert store.lapsed() == []
    assert store.renew(kept)
    clock.seconds += 2
    assert store.lapsed() == [lost]


def test_recovery_queues_what_ran_without_counting_the_attempt(store: JobStore) -> None:
    ids = queue(store, 3)
    done = claim(store)
    finish(store, done)
    claim(store)
    assert store.recover(keep_seconds=None) == 1
    states = [store.get(job_id).state for job_id in ids]  # type: ignore[union-attr]
    assert states == ["done", "queued", "queued"]
    job = store.claim_next()
    assert job is not None
    assert (job.id, job.attempts) == (ids[1], 1)


def test_a_job_over_which_the_service_keeps_dying_is_failed(store: JobStore) -> None:
    (job_id,) = queue(store)
    for _ in range(MOST_INTERRUPTIONS):
        claim(store)
        store.recover(keep_seconds=5.0)
    job = store.get(job_id)
    assert job is not None
    assert (job.state, job.reason) == (
        "failed", "the service stopped 5 times while it worked on this file",
    )  # fmt: skip
    assert job.expires is not None


def test_jobs_expire_at_their_time(store: JobStore, clock: Clock) -> None:
    (job_id,) = queue(store)
    finish(store, claim(store))
    clock.seconds += 8.9
    assert store.expired() == []
    clock.seconds += 0.2
    assert store.expired() == [job_id]
    assert store.delete(job_id)
    assert not store.delete(job_id)


def test_services_of_one_database_do_not_touch_each_others_jobs(
    store: JobStore, engine: sa.Engine
) -> None:
    (job_id,) = queue(store)
    other = JobStore(engine, "elsewhere")
    assert other.get(job_id) is None
    assert other.claim_next() is None
    assert not other.delete(job_id)
    claim(store)
    assert other.recover(keep_seconds=None) == 0
    assert store.ids() == {job_id}


def test_a_service_works_and_starts_again_on_the_database(url: str, tmp_path: Path) -> None:
    with running(tmp_path, database=url) as service:
        job_id = send(service.client, wav("0.9")).json()["id"]
        assert ended(service.client, job_id)["verdict"]["label"] == "fake_video"
        left = send(service.client, wav("slow 20")).json()["id"]
    with running(tmp_path, database=url) as service:
        assert service.client.get(f"/api/v1/jobs/{left}").json()["state"] in ("queued", "running")
        page = service.client.get("/api/v1/jobs").json()
        assert [job["id"] for job in page["jobs"]] == [left, job_id]
        assert service.client.delete(f"/api/v1/jobs/{left}").status_code == 204
    assert not (tmp_path / "jobs.sqlite").exists()


def first_layout(engine: sa.Engine) -> sa.Table:
    """Make the table of jobs as it was before it knew references."""
    old = sa.Table(
        "seamline_jobs_1",
        sa.MetaData(),
        *(
            sa.Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable)
            for c in jobs.columns
            if c.name != "reference_ids"
        ),
    )
    old.create(engine)
    return old


def test_jobs_of_the_layout_before_are_taken_over_and_others_left(
    store: JobStore, engine: sa.Engine
) -> None:
    ids = queue(store, 3)
    with engine.begin() as connection:
        rows = connection.execute(sa.select(jobs).where(jobs.c.id.in_(ids))).mappings().all()
        connection.execute(jobs.delete().where(jobs.c.id.in_(ids)))
    old = first_layout(engine)
    kept = [{k: v for k, v in row.items() if k != "reference_ids"} for row in rows]
    kept.sort(key=lambda row: ids.index(row["id"]))
    home = kept[0]["home"]
    kept[2]["home"] = "another"
    try:
        with engine.begin() as connection:
            connection.execute(old.insert(), kept)
        for _ in range(2):  # there is nothing left for the second
            take_over(engine, home)
        assert [row.id for row in store.page(9, None)] == ids[1::-1]
        assert [row.reference_ids for row in store.page(9, None)] == [None, None]
        (newest,) = queue(store)
        assert store.page(1, None)[0].id == newest
        with engine.connect() as connection:
            assert connection.execute(sa.select(old.c.id)).scalars().all() == [ids[2]]
    finally:
        old.drop(engine)


def test_a_service_lists_the_jobs_of_the_version_before_and_keeps_their_files(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as service:
        job = ended(service.client, send(service.client, wav()).json()["id"])
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    with engine.begin() as connection:
        (row,) = connection.execute(sa.select(jobs)).mappings().all()
        connection.execute(jobs.delete())
    old = first_layout(engine)
    with engine.begin() as connection:
        connection.execute(old.insert(), {k: v for k, v in row.items() if k != "reference_ids"})
    engine.dispose()
    with running(tmp_path) as service:
        assert service.client.get(f"/api/v1/jobs/{job['id']}").json() == job
        assert service.client.get(f"/api/v1/jobs/{job['id']}/media").content == wav()


def test_any_text_is_stored_as_it_is(store: JobStore) -> None:
    name = "𝕯eep 'fake'; DROP TABLE seamline_jobs_2; -- \u202e☃.mp4"
    (job_id,) = queue(store, name=name)
    assert store.get(job_id).name == name  # type: ignore[union-attr]


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="SQLAlchemy URL"):
        open_database("nonsense")
    with pytest.raises(SeamlineError, match="cannot be used") as caught:
        open_database(f"sqlite:///{tmp_path / 'none' / 'x.sqlite'}")
    assert "none" in str(caught.value)
