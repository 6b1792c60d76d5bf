"""A service's double for tests of the page: jobs, evidence and refusals that a test sets up.

It answers as the real service does (same paths, same Content-Security-Policy) but examines
nothing, so that states that are hard to reach on purpose can be shown: a queue, a failure, an
inconclusive verdict, a refusal. The page's files are the real ones.
"""

from __future__ import annotations

import json
import mimetypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = Path(__file__).parents[2] / "src" / "seamline" / "server" / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_JSON = "application/json"


@dataclass
class Double:
    """What the double says; a test changes it as it likes."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id, oldest first."""
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    """PNG files by path."""
    uploads: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Answers to the next uploads: status, headers, body."""
    limits: dict[str, Any] = field(
        default_factory=lambda: {
            "upload_bytes": 2_000_000_000,
            "duration_seconds": 3600.0,
            "pixels": 40_000_000,
            "keep_seconds": 86400.0,
            "token_required": False,
        }
    )
    models: list[dict[str, Any]] = field(default_factory=list)
    sends_events: bool = True
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    references: list[list[str]] = field(default_factory=list)
    """Of each upload, the jobs that it is to be judged against."""
    address: str = ""

    def put_job(self, id: str, **changes: Any) -> dict[str, Any]:
        """Add or change a job; the parts that are not named stay, or are usual ones."""
        usual = {
            "id": id, "name": "talk.mp4", "size_bytes": 123456, "state": "queued",
            "created": "2026-11-23T20:00:00.000Z", "started": None, "ended": None,
            "progress": {"stage": "queued", "share": 0.0, "queue_position": 1},
            "verdict": None, "reason": None, "attempts": 1, "expires": None,
            "media_type": "video/mp4", "has_media": True, "has_report": True,
        }  # fmt: skip
        self.jobs[id] = {**self.jobs.get(id, usual), **changes}
        return self.jobs[id]


@contextmanager
def running_double() -> Iterator[Double]:
    """Serve a double on a free port of the loopback until the block ends."""
    double = Double()
    handler = type("Handler", (_Handler,), {"double": double})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    double.address = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    double: Double
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path, query = self._asked()
        match path.strip("/").split("/"):
            case [""]:
                self._send(200, "text/html", (PAGE / "index.html").read_bytes())
            case ["static", name] if (PAGE / name).is_file():
                kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
                self._send(200, kind, (PAGE / name).read_bytes())
            case ["api", "v1", "limits"]:
                self._json(200, self.double.limits)
            case ["api", "v1", "models"]:
                self._json(200, self.double.models)
            case ["api", "v1", "jobs"]:
                self._list(query)
            case ["api", "v1", "jobs", id, *rest] if id in self.double.jobs:
                self._part(id, rest)
            case _:
                self._refuse(404, "not_found", f"There is nothing at {path}.")

    def do_POST(self) -> None:
        _, query = self._asked()
        self.double.references.append(query.get("reference", []))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.double.uploads:
            status, headers, body = self.double.uploads.pop(0)
            self._json(status, body, headers)
        else:
            self._refuse(503, "unavailable", "The test set up no answer.")

    def do_DELETE(self) -> None:
        path, _ = self._asked()
        known = self.double.jobs.pop(path.rsplit("/", 1)[-1], None)
        if known is None:
            self._refuse(404, "not_found", "There is no such job.")
        else:
            self._send(204, _JSON, b"")

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        self.double.asked.append(f"{self.command} {parts.path}")
        return parts.path, parse_qs(parts.query)

    def _list(self, query: dict[str, list[str]]) -> None:
        newest = list(self.double.jobs.values())[::-1]
        start = int(query.get("after", ["0"])[0])
        stop = start + int(query.get("limit", ["20"])[0])
        after = str(stop) if stop < len(newest) else None
        self._json(200, {"jobs": newest[start:stop], "next": after})

    def _part(self, id: str, rest: list[str]) -> None:
        double = self.double
        match rest:
            case []:
                self._json(200, double.jobs[id])
            case ["events"] if double.sends_events:
                self._events(id)
            case ["evidence"] if id in double.evidence:
                self._json(200, double.evidence[id])
            case ["media"] if id in double.media:
                self._media(double.jobs[id]["media_type"], double.media[id])
            case ["looks", *_] if self.path in double.pictures:
                self._send(200, "image/png", double.pictures[self.path])
            case _:
                self._refuse(404, "not_found", "There is no such part.")

    def _events(self, id: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        told = None
        until = time.monotonic() + 30
        while time.monotonic() < until:
            job = self.double.jobs.get(id)
            line = json.dumps(job)
            if line != told:
                event = "gone" if job is None else "job"
                try:
                    self.wfile.write(f"event: {event}\ndata: {line}\n\n".encode())
                except OSError:
                    return
                told = line
            if job is None or job["state"] in ("done", "failed"):
                return
            time.sleep(0.05)

    def _media(self, kind: str, data: bytes) -> None:
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes="):
            self._send(200, kind, data, {"Accept-Ranges": "bytes"})
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, stop = int(first or 0), min(int(last or len(data)) + 1, len(data))
        span = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}", "Accept-Ranges": "bytes"}
        self._send(206, kind, data[start:stop], span)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._json(status, {"error": {"code": code, "message": message}})

    def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, _JSON, json.dumps(body).encode(), headers)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        given = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        for name, value in {**given, "Content-Security-Policy": POLICY}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the page needed no more of it
