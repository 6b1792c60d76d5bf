"""What a source is and how it is opened: the text that was typed in, an open container out.

A stranger's stream must not make us open local files or other protocols than its own: both are
named one by one, as they are for files.
"""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import av
from av.container import InputContainer

from seamline.errors import UnreadableMedia, WrongUsage
from seamline.media.container import MAX_PIXELS, MAX_STREAMS, MOVING_FORMATS, check_is_readable_file

PROTOCOLS = {
    "http": "http,https,tcp,tls,crypto,httpproxy",
    "https": "http,https,tcp,tls,crypto,httpproxy",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsp,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmp,rtmps,tcp,tls",
}
"""For each scheme of an address, the protocols that FFmpeg may use for it."""
_STREAMING_FORMATS = MOVING_FORMATS | {"hls", "rtsp", "rtp", "sdp", "mpjpeg", "live_flv"}


class Kind(Enum):
    """How a source is read."""

    FILE = "a file played at its own speed"
    CAMERA = "a camera"
    STREAM = "a stream"
    PIPE = "a pipe"


@dataclass(frozen=True)
class Source:
    """What is watched."""

    kind: Kind
    where: str
    timeout_seconds: float = 10.0

    @property
    def shown(self) -> str:
        """The source without a password."""
        if self.kind is not Kind.STREAM:
            return self.where
        parts = urlsplit(self.where)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def is_live(self) -> bool:
        """Whether the source, and not we, sets the speed."""
        return self.kind is not Kind.FILE

    @contextmanager
    def open(self) -> Iterator[InputContainer]:
        """Open anything but a camera, and close it afterwards; raises `UnreadableMedia`."""
        options = {
            "format_whitelist": ",".join(sorted(_STREAMING_FORMATS)),
            "max_pixels": str(MAX_PIXELS),
            "max_streams": str(MAX_STREAMS),
        }
        if self.kind is Kind.STREAM:
            scheme = urlsplit(self.where).scheme.lower()
            options["protocol_whitelist"] = PROTOCOLS[scheme]
            if scheme.startswith("rtsp"):
                options["rtsp_transport"] = "tcp"  # passes firewalls, and loses no packets
        with ExitStack() as stack:
            try:
                file: Any = self.where
                if self.kind is Kind.PIPE:
                    file = stack.enter_context(closing(Pipe(self.where, self.timeout_seconds)))
                container = av.open(
                    file,
                    "r",
                    options=options,
                    timeout=self.timeout_seconds,
                    metadata_errors="replace",
                )
            except (av.FFmpegError, OSError, ValueError) as error:
                raise UnreadableMedia(self.shown, why(error, self.timeout_seconds)) from error
            yield stack.enter_context(container)

    def is_end(self, error: Exception, container: InputContainer) -> bool:
        """Tell whether an error is a proper end after all.

        FFmpeg takes the end of an HTTP answer of unknown length, which is told by closing the line,
        for an input/output error.
        """
        is_http = self.kind is Kind.STREAM and self.where.lower().startswith("http")
        return is_http and getattr(error, "errno", None) == errno.EIO and container.size <= 0


def parse_source(text: str, timeout_seconds: float = 10.0) -> Source:
    """Tell what is meant: a camera's number or device, an address, a pipe (- is stdin), a file."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if scheme is not None:
        if scheme[1].lower() not in PROTOCOLS:
            raise WrongUsage(
                f"{scheme[1]}:// is not supported. Known: {', '.join(sorted(PROTOCOLS))}; a "
                "camera's number or device, a pipe, a file."
            )
        return Source(Kind.STREAM, text, timeout_seconds)
    if text == "-":
        return Source(Kind.PIPE, text, timeout_seconds)
    with suppress(OSError, ValueError):
        mode = os.stat(text).st_mode
        if stat.S_ISFIFO(mode):
            return Source(Kind.PIPE, text, timeout_seconds)
        if stat.S_ISCHR(mode):
            return Source(Kind.CAMERA, text, timeout_seconds)
        return Source(Kind.FILE, text, timeout_seconds)
    if text.isdecimal() or text.startswith("/dev/video"):
        return Source(Kind.CAMERA, text, timeout_seconds)
    check_is_readable_file(text)
    return Source(Kind.FILE, text, timeout_seconds)


def why(error: BaseException, timeout_seconds: float) -> str:
    """Put what the system says into plain words."""
    if isinstance(error, (TimeoutError, av.error.ExitError)):
        return f"nothing came for {timeout_seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers there (connection refused)"
    if isinstance(error, av.InvalidDataError):
        return "what comes is not media that can be decoded"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


class Pipe:
    """A pipe that gives up waiting: a file object for the demuxer."""

    def __init__(self, where: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._is_stdin = where == "-"
        if self._is_stdin:
            self._descriptor = sys.stdin.fileno()
        else:  # without waiting for a writer: that is done below, with a limit
            self._descriptor = os.open(where, os.O_RDONLY | os.O_NONBLOCK)
        self._has_begun = False

    def read(self, size: int) -> bytes:
        """Return what is there, empty at the end; raises `TimeoutError`."""
        give_up = time.monotonic() + self._timeout_seconds
        while (left := give_up - time.monotonic()) > 0:
            if not select.select([self._descriptor], [], [], left)[0]:
                break
            data = os.read(self._descriptor, size)
            if data or self._has_begun or self._is_stdin:
                self._has_begun = True
                return data
            time.sleep(0.02)  # a named pipe that nobody has opened for writing yet
        raise TimeoutError(f"nothing came for {self._timeout_seconds:g} s")

    def close(self) -> None:
        """Close the pipe."""
        if not self._is_stdin:
            os.close(self._descriptor)
