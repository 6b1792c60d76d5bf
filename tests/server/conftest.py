"""What tests of the service share: the service, and a browser for its page."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from page_browser import Browser, running_browser, why_absent
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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium; skips with a reason where there is none."""
    reason = why_absent()
    if reason:
        pytest.skip(reason)
    with running_browser(tmp_path_factory.mktemp("browser")) as found:
        yield found
