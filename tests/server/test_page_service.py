"""The page on a real `seamline serve` with the shipped model, in a real browser.

The forged clip is the demo's: four seconds genuine, then four with the face pasted over itself.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from page_axe import grave_findings
from page_browser import Browser, one_line
from server_fakes import wav
from services import running

from seamline.data.demo_clips import make_demo
from seamline.media.video import stream_frames
from seamline.media.write import write_video
from seamline.report.words import headline
from seamline.scoring.verdict import Verdict

FRAMES_PER_SECOND = 12.5
HOSTILE = "<img src=x onerror=document.title=1>.mp4"
CURRENT = "return document.querySelector('video').currentTime"
PLAYABLE = "return document.querySelector('video')?.readyState >= 2"
WATCH = """
window.told = [];
new MutationObserver(() => {
  for (const one of document.querySelectorAll('.progress-line, .upload-text')) {
    if (window.told.at(-1) !== one.textContent) window.told.push(one.textContent);
  }
}).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


@dataclass
class Served:
    """A `seamline serve` in a process of its own, and what it keeps."""

    data: Path
    address: str = ""
    job: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Run the command and wait for the address it prints; later on the same port again."""
        port = self.address.rpartition(":")[2].strip("/") or "0"
        command = [sys.executable, "-c", "from seamline.cli.main import app; app()", "serve"]
        command += ["--data", str(self.data), "--port", port]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        killer = threading.Timer(60, self.process.kill)  # the wait for its address has an end
        killer.start()
        lines: list[str] = []
        for line in self.process.stderr:
            lines.append(line)
            if found := re.search(r"http://\S+/", line):
                self.address = found[0]
                break
        killer.cancel()
        assert self.address, f"no address was printed, but: {lines}"

    def stop(self) -> None:
        """End the process as Ctrl-C does."""
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.stderr.close()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A genuine clip, and one that is forged from its fourth second on."""
    folder = tmp_path_factory.mktemp("clips")
    genuine, blended = make_demo(folder)
    forged = folder / HOSTILE
    step = 1 / FRAMES_PER_SECOND
    frames = [f.rgb for one in (genuine, blended) for f in stream_frames(one, step_seconds=step)]
    write_video(forged, frames, FRAMES_PER_SECOND)
    return genuine, forged


@pytest.fixture(scope="module")
def served(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, clips: tuple[Path, Path]
) -> Iterator[Served]:
    """The service with both clips examined: the forged one was sent through the page."""
    found = Served(tmp_path_factory.mktemp("serve"))
    found.start()
    try:
        yield found
    finally:
        browser.driver.get("about:blank")
        found.stop()


def verdict_of(served: Served) -> Verdict:
    answer = httpx.get(f"{served.address}api/v1/jobs/{served.job}", timeout=20)
    return Verdict.from_json(answer.json()["verdict"])


def test_a_sent_file_shows_its_progress_and_then_its_verdict(
    browser: Browser, served: Served, clips: tuple[Path, Path]
) -> None:
    browser.driver.get_log("performance")
    browser.open(served.address)
    browser.find("#drop-hint")
    browser.js(WATCH)
    browser.all("#files")[0].send_keys(str(clips[1]))
    browser.until(lambda: browser.all(".verdict"), "no verdict came", 120)
    served.job = browser.js("return location.hash").removeprefix("#/jobs/")
    told = " ".join(browser.js("return window.told"))
    assert "Sending" in told or "Sent" in told
    assert "Waiting" in told or "Reading" in told or "Examining" in told
    verdict = verdict_of(served)
    assert verdict.label == "fake_video"
    assert browser.text("h1") == " ".join(headline(verdict).title.split())
    assert " ".join(headline(verdict).sentence.split()) in browser.text(".verdict")
    assert "Voice No audio stream." in browser.text(".missing")


def test_the_name_of_the_file_is_text_and_never_markup(browser: Browser, served: Served) -> None:
    assert HOSTILE in browser.text(".path")
    assert not browser.all("main img[src=x]")
    assert browser.js("return document.title").endswith("– Seamline")


def test_a_pressed_segment_moves_the_video_its_box_and_its_score(
    browser: Browser, served: Served
) -> None:
    (segment,) = verdict_of(served).segments
    start = segment.start_seconds
    assert 3 <= start <= 5

    def there() -> bool:
        return bool(browser.js(CURRENT) == pytest.approx(start, abs=0.001))

    browser.until(lambda: browser.js(PLAYABLE), "the video is not playable", 20)

    def score() -> int:
        return int(one_line(browser.all(".lane-name")[1]).split()[-2])

    boxes = "return document.querySelector('canvas.boxes').dataset.faces"
    assert score() < 50
    browser.click(".bracket")
    browser.until(there, "the video is not at the segment")
    browser.until(lambda: score() > 60, "the score is another moment's")
    browser.until(lambda: browser.js(boxes) == "1", "no box is drawn")
    browser.find(".segment-row").send_keys("\ue010")  # keys do not scroll the player away
    browser.js("document.querySelector('video').currentTime = 1")
    browser.until(lambda: browser.js(CURRENT) == 1, "the video was not sought")
    browser.until(lambda: "0:01" in browser.text(".lane-name output"), "the time stood still")
    browser.click(".segment-row")
    browser.until(there, "the video is not at the segment of the table")


def test_timeline_and_boxes_go_along_while_the_video_plays(
    browser: Browser, served: Served
) -> None:
    shown = "return [document.querySelector('video').currentTime, Number(scrub.value)]"
    browser.js("const v = document.querySelector('video'); v.currentTime = 1; return v.play()")
    browser.until(lambda: browser.js(shown)[1] > 2, "the timeline stood still")
    browser.js("document.querySelector('video').pause()")
    time.sleep(0.2)  # the last frame is drawn
    playing, told = browser.js(shown)
    assert told == pytest.approx(playing, abs=2 / FRAMES_PER_SECOND)


def test_heat_is_laid_over_the_faces_and_can_be_taken_away(
    browser: Browser, served: Served
) -> None:
    loaded = "return [...document.querySelectorAll('.looks img')].map((i) => i.naturalWidth > 0)"
    browser.js("document.querySelector('.faces').scrollIntoView()")
    browser.until(lambda: len(seen := browser.js(loaded)) >= 3 and all(seen), "looks not loaded")
    opacity = "return getComputedStyle(document.querySelector('img.heat')).opacity"
    assert browser.js(opacity) == "1"
    browser.find("#heat").send_keys("\ue011")  # home
    assert browser.js(opacity) == "0"
    browser.click(".heat-control input[type=checkbox]")
    assert not [one for one in browser.all("img.heat") if one.is_displayed()]


def test_report_and_json_are_downloaded_as_the_service_has_them(
    browser: Browser, served: Served
) -> None:
    for text, part in (("Download report", "report"), ("Download JSON", "verdict")):
        link = next(one for one in browser.all(".actions a") if one.text == text)
        before = set(browser.downloads.iterdir())
        link.click()
        fresh = browser.until(
            lambda before=before: [
                path
                for path in set(browser.downloads.iterdir()) - before
                if path.suffix in (".html", ".json") and path.stat().st_size
            ],
            f"{text} gave no file",
        )
        there = httpx.get(f"{served.address}api/v1/jobs/{served.job}/{part}", timeout=20)
        assert fresh[0].read_bytes() == there.content
        if part == "report":
            assert "Seamline report" in there.text
            assert verdict_of(served).sha256 in there.text
        else:
            assert json.loads(there.text)["label"] == "fake_video"


def test_a_genuine_clip_is_not_called_proven(
    browser: Browser, served: Served, clips: tuple[Path, Path]
) -> None:
    with clips[0].open("rb") as file:
        sent = httpx.post(f"{served.address}api/v1/jobs", files={"file": file}, timeout=20).json()
    browser.open(f"{served.address}#/jobs/{sent['id']}")
    browser.until(lambda: browser.all(".verdict"), "no verdict came", 120)
    assert browser.text("h1").startswith("No manipulation found")
    assert "It is not a proof" in browser.text(".verdict.real")
    assert "No stretch of time reached the threshold." in browser.text(".segment-list")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (360, "light")])
def test_real_views_hinder_nobody_and_fit_a_phone(
    browser: Browser, served: Served, width: int, scheme: str
) -> None:
    browser.resize(width)
    browser.prefer(scheme)
    browser.open(served.address)
    views = {"#/": "Latest scans", "#/history": "Delete", f"#/jobs/{served.job}": "Where to look"}
    for address, text in views.items():
        browser.js("location.hash = arguments[0]", address)
        browser.wait_text(text)
        assert grave_findings(browser) == [], address
        wide = "return document.documentElement.scrollWidth - innerWidth"
        assert browser.js(wide) <= 0, address
    browser.resize(0)
    browser.prefer("light")


def test_past_scans_outlive_a_restart_of_the_service(browser: Browser, served: Served) -> None:
    verdict, port = verdict_of(served), served.address
    browser.driver.get("about:blank")
    served.stop()
    served.start()
    assert served.address == port
    browser.open(f"{served.address}#/history")
    browser.wait_text(HOSTILE, ".jobs")
    assert len(browser.all(".job")) == 2
    next(one for one in browser.all(".job a") if one.text == HOSTILE).click()
    browser.wait_text(" ".join(headline(verdict).title.split()), "h1")
    browser.until(lambda: browser.js(PLAYABLE), "the video is not playable", 20)
    assert verdict_of(served) == verdict


def test_the_page_asks_no_other_host_for_anything(browser: Browser, served: Served) -> None:
    asked = [
        message["params"]["request"]["url"]
        for entry in browser.driver.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    assert len([url for url in asked if url.startswith(served.address)]) > 30
    ours = (served.address, "http://127.0.0.1:", "about:", "data:", "blob:", "chrome")
    assert [url for url in asked if not url.startswith(ours)] == []
    grave = [one for one in browser.driver.get_log("browser") if one["level"] == "SEVERE"]
    assert [one["message"] for one in grave if "Content Security Policy" in one["message"]] == []


def test_a_service_that_keeps_nothing_leaves_the_verdict_and_the_senders_own_copy(
    browser: Browser, tmp_path: Path
) -> None:
    sound = tmp_path / "call.wav"
    sound.write_bytes(wav("0.9", seconds=2))
    with running(tmp_path / "data", keep_seconds=0) as service:
        browser.open(str(service.client.base_url))
        browser.wait_text("deleted as soon as it was examined")
        browser.all("#files")[0].send_keys(str(sound))
        browser.until(lambda: browser.all(".verdict"), "no verdict came", 60)
        source = "return document.querySelector('audio')?.currentSrc"
        browser.until(lambda: str(browser.js(source)).startswith("blob:"))
        assert [one.text for one in browser.all(".actions a")] == ["Download JSON"]
        browser.driver.get("about:blank")


def test_a_token_is_asked_for_once_and_forgotten_on_request(
    browser: Browser, tmp_path: Path
) -> None:
    token = "open sesame"
    with running(tmp_path, token=token) as service:
        browser.open(str(service.client.base_url))
        browser.find("#token").send_keys("a wrong one\ue007")
        browser.wait_text("That is not the token of this service.")
        assert browser.js("return document.activeElement.id") == "token"
        assert grave_findings(browser) == []
        browser.find("#token").clear()
        browser.find("#token").send_keys(f"{token}\ue007")
        browser.wait_text("Are the faces and the voice genuine?")
        assert token not in browser.js("return document.cookie")
        browser.js("location.hash = '#/history'")
        browser.wait_text("Nothing was scanned yet.")
        browser.click("#sign-out")
        browser.find("#token")
        browser.open(f"{service.client.base_url}#/history")
        browser.find("#token")
        browser.driver.get("about:blank")
