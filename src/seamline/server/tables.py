"""The table of jobs and the engine of its database: a URL in, an SQLAlchemy engine out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from seamline.errors import SeamlineError, WrongUsage

_metadata = sa.MetaData()
_FIRST_LAYOUT = "seamline_jobs_1"
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts INTEGER keys only

jobs = sa.Table(
    "seamline_jobs_2",  # the number is the layout's: another layout is another table
    _metadata,
    sa.Column("number", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(22), nullable=False, unique=True),
    sa.Column("home", sa.String(16), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.String(60), nullable=True),
    sa.Column("reference_ids", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("stage", sa.String(10), nullable=False),
    sa.Column("share", sa.Float, nullable=False, default=0.0),
    sa.Column("verdict", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("interruptions", sa.Integer, nullable=False, default=0),
    sa.Column("claim", sa.String(22), nullable=True),
    sa.Column("lease_until", sa.Float, nullable=True),
    # Moments are seconds since 1970: databases differ in what they make of time zones.
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float, nullable=True),
    sa.Column("ended", sa.Float, nullable=True),
    sa.Column("expires", sa.Float, nullable=True),
    sa.Column("has_media", sa.Boolean, nullable=False, default=True),
    sa.Column("has_report", sa.Boolean, nullable=False, default=False),
    sa.Index("seamline_jobs_2_queue", "home", "state", "number"),
    sqlite_autoincrement=True,  # a number is never given twice, so pages stay in order
)


def open_database(url: str) -> sa.Engine:
    """Connects, and makes the table if it is not there."""
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise WrongUsage(
            f"--database takes an SQLAlchemy URL whose driver is installed, such as "
            f"postgresql+psycopg://user@host/name ({error})."
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    try:
        _metadata.create_all(engine)
    except sa.exc.DBAPIError as error:
        place = engine.url.render_as_string(hide_password=True)
        raise SeamlineError(f"The database {place} cannot be used: {error.orig}") from error
    return engine


def take_over(engine: sa.Engine, home: str) -> None:
    """Moves a data folder's jobs out of the first layout, which knew no references, into this one.

    Other folders' jobs stay where they are: their services may still be of the version before.
    """
    if not sa.inspect(engine).has_table(_FIRST_LAYOUT):
        return
    old = sa.Table(_FIRST_LAYOUT, sa.MetaData(), autoload_with=engine)
    names = [column.name for column in old.columns if column.name != "number"]  # given anew
    rows = sa.select(*(old.c[name] for name in names)).where(old.c.home == home)
    with engine.begin() as connection:
        connection.execute(jobs.insert().from_select(names, rows.order_by(old.c.number)))
        connection.execute(old.delete().where(old.c.home == home))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Readers go on while one writes; a commit is on the disk; deleted rows are overwritten."""
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "secure_delete=ON",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
