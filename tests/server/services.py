"""Runs a service with a detector of tests in a thread, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from server_fakes import OrderedLoader

from seamline.server.run import listen, make_server
from seamline.server.service import Service
from seamline.server.settings import Limits, ServiceSettings


@dataclass(frozen=True)
class Running:
    """A service that runs, and a client of it."""

    client: httpx.Client
    service: Service


@contextmanager
def running(
    data: Path,
    *,
    limits: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Iterator[Running]:
    """Runs a service with the ordered detector in a thread of this process."""
    settings = ServiceSettings(data, limits=Limits(**(limits or {})), **options)
    with listen("127.0.0.1", 0) as listener:
        server = make_server(settings, OrderedLoader())
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, timeout=30, headers=headers) as client:
                client.get("/health")
                yield Running(client, server.config.app.state.service)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the service did not stop"
