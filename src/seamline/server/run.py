"""Runs the service on an address until it is told to stop."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn

from seamline.errors import SeamlineError
from seamline.scale.examine import Loader
from seamline.server.app import create_app
from seamline.server.door import Door
from seamline.server.service import Ground
from seamline.server.settings import ServiceSettings

_SHUTDOWN_SECONDS = 3  # open event streams are cut after that
_BACKLOG = 128
_MOST_CONNECTIONS = 800  # a process may often open 1024 files, and an upload is two


def run_service(
    settings: ServiceSettings,
    load: Loader,
    host: str,
    port: int,
    proxy: str | None,
    tell: Callable[[str], None],
) -> None:
    """Serves until SIGINT or SIGTERM; ``tell`` gets the address once it answers."""
    ground = Ground.open(settings)  # before the server, so that what is wrong is told plainly
    with listen(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listener.getsockname()[1]}/"
        server = make_server(settings, load, ground, proxy, lambda: tell(address))
        server.run([listener])


def make_server(
    settings: ServiceSettings,
    load: Loader,
    ground: Ground | None = None,
    proxy: str | None = None,
    is_up: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """Makes the server, to be run on sockets that listen; ``is_up`` is called as it begins."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings, load, ground, is_up),
            http=Door,
            ws="none",
            limit_concurrency=_MOST_CONNECTIONS,
            log_level="error",  # what strangers send wrongly must not fill the log
            access_log=False,
            server_header=False,
            proxy_headers=proxy is not None,
            forwarded_allow_ips=proxy,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            lifespan="on",
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Opens the socket; connections wait in it until the server has begun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SeamlineError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Name another --port."
        ) from error
