"""The service that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from services import Running, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with one worker and the usual limits."""
    with running(tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture
def client(service: Running) -> httpx.Client:
    """A client of the shared service."""
    return service.client
