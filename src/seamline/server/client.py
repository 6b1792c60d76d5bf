"""A client of the service: paths in, verdicts and reports out.

>>> from seamline import Client
>>> client = Client("http://127.0.0.1:8000", token="…")          # doctest: +SKIP
>>> verdict = client.scan("talk.mp4")                            # doctest: +SKIP
>>> verdict.label, verdict.fake_probability                      # doctest: +SKIP

Or step by step, for many files at a time:

>>> jobs = [client.submit(path) for path in ("a.mp4", "b.mp4")]  # doctest: +SKIP
>>> for job in jobs:                                             # doctest: +SKIP
...     print(client.wait(job["id"])["verdict"]["label"])
...     client.report(job["id"], f"{job['name']}.html")
...     client.delete(job["id"])
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seamline.errors import JobFailed, ServiceError, UnreadableMedia, WrongUsage
from seamline.scoring.verdict import Verdict

try:
    import httpx
except ModuleNotFoundError as error:
    raise WrongUsage(
        "seamline.Client needs httpx, which is not installed. Run: pip install 'seamline[serve]'"
    ) from error

_ENDS = ("done", "failed")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
_PATIENCE_SECONDS = 30.0
"""How long ``wait`` bears a service that does not answer, such as one that starts again."""
_MOST_RETRIES = 5


class Client:
    """Speaks with one service; use as a context manager, or ``close`` it.

    Jobs are dicts as the service gives them (``id``, ``state``, ``progress``, ``verdict``,
    ``reason`` and so on). Everything raises ``ServiceError`` when the service refuses, with its
    own words, or cannot be reached.
    """

    def __init__(
        self, address: str, *, token: str | None = None, timeout_seconds: float = 60.0
    ) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(
            base_url=address.rstrip("/"), headers=headers, timeout=timeout_seconds
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def scan(
        self,
        path: str | Path,
        *,
        reference: Sequence[str | Path] = (),
        timeout_seconds: float | None = None,
    ) -> Verdict:
        """Uploads a file, waits, and gives its verdict; raises ``JobFailed`` with the reason.

        ``reference``: genuine footage of the people in it, which is uploaded first, as jobs of its
        own.
        """
        job = self.submit(path, reference=[self.submit(one)["id"] for one in reference])
        self.wait(job["id"], timeout_seconds=timeout_seconds)
        return self.result(job["id"])

    def submit(self, path: str | Path, *, reference: Sequence[str] = ()) -> dict[str, Any]:
        """Uploads a file and gives its job; where the service is busy, tries again as it says.

        ``reference``: ids of jobs whose uploads are genuine footage of the people in it.
        """
        params = {"reference": list(reference)}
        for attempt in range(_MOST_RETRIES + 1):
            try:
                with open(path, "rb") as file:
                    answer = self._ask(
                        "POST", "/jobs", params=params, files={"file": (Path(path).name, file)}
                    )
                found: dict[str, Any] = answer.json()
                return found
            except _Busy as busy:
                if attempt == _MOST_RETRIES:
                    raise
                time.sleep(busy.wait_seconds)
            except OSError as error:
                raise UnreadableMedia(path, error.strerror or "cannot be opened") from error
        raise AssertionError("unreachable")

    def job(self, job_id: str) -> dict[str, Any]:
        """Gives a job as it is now."""
        found: dict[str, Any] = self._ask("GET", f"/jobs/{job_id}").json()
        return found

    def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> dict[str, Any]:
        """Waits until a job is done or has failed, and gives it; raises ``TimeoutError``.

        A service that is started again meanwhile is waited for.
        """
        began = heard = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                job = self.job(job_id)
                heard = time.monotonic()
                if job["state"] in _ENDS:
                    return job
            except ServiceError as error:
                if error.status is not None and error.status < 500:
                    raise
                if time.monotonic() - heard > _PATIENCE_SECONDS:
                    raise
            if timeout_seconds is not None and time.monotonic() - began > timeout_seconds:
                raise TimeoutError(f"Job {job_id} did not end within {timeout_seconds:g} s.")
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, 1.5 * pause)

    def result(self, job_id: str) -> Verdict:
        """Gives the verdict of a job that is done; raises ``JobFailed`` of one that is not."""
        job = self.job(job_id)
        if job["state"] == "failed":
            raise JobFailed(f"{job['name']}: {job['reason']}")
        if job["verdict"] is None:
            raise ServiceError(f"{job['name']} is {job['state']} yet. Wait for it first.")
        return Verdict.from_json(job["verdict"])

    def report(self, job_id: str, path: str | Path) -> Path:
        """Writes a job's report page to ``path``."""
        target = Path(path)
        unfinished = target.with_name(f".{target.name}.part")
        unfinished.write_bytes(self._ask("GET", f"/jobs/{job_id}/report").content)
        os.replace(unfinished, target)
        return target

    def delete(self, job_id: str) -> None:
        """Makes the service forget a job; one that runs is ended."""
        self._ask("DELETE", f"/jobs/{job_id}")

    def list(self) -> Iterator[dict[str, Any]]:
        """Yields all jobs, newest first."""
        after: str | None = None
        while True:
            params = {"limit": "100", **({"after": after} if after else {})}
            page = self._ask("GET", "/jobs", params=params).json()
            yield from page["jobs"]
            after = page["next"]
            if after is None:
                return

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"/api/v1{path}", **options)
        except httpx.TransportError as error:
            raise ServiceError(
                f"The service at {self._http.base_url} cannot be reached "
                f"({type(error).__name__}: {error}). Is `seamline serve` running there?"
            ) from error
        if answer.is_success:
            return answer
        raise _refusal(answer)


class _Busy(ServiceError):
    """A refusal that says when to try again."""

    wait_seconds = 0.0


def _refusal(answer: httpx.Response) -> ServiceError:
    try:
        told = answer.json()["error"]
        message, code = str(told["message"]), str(told["code"])
    except (ValueError, KeyError, TypeError):  # not our service: a proxy, or something else
        message, code = f"{answer.reason_phrase or 'an unexpected answer'}", None
    text = f"{answer.request.method} {answer.request.url}: {message} (status {answer.status_code})"
    wait = answer.headers.get("retry-after", "")
    if answer.status_code in (429, 503) and wait.isdecimal():
        busy = _Busy(text, status=answer.status_code, code=code)
        busy.wait_seconds = float(wait)
        return busy
    return ServiceError(text, status=answer.status_code, code=code)
