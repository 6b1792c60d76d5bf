"""Asks axe-core what in a page hinders people; its graver findings come back as texts."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from page_browser import Browser

_GRAVE = ("serious", "critical")


def grave_findings(browser: Browser) -> list[str]:
    """Give rule, place and reason of each serious or critical finding on the page as it is."""
    source = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    if not browser.js("return typeof window.axe === 'object'"):
        browser.driver.execute_script(source)
    found: dict[str, Any] = browser.js("return axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 10, "axe looked at the page"
    return [
        f"{rule['id']} ({rule['impact']}) at {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in _GRAVE
        for node in rule["nodes"]
    ]
