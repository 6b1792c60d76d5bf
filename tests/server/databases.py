"""Databases for tests: SQLite in a folder, and a PostgreSQL that lives as long as a test run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgresql() -> Iterator[str]:
    """Gives the URL of a fresh PostgreSQL on a socket of its own; skips where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    tools = _tools()
    account = _account()
    root = Path(tempfile.mkdtemp(prefix="seamline-pg-"))
    try:
        if account is not None:
            os.chown(root, account.pw_uid, account.pw_gid)
        user = None if account is None else account.pw_uid
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "user": user}
        make = [tools / "initdb", "-D", root / "db", "-U", "tests", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, timeout=60, cwd=root, **quiet)  # type: ignore[call-overload]
        run = [tools / "postgres", "-D", root / "db", "-k", root, "-F", "-c", "listen_addresses="]
        server = subprocess.Popen(run, cwd=root, **quiet)  # type: ignore[call-overload]
        try:
            _wait(root / ".s.PGSQL.5432")
            yield f"postgresql+psycopg://tests@/postgres?host={root}"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(5)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _tools() -> Path:
    """Finds the folder that has both programs; a link to one may lie elsewhere."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found is not None:
        folders.insert(0, Path(found).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("no PostgreSQL server is installed (initdb and postgres)")


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then somebody else must."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no account to run it as")


def _wait(place: Path) -> None:
    until = time.monotonic() + 30
    while not place.exists():
        if time.monotonic() > until:
            raise TimeoutError("PostgreSQL did not start within 30 s")
        time.sleep(0.05)
