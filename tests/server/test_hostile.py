"""Hostile uploads and requests: each is refused with a clear status, and the service goes on."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from server_fakes import wav
from services import Running, ended, running, send

from media_factory import photo

UPLOAD_BYTES = 3_000_000
SILENT_SECONDS = 1.0
TOKEN = "correct horse battery"


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with small limits."""
    limits = {
        "upload_bytes": UPLOAD_BYTES,
        "duration_seconds": 30.0,
        "silent_seconds": SILENT_SECONDS,
        "jobs_a_minute": 6000,
    }
    with running(tmp_path_factory.mktemp("hard"), limits=limits) as found:
        yield found


@pytest.fixture(autouse=True)
def _unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every attack the service still does its work, and nothing is left of the upload."""
    yield
    if "hard" in request.fixturenames:
        hard: Running = request.getfixturevalue("hard")
        assert hard.client.get("/health").json() == {"status": "ok"}
        assert ended(hard.client, send(hard.client, wav("0.9")).json()["id"])["state"] == "done"
        assert list(hard.service.files.incoming.iterdir()) == []
        assert hard.service.uploads == 0


def refused(answer: httpx.Response, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    return error["message"]


def head(hard: Running, *lines: str, path: str = "/api/v1/jobs") -> bytes:
    host = hard.client.base_url.netloc.decode()
    return "\r\n".join([f"POST {path} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


def talk(hard: Running, *parts: bytes, pause_seconds: float = 0.0) -> tuple[bytes, float]:
    """Sends parts over a raw connection and reads to its end; (answer, seconds)."""
    url = hard.client.base_url
    began = time.monotonic()
    with socket.create_connection((url.host, url.port or 80), timeout=10) as line:
        try:
            for part in parts:
                line.sendall(part)
                time.sleep(pause_seconds)
        except OSError:
            pass
        answer = b""
        try:
            while data := line.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
    return answer, time.monotonic() - began


def form(name: str = "talk.wav") -> tuple[str, bytes]:
    opening = (
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    ).encode()
    return "Content-Type: multipart/form-data; boundary=b", opening


def test_ten_promised_gigabytes_are_refused_before_they_come(hard: Running) -> None:
    kind, opening = form()
    answer, spent = talk(hard, head(hard, kind, "Content-Length: 10000000000") + opening)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in answer
    assert b"this one has 10,000 MB" in answer
    assert spent < 5


def test_an_endless_stream_is_cut_at_the_limit(hard: Running) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield form()[1] + wav()
        while True:
            sent += 65536
            yield bytes(65536)

    answer = hard.client.post(
        "/api/v1/jobs",
        content=endless(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert "3 MB" in refused(answer, 413, "too_large")
    assert sent < UPLOAD_BYTES + 64_000_000  # what is read on so that the answer arrives


def test_a_zip_named_mp4_is_refused(hard: Running) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("talk.mp4", b"\0\0\0\x18ftypisom" * 9)
    message = refused(send(hard.client, archive.getvalue(), "talk.mp4"), 415, "unknown_medium")
    assert "The name does not count" in message


@pytest.mark.parametrize(
    "content",
    [b"<html><script>alert(1)</script>", b"#EXTM3U\nfile:///etc/passwd\n", b"%PDF-1.7\n" * 9,
     b"ffconcat version 1.0\nfile /etc/passwd\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
     os.urandom(0) + b"just text"],
)  # fmt: skip
def test_what_is_no_medium_is_refused_by_its_content(hard: Running, content: bytes) -> None:
    refused(send(hard.client, content, "talk.mp4"), 415, "unknown_medium")


def test_a_medium_by_its_first_bytes_alone_is_refused(hard: Running) -> None:
    broken = b"\0\0\0\x18ftypisom" + os.urandom(5000)
    assert "index (moov)" in refused(send(hard.client, broken), 415, "unreadable")


@pytest.mark.parametrize(
    "name",
    ["../../../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "a/../../b.wav", "C:\\x\\y.wav",
     "n\0ul.wav", "..", "", "x" * 2000, "line\r\nSet-Cookie: a=b", "\u202efdp.wav"],
)  # fmt: skip
def test_a_name_is_shown_but_never_a_path(hard: Running, name: str, tmp_path: Path) -> None:
    answer = send(hard.client, wav(), name)
    if not name:  # a form without a file name has no file
        refused(answer, 400, "malformed")
        return
    job = ended(hard.client, answer.json()["id"])
    assert job["state"] == "done"
    shown = job["name"]
    assert shown
    assert not set(shown) & set("/\\\0\r\n\u202e")
    assert len(shown) <= 200
    folder = hard.service.files.job(job["id"])
    assert sorted(path.name for path in folder.iterdir()) == ["media", "result"]


def png(width: int, height: int) -> bytes:
    layout = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + layout + bytes(4)


BOMBS = {
    "png": png(50_000, 50_000),
    "gif": b"GIF89a" + struct.pack("<HH", 50_000, 50_000) + bytes(20),
    "y4m": b"YUV4MPEG2 W50000 H50000 F25:1 C420\nFRAME\n" + bytes(99),
    "jpg": b"\xff\xd8\xff\xe0\x00\x04aa\xff\xc0\x00\x11\x08" + struct.pack(">HH", 50_000, 50_000)
    + bytes(60),
    # VP8 tells its size in 14 bits a side; FFmpeg would allocate 268 megapixels.
    "ivf": b"DKIF" + struct.pack("<HH4sHHIII", 0, 32, b"VP80", 16_383, 16_383, 25, 1, 1) + bytes(4)
    + struct.pack("<IQ", 40, 0) + b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383)
    + bytes(30),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_of_gigapixels_is_refused_by_its_header(hard: Running, kind: str) -> None:
    message = refused(send(hard.client, BOMBS[kind], f"face.{kind}"), 413, "too_many_pixels")
    assert "50,000×50,000" in message or "16383×16383" in message


def test_a_container_of_a_thousand_streams_is_refused(hard: Running, tmp_path: Path) -> None:
    path = tmp_path / "many.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(1000)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux(stream.encode(frame))
    message = refused(send(hard.client, path.read_bytes(), "many.mkv"), 415, "unreadable")
    assert "streams in one file" in message


def test_html_as_a_name_stays_text(hard: Running) -> None:
    name = "<img src=x onerror=alert(1)>\"'&.wav"
    job = send(hard.client, wav("0.9"), name).json()
    assert job["name"].startswith("<img src=x onerror=alert(1)>")
    ended(hard.client, job["id"])
    answer = hard.client.get(f"/api/v1/jobs/{job['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    report = hard.client.get(f"/api/v1/jobs/{job['id']}/report", params={"download": "1"})
    assert "<img src=x" not in report.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in report.text
    assert "<" not in report.headers["content-disposition"]


def test_a_sound_of_an_hour_is_too_long(hard: Running) -> None:
    message = refused(send(hard.client, wav(seconds=60)), 413, "too_long")
    assert "may last 30 s; this one lasts 60 s" in message


def test_an_upload_of_one_byte_now_and_then_is_refused(hard: Running) -> None:
    kind, opening = form()
    drips = [bytes([byte]) for byte in wav()[:12]]
    start = head(hard, kind, "Content-Length: 100000") + opening
    answer, spent = talk(hard, start, *drips, pause_seconds=0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"too_slow" in answer
    assert spent < 9


def test_an_upload_that_falls_silent_is_refused(hard: Running) -> None:
    kind, opening = form()
    answer, spent = talk(hard, head(hard, kind, "Content-Length: 100000") + opening + wav()[:50])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Nothing came for 1 s" in answer
    assert spent < 6


def test_a_request_that_never_begins_is_closed(
    hard: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seamline.server.door.HEADER_SECONDS", 0.5)
    letters = [bytes([byte]) for byte in b"GET /health HTTP/1.1\r\nHos"]
    answer, spent = talk(hard, *letters, pause_seconds=0.05)
    assert answer == b""
    assert spent < 4


def test_an_upload_that_breaks_off_leaves_nothing(hard: Running) -> None:
    kind, opening = form()
    url = hard.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=5) as line:
        line.sendall(head(hard, kind, "Content-Length: 100000") + opening + wav())
        time.sleep(0.2)
    until = time.monotonic() + 5
    while hard.service.uploads and time.monotonic() < until:
        time.sleep(0.02)
    assert hard.service.uploads == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=" + "b" * 300, b"--b\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary here"),
        ("multipart/form-data; boundary=b", form()[1] + wav()),
        ("multipart/form-data; boundary=b", form()[1] + b"\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b",
         b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF\r\n--b--\r\n'),
        ("multipart/form-data; boundary=b",
         form()[1] + wav() + b"\r\n" + form("2.wav")[1] + wav() + b"\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b",
         b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + bytes(100_000)),
        ("multipart/form-data; boundary=b", b"--b\r\nA: " + b"a" * 100_000),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: b\r\n" * 10_000),
    ],
)  # fmt: skip
def test_a_broken_form_is_malformed(hard: Running, kind: str, body: bytes) -> None:
    answer = hard.client.post("/api/v1/jobs", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] in ("malformed", "empty")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps({"token": "x" * 1_000_000}).encode(), 413),
        (b"[" * 2000, 400),
        (b'{"token": ' + b"[" * 2000 + b"]" * 2000 + b"}", 400),
        (b'{"token": 1}', 400),
        (b'{"token": "x", "more": 1}', 400),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
)
def test_json_that_is_too_large_or_no_token_is_refused(
    hard: Running, body: bytes, status: int
) -> None:
    assert hard.client.post("/api/v1/session", content=body).status_code == status


def test_endless_json_is_refused(hard: Running) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b'{"a": 1, ' * 100

    answer = hard.client.post("/api/v1/session", content=endless())
    refused(answer, 413, "too_large")


def test_a_killed_gate_keeper_costs_nobody_an_upload(hard: Running) -> None:
    for keeper in list(hard.service.gate._free.queue):
        os.kill(keeper.process.pid or 0, signal.SIGKILL)
        keeper.process.join(5)
    assert send(hard.client, wav()).status_code == 202


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::ffff]"])
def test_a_page_that_calls_us_by_another_name_is_refused(hard: Running, host: str) -> None:
    answer = hard.client.get("/api/v1/jobs", headers={"Host": host})
    assert "--allow-host" in refused(answer, 421, "unknown_host")


def test_a_form_posted_by_another_page_is_refused(hard: Running) -> None:
    answer = hard.client.post(
        "/api/v1/jobs", files={"file": ("a.wav", wav())}, headers={"Origin": "https://evil.example"}
    )
    refused(answer, 403, "foreign_origin")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that asks for a token."""
    with running(tmp_path_factory.mktemp("locked"), token=TOKEN) as found:
        yield found


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"},
     {"Authorization": f"Basic {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}x"},
     {"Cookie": f"seamline_session={TOKEN}"}, {"Cookie": "seamline_session=99999999999.00"},
     {"Cookie": "seamline_session=" + "9" * 5000 + ".x"}],
)  # fmt: skip
def test_a_wrong_token_opens_nothing(locked: Running, headers: dict[str, str]) -> None:
    locked.service.guard._guesses._buckets.clear()
    for method, path in (
        ("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/jobs/x"), ("DELETE", "/jobs/x"),
        ("GET", "/jobs/x/media"), ("GET", "/jobs/x/report"), ("GET", "/jobs/x/events"),
        ("GET", "/jobs/x/evidence"), ("GET", "/models"), ("GET", "/jobs/x/looks/0/face.png"),
    ):  # fmt: skip
        answer = locked.client.request(method, f"/api/v1{path}", headers=headers)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_who_guesses_tokens_must_wait_and_others_need_not(locked: Running) -> None:
    locked.service.guard._guesses._buckets.clear()
    statuses = [
        locked.client.post("/api/v1/session", json={"token": f"guess {n}"}).status_code
        for n in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    answer = locked.client.post("/api/v1/session", json={"token": TOKEN})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    locked.service.guard._guesses._buckets.clear()
    assert locked.client.post("/api/v1/session", json={"token": TOKEN}).status_code == 204


def test_a_session_opens_what_the_token_opens_until_it_is_closed(locked: Running) -> None:
    locked.service.guard._guesses._buckets.clear()
    with httpx.Client(base_url=locked.client.base_url, timeout=10) as browser:
        assert browser.get("/api/v1/jobs").status_code == 401
        answer = browser.post("/api/v1/session", json={"token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert browser.get("/api/v1/jobs").status_code == 200
        assert browser.delete("/api/v1/session").status_code == 204
        assert browser.get("/api/v1/jobs").status_code == 401


def test_health_limits_and_the_page_need_no_token(locked: Running) -> None:
    assert locked.client.get("/health").status_code == 200
    assert locked.client.get("/api/v1/limits").json()["token_required"] is True


def test_an_address_that_sends_too_fast_must_wait(tmp_path: Path) -> None:
    with running(tmp_path, limits={"jobs_a_minute": 3}) as service:
        answers = [send(service.client, wav()) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 21


@pytest.mark.parametrize(("proxy", "last"), [(None, 429), ("127.0.0.1", 202)])
def test_only_a_named_proxy_may_say_whose_request_it_is(
    tmp_path: Path, proxy: str | None, last: int
) -> None:
    with running(tmp_path, limits={"jobs_a_minute": 2}, proxy=proxy) as service:
        for address, status in (("192.0.2.1", 202), ("192.0.2.1", 202), ("192.0.2.2", last)):
            files = {"file": ("a.wav", wav())}
            headers = {"X-Forwarded-For": address}
            answer = service.client.post("/api/v1/jobs", files=files, headers=headers)
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [({"waiting_jobs": 0}, 503, "busy"), ({"uploads_at_once": 0}, 503, "busy"),
     ({"free_bytes": 10**18}, 507, "disk")],
)  # fmt: skip
def test_where_there_is_no_room_nothing_is_taken(
    tmp_path: Path, limits: dict[str, Any], status: int, code: str
) -> None:
    with running(tmp_path, limits=limits) as service:
        refused(send(service.client, wav()), status, code)


def test_what_is_too_large_is_told_so_where_the_disk_is_full_too(tmp_path: Path) -> None:
    with running(tmp_path, limits={"free_bytes": 10**18, "upload_bytes": 1000}) as service:
        kind, opening = form()
        answer, _ = talk(service, head(service, kind, "Content-Length: 900000") + opening)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_every_answer_carries_the_headers_of_safety(hard: Running, tmp_path: Path) -> None:
    face = photo(tmp_path / "face.jpg")
    job = send(hard.client, face.read_bytes(), "face.jpg").json()
    for path in ("/health", "/none", f"/api/v1/jobs/{job['id']}/media", "/api/v1/jobs?limit=x"):
        headers = hard.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self'") or "sandbox" in policy
        assert "unsafe" not in policy
        assert "server" not in headers
