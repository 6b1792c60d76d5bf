"""The client against the service: what it gives, and what it says when something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_fakes import wav
from services import Running, running

from seamline import Client
from seamline.errors import JobFailed, ServiceError, UnreadableMedia
from seamline.scoring.verdict import Verdict


@pytest.fixture
def ours(service: Running) -> Iterator[Client]:
    with Client(str(service.client.base_url)) as client:
        yield client


def film(folder: Path, order: str, name: str = "talk.wav") -> Path:
    path = folder / name
    path.write_bytes(wav(order))
    return path


def test_a_scan_over_the_wire_gives_the_verdict(ours: Client, tmp_path: Path) -> None:
    verdict = ours.scan(film(tmp_path, "0.9"), timeout_seconds=20)
    assert isinstance(verdict, Verdict)
    assert (verdict.label, verdict.fake_probability, verdict.path) == (
        "fake_video", 0.9, "talk.wav",
    )  # fmt: skip


def test_step_by_step_many_jobs_are_sent_waited_for_listed_and_deleted(
    ours: Client, tmp_path: Path
) -> None:
    jobs = [ours.submit(film(tmp_path, "0.1", f"{n}.wav")) for n in range(3)]
    assert [ours.wait(job["id"], timeout_seconds=20)["state"] for job in jobs] == ["done"] * 3
    assert [job["name"] for job in ours.list()][:3] == ["2.wav", "1.wav", "0.wav"]
    report = ours.report(jobs[0]["id"], tmp_path / "r.html")
    assert "0.wav" in report.read_text()
    ours.delete(jobs[0]["id"])
    with pytest.raises(ServiceError, match="no such job") as caught:
        ours.job(jobs[0]["id"])
    assert (caught.value.status, caught.value.code) == (404, "not_found")


def test_a_failed_job_says_why(ours: Client, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"talk\.wav: the sound is scrambled"):
        ours.scan(film(tmp_path, "bad the sound is scrambled"), timeout_seconds=20)


def test_a_missing_file_is_no_matter_of_the_service(ours: Client, tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="No such file"):
        ours.submit(tmp_path / "none.mp4")


def test_a_job_that_takes_too_long_for_the_caller_is_not_waited_for(
    ours: Client, tmp_path: Path
) -> None:
    job = ours.submit(film(tmp_path, "slow 5"))
    with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
        ours.wait(job["id"], timeout_seconds=0.2)
    ours.delete(job["id"])


def test_a_service_that_is_not_there_is_named() -> None:
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(ServiceError, match="Is `seamline serve` running there"):
            client.job("x")


def test_a_token_opens_the_service_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    with running(tmp_path / "data", token="correct horse") as service:
        address = str(service.client.base_url)
        with Client(address, token="correct horse") as client:
            assert client.scan(film(tmp_path, "0.1"), timeout_seconds=20).label == "real"
        for wrong in (None, "wrong horse"):
            with Client(address, token=wrong) as client:
                with pytest.raises(ServiceError, match="token") as caught:
                    client.submit(film(tmp_path, "0.1"))
                assert caught.value.status == 401


def test_a_client_that_is_told_to_wait_waits_and_tries_again(tmp_path: Path) -> None:
    with running(tmp_path / "data", limits={"jobs_a_minute": 60}) as service:
        rate = service.service.guard._jobs
        while rate.wait_seconds("127.0.0.1") == 0:  # use up this minute's
            pass
        with Client(str(service.client.base_url)) as client:
            assert client.submit(film(tmp_path, "0.1"))["state"] == "queued"


def test_a_refusal_of_another_program_is_told_as_it_is(tmp_path: Path) -> None:
    with _other_program() as address, Client(address) as client:
        with pytest.raises(ServiceError, match=r"status 502") as caught:
            client.submit(film(tmp_path, "0.1"))
        assert caught.value.code is None


class _other_program:
    """A server that answers 502 with a page, as a proxy does."""

    def __enter__(self) -> str:
        from http.server import BaseHTTPRequestHandler, HTTPServer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(502)
                self.end_headers()
                self.wfile.write(b"<h1>Bad gateway</h1>")

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
