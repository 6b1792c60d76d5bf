"""Who may ask, and how often: a request in; nothing, or a ``Refused``, out."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection

from seamline.server.refusals import Refused
from seamline.server.settings import ServiceSettings

COOKIE = "seamline_session"
SESSION_SECONDS = 30 * 86400
_GUESSES_A_MINUTE = 10
_MOST_ADDRESSES = 10_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Rate:
    """So many a minute from one address, with as many at once: a bucket that refills."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = a_minute, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, address: str, *, take: bool = True) -> float:
        """Takes one, or only looks; gives 0, or how long to wait where none is left."""
        now = self._clock()
        left, then = self._buckets.get(address, (float(self._most), now))
        left = min(self._most, left + (now - then) * self._most / 60)
        if left < 1:
            return (1 - left) * 60 / self._most
        if take:
            self._buckets[address] = (left - 1, now)
            self._buckets.move_to_end(address)
            if len(self._buckets) > _MOST_ADDRESSES:
                self._buckets.popitem(last=False)
        return 0.0


class Guard:
    """The token, the session cookie, the host and origin, and the rates."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._token = None if settings.token is None else settings.token.encode()
        self._hosts = frozenset(settings.hosts)
        self._jobs = Rate(settings.limits.jobs_a_minute)
        self._guesses = Rate(_GUESSES_A_MINUTE)

    @property
    def asks_for_token(self) -> bool:
        """Tells whether a token is needed."""
        return self._token is not None

    def check_host(self, request: HTTPConnection) -> None:
        """Refuses foreign pages that reach a service without a token through the browser.

        A page can give its own name our address (DNS rebinding), or post a form to us.
        """
        host = _host_name(request.headers.get("host", ""))
        if self._token is None and host not in self._hosts:
            raise Refused(
                421,
                "unknown_host",
                f"This service is not called {host!r}. Add --allow-host {host}, or set a --token.",
            )
        origin = request.headers.get("origin")
        if request.scope.get("method") in _SAFE_METHODS or origin is None:
            return
        if urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
            raise Refused(403, "foreign_origin", f"A page of {origin} may not ask this service.")

    def check_token(self, request: Request) -> None:
        """Refuses who has neither the token nor a session."""
        if self._token is None:
            return
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            self.check_given(given.strip(), address_of(request))
        elif not self._is_session(request.cookies.get(COOKIE, "")):
            raise _unauthorized("This service asks for its token: `Authorization: Bearer TOKEN`.")

    def check_given(self, given: str, address: str) -> None:
        """Compares a token in constant time; too many wrong ones from an address must wait."""
        if self._token is None:
            return
        wait = self._guesses.wait_seconds(address, take=False)
        if wait:
            raise _too_many("Too many wrong tokens came from this address.", wait)
        # Digests, because comparing takes as long as the longer of two texts of unequal length.
        if not hmac.compare_digest(_digest(given.encode()), _digest(self._token)):
            self._guesses.wait_seconds(address)
            raise _unauthorized("The token is wrong.")

    def check_rate(self, request: Request) -> None:
        """Refuses an address that sends jobs too fast."""
        wait = self._jobs.wait_seconds(address_of(request))
        if wait:
            raise _too_many("Too many jobs came from this address within a minute.", wait)

    def session(self) -> str:
        """Makes a session's cookie: when it ends, and a proof that we made it."""
        until = str(int(time.time()) + SESSION_SECONDS)
        return f"{until}.{self._proof(until)}"

    def _is_session(self, cookie: str) -> bool:
        until, _, proof = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 12):
            return False
        genuine = hmac.compare_digest(proof.encode(), self._proof(until).encode())
        return genuine and int(until) > time.time()

    def _proof(self, until: str) -> str:
        text = f"seamline session until {until}".encode()
        return hmac.new(self._token or b"", text, hashlib.sha256).hexdigest()


def address_of(request: HTTPConnection) -> str:
    """Gives the address that a request came from."""
    return request.client.host if request.client else "unknown"


def _host_name(header: str) -> str:
    """Takes the port off a Host header."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _unauthorized(message: str) -> Refused:
    return Refused(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})


def _too_many(message: str, wait_seconds: float) -> Refused:
    seconds = max(1, round(wait_seconds + 0.5))
    return Refused(429, "too_many", f"{message} Wait {seconds} s.", {"Retry-After": str(seconds)})
