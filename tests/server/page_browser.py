"""A headless Chromium for tests of the page, driven by Selenium; nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--window-size=1200,900",
    "--disable-dev-shm-usage",
)  # fmt: skip
_T = TypeVar("_T")


def why_absent() -> str | None:
    """Tell why no browser can be started; None where one can."""
    missing = [str(path) for path in (CHROMIUM, DRIVER) if not os.access(path, os.X_OK)]
    if missing:
        return f"{' and '.join(missing)} not installed (Debian: apt install chromium-driver)"
    return None


def one_line(element: WebElement) -> str:
    """Give an element's text with every white space as one plain space."""
    return " ".join(element.text.split())


# A page that a key scrolls glides for some frames, and what is pressed meanwhile slips away.
_RESTS = """const y = scrollY;
    const frame = () => new Promise(requestAnimationFrame);
    return frame().then(frame).then(frame).then(() => scrollY === y)"""


class Browser:
    """One browser with the few verbs that the tests use."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads

    def open(self, address: str) -> None:
        """Load an address from scratch, also when only the part after # differs."""
        self.driver.get("about:blank")
        self.driver.get(address)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; a promise that it returns is awaited."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        """Wait for an element that is shown."""
        return self.until(lambda: self._shown(selector), f"nothing shown at {selector!r}")

    def click(self, selector: str) -> None:
        """Press what is shown, once the page has come to rest under it."""
        self.until(lambda: self.js(_RESTS), "the page goes on scrolling")

        def pressed() -> bool:
            try:
                self.find(selector).click()
            except ElementClickInterceptedException:
                return False
            return True

        self.until(pressed, f"something lies over {selector!r}")

    def all(self, selector: str) -> list[WebElement]:
        """List the elements that match now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "main") -> str:
        """Give an element's text as it is shown, on one line."""
        return one_line(self.find(selector))

    def until(self, told: Callable[[], _T], otherwise: str = "", seconds: float = 20) -> _T:
        """Wait until something is true, and give it."""
        stale = [StaleElementReferenceException]
        wait = WebDriverWait(self.driver, seconds, 0.05, ignored_exceptions=stale)
        try:
            return wait.until(lambda _: told())
        except TimeoutException:
            raise AssertionError(f"{otherwise}; the page shows: {self._page()!r}") from None

    def wait_text(self, part: str, selector: str = "main", seconds: float = 20) -> None:
        """Wait until an element's text holds a part."""
        self.until(lambda: part in self.text(selector), f"no {part!r} in {selector}", seconds)

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of what the page sees, as a phone's; 0 goes back to the window's."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        if width:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        else:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def prefer(self, scheme: str) -> None:
        """Make the system prefer "light" or "dark"."""
        wish = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})

    def _shown(self, selector: str) -> WebElement | None:
        return next((one for one in self.all(selector) if one.is_displayed()), None)

    def _page(self) -> str:
        return one_line(self.driver.find_element(By.TAG_NAME, "body"))[:600]


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """Start a browser with a fresh profile and a folder for downloads; end it with the block."""
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs",
        {"download.default_directory": str(downloads), "download.prompt_for_download": False},
    )
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        driver.set_script_timeout(30)
        yield Browser(driver, downloads)
    finally:
        driver.quit()
