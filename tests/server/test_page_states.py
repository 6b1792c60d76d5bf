"""States of the page that a real service reaches rarely, set up on a double."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_axe import grave_findings
from page_browser import Browser, one_line
from page_double import Double, running_double
from report_factory import make_verdict

from media_factory import photo, tiny_video, tone
from seamline.scoring.verdict import (
    ReferencePerson,
    ReferenceUse,
    Segment,
    SenseScore,
    SyncScore,
    Timeline,
)

ID = "abcdefghijklmnopqrstuvwx"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><b>name</b>.mp4"
DONE = {"stage": "done", "share": 1.0, "queue_position": None}
VIEWS = {"light": (1200, "light"), "dark": (1200, "dark"), "phone": (360, "light")}


@pytest.fixture
def double(browser: Browser) -> Iterator[Double]:
    """A fresh double, and a browser that has left it when the test ends."""
    with running_double() as found:
        yield found
        browser.driver.get("about:blank")
        browser.resize(0)


def verdict(**changes: Any) -> dict[str, Any]:
    return make_verdict(**changes).to_json()


def inconclusive() -> dict[str, Any]:
    nothing = SenseScore(None, 0.0, "no face of at least 48 px for at least 1 s")
    return verdict(
        label="inconclusive", fake_probability=None, video=nothing, people=(), segments=(),
        audio=SenseScore(None, 0.0, "no audio stream"),
        sync=SyncScore(None, None, "no audio stream"),
        timeline=Timeline(1.0, (None,) * 10, (None,) * 10, (None,) * 10),
    )  # fmt: skip


def two_faces(double: Double) -> None:
    """A ten-second video of two faces, one of them moving steadily to the right."""
    times = [k / 4 for k in range(40)]
    faces = [
        {
            "track": track,
            "seconds": times,
            "boxes": [[x0 + 4 * t, 10, x0 + 4 * t + 12, 30] for t in times],
            "fake_probability": [0.96 if track == 0 and 2 <= t < 6 else 0.1 for t in times],
        }
        for track, x0 in ((0, 4), (1, 0))
    ]
    people = [
        {"track": track, "start_seconds": 0.0, "stop_seconds": 10.0, "fake_probability": p,
         "face_px": 20}
        for track, p in ((0, 0.97), (1, 0.1))
    ]  # fmt: skip
    found = {**verdict(), "people": people}
    double.put_job(ID, state="done", verdict=found, progress=DONE)
    double.evidence[ID] = {"width": 64, "height": 48, "faces": faces, "looks": []}


@pytest.mark.parametrize(
    ("status", "headers", "title"),
    [
        (413, {}, "Too large"),
        (415, {}, "Not a medium that Seamline knows"),
        (503, {"Retry-After": "9"}, "The service is busy"),
        (507, {}, "No room left on the service"),
        (400, {}, "The upload was not understood"),
    ],
)
def test_a_refused_upload_says_why_in_the_services_words(
    browser: Browser, double: Double, tmp_path: Path, status: int, headers: Any, title: str
) -> None:
    message = f"<b>Asked</b> for {status}; try another file."
    double.uploads.append((status, headers, {"error": {"code": "x", "message": message}}))
    browser.open(double.address)
    browser.find("#drop-hint")
    browser.all("#files")[0].send_keys(str(tone(tmp_path / "tone.wav", 0.1)))
    browser.wait_text(title, ".uploads")
    assert message in browser.text(".uploads")
    offered = [one.text for one in browser.all(".uploads button")]
    # The size and the content of a file stay what they are.
    assert offered == (["Try again", "Remove"] if status > 500 else ["Remove"])


def test_a_hurried_upload_waits_as_long_as_it_is_told_and_is_sent_again(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    refusal = {"error": {"code": "too_many", "message": "Too many uploads from here."}}
    double.uploads.append((429, {"Retry-After": "1"}, refusal))
    double.uploads.append((202, {}, double.put_job(ID, state="queued")))
    browser.open(double.address)
    browser.find("#drop-hint")
    began = time.monotonic()
    browser.all("#files")[0].send_keys(str(tone(tmp_path / "tone.wav", 0.1)))
    browser.wait_text("It is sent again in 1", ".uploads")
    browser.wait_text("Waiting: it is next.")
    assert time.monotonic() - began >= 1
    assert browser.js("return location.hash") == f"#/jobs/{ID}"


def test_a_file_above_the_limit_is_refused_before_it_is_sent(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    double.limits["upload_bytes"] = 1000
    browser.open(double.address)
    browser.wait_text("up to 1 kB", ".limits")
    browser.all("#files")[0].send_keys(str(tone(tmp_path / "tone.wav", 1)))
    browser.wait_text("Too large", ".uploads")
    assert "this service takes up to 1 kB" in browser.text(".uploads")
    assert not [one for one in double.asked if one.startswith("POST")]


def test_uploads_are_judged_against_genuine_footage_that_was_chosen(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    known, other = "known-footage-known-foo", "other-footage-other-foo"
    refusal = {"error": {"code": "too_long", "message": "It is too long."}}
    double.uploads += [
        (202, {}, double.put_job(known)), (413, {}, refusal), (202, {}, double.put_job(other)),
        (202, {}, double.put_job(ID)),
    ]  # fmt: skip
    browser.open(double.address)
    browser.find(".known label")
    for name, told in (
        ("monday.mp4", "is judged against it"),
        ("long.mp4", "Too large. It is too long."),
        ("friday.mp4", "is judged against it"),
    ):
        browser.all("#reference-files")[0].send_keys(str(tiny_video(tmp_path / name)))
        browser.wait_text(told, ".references li:last-child")
    assert grave_findings(browser) == []
    browser.click('[aria-label="Remove: friday.mp4"]')
    browser.all("#files")[0].send_keys(str(tone(tmp_path / "tone.wav", 0.1)))
    browser.wait_text("Waiting: it is next.")
    assert double.references == [[], [], [], [known]]


def test_a_service_that_keeps_nothing_offers_no_comparison(
    browser: Browser, double: Double
) -> None:
    double.limits["keep_seconds"] = 0.0
    browser.open(double.address)
    browser.wait_text("deleted as soon as", ".limits")
    assert not browser.all("#reference-files")[0].is_displayed()


def test_a_verdict_names_whom_it_was_judged_against(browser: Browser, double: Double) -> None:
    people = (ReferencePerson(0, "monday.mp4", 0.714),)
    use = ReferenceUse(("monday.mp4", "<b>friday</b>.mp4"), ("a" * 64, "b" * 64), people)
    double.put_job(ID, state="done", verdict=verdict(reference=use), progress=DONE)
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("Genuine footage to compare with")
    told = [one_line(one) for one in browser.all("[aria-labelledby=reference-title] li")]
    assert told == [
        "monday.mp4, judged against it: face 0 (likeness 0.71)",
        "<b>friday</b>.mp4, shows nobody of this file",
    ]


def test_files_dropped_anywhere_on_the_page_are_sent(browser: Browser, double: Double) -> None:
    double.uploads.append((202, {}, double.put_job(ID, state="queued")))
    browser.open(double.address)
    browser.find("#drop-hint")
    browser.js(
        "const files = new DataTransfer(); files.items.add(new File(['sound'], 'dropped.wav'));"
        "const event = (name) => new DragEvent(name, {dataTransfer: files, bubbles: true});"
        "document.querySelector('footer').dispatchEvent(event('dragover'));"
        "window.marked = document.querySelector('.drop').classList.contains('over');"
        "document.querySelector('footer').dispatchEvent(event('drop'));"
    )
    assert browser.js("return window.marked") is True
    browser.wait_text("Waiting: it is next.")
    assert "POST /api/v1/jobs" in double.asked


def test_several_files_are_listed_each_with_its_own_outcome(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    refusal = {"error": {"code": "not_media", "message": "That is a text."}}
    double.uploads.append((202, {}, double.put_job("a" * 24, name="one.wav", state="queued")))
    double.uploads.append((415, {}, refusal))
    browser.open(double.address)
    browser.find("#drop-hint")
    paths = [str(tone(tmp_path / name, 0.1)) for name in ("one.wav", "two.wav")]
    browser.all("#files")[0].send_keys("\n".join(paths))
    browser.wait_text("That is a text.", ".uploads")
    double.put_job("a" * 24, state="done", progress=DONE, verdict=verdict())
    browser.wait_text("Very likely manipulated picture: 97", ".uploads")
    assert len(browser.all(".uploads li")) == 2
    browser.click(".uploads a")
    browser.wait_text("Very likely manipulated picture", "h1")


@pytest.mark.parametrize("events", [True, False])
def test_progress_is_followed_by_stage_with_or_without_events(
    browser: Browser, double: Double, events: bool
) -> None:
    double.sends_events = events
    double.put_job(ID, progress={"stage": "queued", "share": 0.0, "queue_position": 3})
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("2 before this one")
    step = {"stage": "examining", "share": 0.42, "queue_position": None}
    double.put_job(ID, state="running", progress=step, attempts=2)
    browser.wait_text("Examining, 42 % done. Second attempt", ".progress-line")
    assert browser.find("[aria-current=step]").text.startswith("Examining")
    assert browser.js("return document.querySelector('progress').value") == 42
    assert "Examining" in browser.js("return document.getElementById('announce').textContent")
    double.put_job(ID, state="done", progress=DONE, verdict=inconclusive())
    browser.wait_text("Inconclusive", "h1")
    assert browser.js("return document.activeElement.tagName") == "H1"
    polled = double.asked.count(f"GET /api/v1/jobs/{ID}")
    assert polled == 1 if events else polled > 2


def test_a_scan_deleted_elsewhere_is_told_while_it_is_watched(
    browser: Browser, double: Double
) -> None:
    double.put_job(ID, state="running", progress={**DONE, "stage": "reading", "share": 0.0})
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("Reading", ".progress-line")
    del double.jobs[ID]
    browser.wait_text("There is no such scan")


def test_a_running_scan_is_stopped_only_after_asking(browser: Browser, double: Double) -> None:
    double.put_job(ID, state="running", progress={**DONE, "stage": "reading", "share": 0.0})
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.click(".danger")
    browser.click("dialog button")
    assert ID in double.jobs
    assert browser.js("return document.activeElement.textContent") == "Stop and delete"
    browser.click(".danger")
    browser.click("dialog .danger")
    browser.wait_text("Nothing was scanned yet.")
    assert not double.jobs


def test_a_failed_scan_gives_its_reason_and_no_verdict(browser: Browser, double: Double) -> None:
    reason = "the decoder crashed on this file (SIGSEGV)"
    double.put_job(ID, state="failed", reason=reason, attempts=2)
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("The decoder crashed on this file (SIGSEGV).")
    told = browser.text()
    assert "says nothing about whether the file is genuine" in told
    assert "tried 2 times" in told
    assert "%" not in told


def test_an_inconclusive_verdict_shows_no_figure_and_does_not_look_genuine(
    browser: Browser, double: Double
) -> None:
    double.put_job(ID, state="done", progress=DONE, verdict=inconclusive())
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("Inconclusive", "h1")
    told = browser.text("article")
    assert "%" not in told
    assert "no face of at least 48 px" in told
    assert "neither “genuine” nor “manipulated”" in told
    assert not browser.all(".verdict.real, .verdict.fake, .scale-marker")
    assert [row.text for row in browser.all(".missing dt")] == ["Picture", "Voice", "Synchrony"]


def test_a_hostile_name_is_shown_as_text_everywhere(browser: Browser, double: Double) -> None:
    double.put_job(ID, name=HOSTILE, state="done", progress=DONE, verdict=inconclusive())
    double.put_job("b" * 24, name=HOSTILE, state="failed", reason=HOSTILE)
    double.put_job("c" * 24, name=HOSTILE)
    for address in ("#/", "#/history", *(f"#/jobs/{one}" for one in double.jobs)):
        browser.open(double.address + address)
        browser.wait_text(HOSTILE)
        assert not browser.all("main img[src=x], main b")
        assert "owned" not in browser.js("return document.title").split("<img")[0]
    browser.click(".danger")
    assert HOSTILE in browser.text("dialog")
    assert not browser.all("dialog b")


def test_each_person_has_a_lane_and_a_moving_box(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    two_faces(double)
    double.media[ID] = tiny_video(tmp_path / "v.mp4", 10, 10).read_bytes()
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.until(lambda: browser.js("return document.querySelector('video')?.readyState >= 2"))
    names = [one_line(one) for one in browser.all(".lane-name")]
    assert names[1:5] == [
        "Picture Face 0 10 %", "Picture Face 1 10 %", "Voice 4 %", "Synchrony not examined",
    ]  # fmt: skip
    browser.click(".bracket")
    browser.until(lambda: browser.js("return document.querySelector('video').currentTime") == 2)
    browser.until(lambda: "96 %" in one_line(browser.all(".lane-name")[1]))
    assert browser.find(".bracket").get_attribute("aria-current") == "true"
    left, top, right = browser.js(LEFTMOST_BOX)
    # At 2 s the left box starts at x = 8 of 64, y = 10 of 48.
    assert left == pytest.approx(8 / 64, abs=0.02)
    assert top == pytest.approx(10 / 48, abs=0.02)
    assert right == pytest.approx(24 / 64, abs=0.02)


# Where the canvas is coloured by boxes, as shares of the picture: left, top and right edge.
LEFTMOST_BOX = """
const canvas = document.querySelector('canvas.boxes');
const {width, height} = canvas;
const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
const video = document.querySelector('video');
const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
const row = Math.round((height - h) / 2 + h * 20 / 48);  // through both boxes, below the labels
let [left, right] = [width, 0];
for (let x = 0; x < width; x++) {
  if (data[4 * (row * width + x) + 3] <= 128) continue;
  [left, right] = [Math.min(left, x), Math.max(right, x)];
}
let top = 0;
const middle = Math.round((left + right) / 2);
for (let y = Math.round((height - h) / 2 + h * 28 / 48); y > 0; y--) {
  if (data[4 * (y * width + middle) + 3] > 128) { top = y; break; }
}
const [x0, y0] = [(width - w) / 2, (height - h) / 2];
return [(left - x0) / w, (top - y0) / h, (right - x0) / w];
"""


def test_the_timeline_is_used_by_keyboard_alone(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    two_faces(double)
    double.media[ID] = tiny_video(tmp_path / "v.mp4", 10, 10).read_bytes()
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.until(lambda: browser.js("return document.querySelector('video')?.readyState >= 2"))
    shown = "return document.querySelector('video').currentTime"
    slider = browser.find("#scrub")
    slider.send_keys("\ue014")  # arrow right: a fortieth of the file
    browser.until(lambda: browser.js(shown) == 0.25)
    slider.send_keys("\ue010")  # end
    browser.until(lambda: browser.js(shown) == pytest.approx(10, abs=0.1))
    # The last frame of ten a second is the one at 9.9 s.
    assert slider.get_attribute("aria-valuetext") in ("0:10 of 0:10", "0:09.9 of 0:10")
    browser.find(".segment-row").send_keys("\ue007")  # enter
    browser.until(lambda: browser.js(shown) == 2)


def test_findings_stay_usable_where_the_browser_cannot_play_the_file(
    browser: Browser, double: Double
) -> None:
    two_faces(double)
    double.media[ID] = b"no video at all"
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("This browser cannot play this file (h264, aac).")
    browser.click(".segment-row")
    browser.until(lambda: "0:02" in browser.text(".lane-name output"))
    assert browser.js("return document.querySelector('canvas.boxes').dataset.faces") == "2"
    assert not browser.all("video")


def test_a_file_that_was_not_kept_plays_from_the_readers_own_copy_only(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    two_faces(double)
    own = tiny_video(tmp_path / "own.mp4", 2, 10)
    double.jobs[ID]["verdict"]["sha256"] = ""
    double.put_job(ID, has_media=False, has_report=False, size_bytes=own.stat().st_size)
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.wait_text("The service did not keep this file")
    assert "Download report" not in browser.text(".actions")
    other = tiny_video(tmp_path / "other.mp4", 1, 10)
    browser.find("#own-copy").send_keys(str(other))
    browser.wait_text("That is another file", ".stage-notice")
    browser.find("#own-copy").send_keys(str(own))
    browser.until(lambda: browser.js("return document.querySelector('video')?.videoWidth") == 64)
    assert browser.js("return document.querySelector('video').src").startswith("blob:")


def test_a_picture_has_boxes_and_no_timeline(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    face = {"track": 0, "seconds": [0.0], "boxes": [[8, 8, 40, 40]], "fake_probability": [0.9]}
    still = verdict(
        media={"duration_seconds": None, "audio": None,
               "video": {"codec": "mjpeg", "width": 64, "height": 48, "frames_per_second": None}},
        segments=(), timeline=Timeline(1.0, (0.9,), (None,), (None,)),
    )  # fmt: skip
    double.put_job(ID, state="done", progress=DONE, verdict=still, media_type="image/jpeg")
    double.evidence[ID] = {"width": 64, "height": 48, "faces": [face], "looks": []}
    double.media[ID] = photo(tmp_path / "p.jpg").read_bytes()
    browser.open(f"{double.address}#/jobs/{ID}")
    shown = "return document.querySelector('.stage img')?.naturalWidth"
    browser.until(lambda: browser.js(shown) == 64)
    canvas = "return document.querySelector('canvas.boxes').dataset.faces"
    browser.until(lambda: browser.js(canvas) == "1")
    assert not browser.all(".timeline")
    browser.click(".stage-tools input[type=checkbox]")
    assert browser.js(canvas) == "0"


def test_a_sound_has_a_player_and_lanes_in_step(
    browser: Browser, double: Double, tmp_path: Path
) -> None:
    heard = verdict(
        media={"duration_seconds": 4.0, "video": None,
               "audio": {"codec": "pcm_s16le", "sample_rate_hz": 16000}},
        label="fake_audio", people=(), segments=(Segment("audio", None, 1.0, 3.0, 0.9),),
        video=SenseScore(None, 0.0, "no video stream"), audio=SenseScore(0.97, 4.0, None),
        timeline=Timeline(1.0, (None,) * 4, (0.1, 0.9, 0.9, 0.1), (None,) * 4),
    )  # fmt: skip
    double.put_job(ID, state="done", progress=DONE, verdict=heard, media_type="audio/wav")
    double.media[ID] = tone(tmp_path / "t.wav", 4).read_bytes()
    browser.open(f"{double.address}#/jobs/{ID}")
    browser.until(lambda: browser.js("return document.querySelector('audio')?.readyState >= 2"))
    browser.click(".bracket")
    browser.until(lambda: browser.js("return document.querySelector('audio').currentTime") == 1)
    assert "90 %" in one_line(browser.all(".lane-name")[2])


def test_history_has_pages_and_deletes_after_asking(browser: Browser, double: Double) -> None:
    for k in range(23):
        double.put_job(f"{k:024d}", name=f"clip {k}.mp4", state="done", verdict=verdict())
    browser.open(f"{double.address}#/history")
    browser.wait_text("clip 22.mp4")
    assert len(browser.all(".job")) == 20
    browser.click(".pages a")
    browser.wait_text("clip 2.mp4")
    assert [one.text for one in browser.all(".job a")] == ["clip 2.mp4", "clip 1.mp4", "clip 0.mp4"]
    browser.click("[aria-label='Delete clip 1.mp4']")
    assert browser.js("return document.activeElement.textContent") == "Keep it"
    browser.click("dialog button")
    assert len(double.jobs) == 23
    browser.click("[aria-label='Delete clip 1.mp4']")
    browser.click("dialog .danger")
    browser.until(lambda: len(browser.all(".job")) == 2)
    assert len(double.jobs) == 22
    browser.click(".pages a")
    browser.wait_text("clip 22.mp4")


@pytest.mark.parametrize("view", VIEWS)
def test_no_state_hinders_people_or_scrolls_sideways(
    browser: Browser, double: Double, view: str
) -> None:
    width, scheme = VIEWS[view]
    browser.resize(width)
    browser.prefer(scheme)
    two_faces(double)
    double.put_job("failed" + ID, name=HOSTILE, state="failed", reason="no stream was found")
    double.put_job("inconclusive" + ID, state="done", progress=DONE, verdict=inconclusive())
    double.put_job("waiting" + ID, name="w" * 150)
    views = {  # test_page_service looks at the start, a verdict and the history
        "#/about": "A probability is not a proof",
        f"#/jobs/failed{ID}": "What to try",
        f"#/jobs/inconclusive{ID}": "What was not examined",
        f"#/jobs/waiting{ID}": "Waiting",
    }
    browser.open(double.address)
    for address, text in views.items():
        browser.js("location.hash = arguments[0]", address)
        browser.wait_text(text)
        assert grave_findings(browser) == [], address
        sideways = "return document.documentElement.scrollWidth - innerWidth"
        assert browser.js(sideways) <= 0, address


def test_colours_follow_the_switch_and_last(browser: Browser, double: Double) -> None:
    back = "return getComputedStyle(document.body).backgroundColor"
    browser.prefer("light")
    browser.open(double.address)
    light = browser.js(back)
    browser.all("#theme input[value=dark]")[0].click()
    dark = browser.js(back)
    assert dark != light
    browser.open(f"{double.address}#/history")
    assert browser.js(back) == dark
    browser.all("#theme input[value=auto]")[0].click()
    assert browser.js(back) == light
    browser.prefer("dark")
    assert browser.js(back) == dark
