"""Takes an upload in as it streams: a request in, a file of ours on the disk and its name out.

Nothing is held in memory but the chunk at hand; every limit is applied to what has come so far.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from seamline.errors import UnreadableMedia
from seamline.media.declared_size import declared_size
from seamline.server.refusals import Refused, check_pixels
from seamline.server.settings import Limits
from seamline.server.sniff import SNIFF_BYTES, sniff
from seamline.server.threads import in_thread

ENVELOPE_BYTES = 64 * 1024
"""What a form may have beside its file: boundaries, headers, the odd field."""
LONGEST_NAME = 200
_HEADER_BYTES = 1 << 20  # by then, every header that tells a picture's size was there
_WRITE_BYTES = 1 << 20


@dataclass(frozen=True)
class Upload:
    """A whole upload, not looked into yet."""

    path: Path
    name: str
    """As the sender calls it; only ever shown."""
    size_bytes: int
    media_type: str


async def take_upload(request: Request, incoming: Path, limits: Limits) -> Upload:
    """Streams the form's ``file`` to the disk; raises ``Refused``, and then leaves no file."""
    boundary = _boundary(request)
    form = _Form(boundary)
    path = incoming / secrets.token_hex(16)
    try:
        with path.open("wb") as file:
            check = _Check(path, limits)
            async for chunk in _chunks(request, limits):
                for part in form.feed(chunk):
                    check.add(part)
                    if check.waiting >= _WRITE_BYTES:
                        await in_thread(file.write, check.take())
                        await in_thread(check.picture)
                if form.beside > ENVELOPE_BYTES:
                    raise Refused(400, "malformed", "The form holds more than a file. "
                                  "Send one field, `file`.")  # fmt: skip
            form.close()
            await in_thread(file.write, check.take())
            await in_thread(file.flush)
            media_type = check.close()
            await in_thread(check.picture, whole=True)
            await in_thread(_to_disk, file.fileno())
        return Upload(path, shown_name(form.name), check.size_bytes, media_type)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, ClientDisconnect):
            raise Refused(400, "cut_off", "The upload ended before it was whole.") from None
        if isinstance(error, OSError):
            raise Refused(
                507, "disk", f"The upload cannot be stored: {error.strerror}. Try later."
            ) from error
        raise


def shown_name(name: str) -> str:
    """Gives the last part of a name, fit to be shown and to be stored by any database."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = "".join(sign for sign in last if sign.isprintable()).strip()
    return plain[:LONGEST_NAME] or "upload"


def _to_disk(descriptor: int) -> None:
    import os

    os.fsync(descriptor)


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise Refused(
            400,
            "malformed",
            "An upload is a form (multipart/form-data with a boundary) whose field `file` is the "
            "medium. Try: curl -F file=@talk.mp4 ADDRESS/api/v1/jobs",
        )
    return boundary


def check_promise(request: Request, limits: Limits) -> None:
    """Refuses a body that says of itself that it is too long, before any of it comes."""
    promised = promised_bytes(request)
    if promised > limits.upload_bytes + ENVELOPE_BYTES:
        raise too_large(promised, limits)


def promised_bytes(request: Request) -> int:
    """Tells how long the body will be, 0 where the request does not say."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isdecimal() and len(told) < 20 else 0


def too_large(found: int | None, limits: Limits) -> Refused:
    """Makes the refusal of an upload of too many bytes."""
    told = "more" if found is None else f"{found / 1e6:,.0f} MB"
    return Refused(
        413,
        "too_large",
        f"Uploads may have {limits.upload_bytes / 1e6:,.0f} MB; this one has {told}. "
        "Cut it, or scan it with `seamline scan`, which has no such limit.",
    )


async def _chunks(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yields the body; refuses senders that fall silent or send a byte now and then."""
    began, received = time.monotonic(), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(limits.silent_seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refused(
                408, "too_slow", f"Nothing came for {limits.silent_seconds:g} s. Try again."
            ) from None
        if chunk is None:
            return
        received += len(chunk)
        spent = time.monotonic() - began
        if spent > limits.silent_seconds and received < spent * limits.slowest_bytes_a_second:
            raise Refused(
                408,
                "too_slow",
                f"Only {received:,} bytes came in {spent:.0f} s; "
                f"{limits.slowest_bytes_a_second:,.0f} a second are the least. Try again.",
            )
        if spent > limits.upload_seconds:
            raise Refused(
                408, "too_slow", f"An upload may take {limits.upload_seconds:g} s. Cut the file."
            )
        yield chunk


class _Check:
    """Counts, and looks at, the file's bytes as they come."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._head = bytearray()
        self._parts = bytearray()
        self._looked = False
        self.size_bytes = 0

    @property
    def waiting(self) -> int:
        """How many bytes are not written yet."""
        return len(self._parts)

    def add(self, part: bytes) -> None:
        self.size_bytes += len(part)
        if self.size_bytes > self._limits.upload_bytes:
            raise too_large(None, self._limits)
        if len(self._head) < SNIFF_BYTES:
            self._head += part[: SNIFF_BYTES - len(self._head)]
            if len(self._head) == SNIFF_BYTES:
                self._media_type()
        self._parts += part

    def take(self) -> bytes:
        taken, self._parts = bytes(self._parts), bytearray()
        return taken

    def close(self) -> str:
        if not self.size_bytes:
            raise Refused(400, "empty", "The form's field `file` is empty, or is not a file.")
        return self._media_type()

    def picture(self, whole: bool = False) -> None:
        """Refuses a picture whose header promises too many pixels (read from the disk)."""
        if self._looked or (self.size_bytes < _HEADER_BYTES and not whole):
            return
        self._looked = True
        try:
            size = declared_size(str(self._path))
        except UnreadableMedia:
            return
        check_pixels(size, self._limits)

    def _media_type(self) -> str:
        found = sniff(bytes(self._head))
        if found is None:
            raise Refused(
                415,
                "unknown_medium",
                "By its content this is no video, picture or sound that can be scanned. "
                "The name does not count.",
            )
        return found


class _Form:
    """The streaming parser: chunks of the body in, chunks of the field ``file`` out."""

    def __init__(self, boundary: bytes) -> None:
        self.name = ""
        self.beside = 0
        self._found: list[bytes] = []
        self._files = 0
        self._in_file = self._ended = False
        self._field, self._value = bytearray(), bytearray()
        calls: Any = {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, a, b: self._field.extend(data[a:b]),
            "on_header_value": lambda data, a, b: self._value.extend(data[a:b]),
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, calls)
        except FormParserError as error:
            raise _malformed(error) from error

    def feed(self, chunk: bytes) -> list[bytes]:
        """Takes a chunk of the body; gives what it holds of the file."""
        self._found = []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(error) from error
        self.beside += len(chunk) - sum(map(len, self._found))
        return self._found

    def close(self) -> None:
        """Refuses a body that ended early or had no file."""
        if not self._ended:
            raise Refused(400, "malformed", "The form ended before its closing boundary.")
        if not self._files:
            raise Refused(400, "malformed", "The form has no field `file` with a file in it.")

    def _part_begin(self) -> None:
        self._in_file = False

    def _header_end(self) -> None:
        header, value = bytes(self._field).lower(), bytes(self._value)
        self._field.clear()
        self._value.clear()
        if header != b"content-disposition":
            return
        _, options = parse_options_header(value)
        if options.get(b"name") == b"file" and b"filename" in options:
            self._files += 1
            if self._files > 1:
                raise Refused(400, "malformed", "One file an upload, please: several were sent.")
            self._in_file = True
            self.name = options[b"filename"].decode("utf-8", "replace")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._found.append(data[start:end])

    def _end(self) -> None:
        self._ended = True


def _malformed(error: Exception) -> Refused:
    return Refused(400, "malformed", f"The form cannot be read: {error}.")
