"""The service with the shipped model: its answers are the detector's on the same file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import Running, ended, running

from media_factory import tone
from seamline import Client
from seamline.data.demo_clips import PORTRAIT, make_demo
from seamline.detector import Detector
from seamline.scale.examine import DetectorLoader

MODEL = "seamline-small"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("real"), loader=DetectorLoader(MODEL)) as found:
        yield found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo"))[1]


def test_video_photo_and_sound_are_judged_as_by_the_detector(
    real: Running, demo: Path, tmp_path: Path
) -> None:
    detector = Detector.load(MODEL)
    with Client(str(real.client.base_url)) as client:
        for path in (demo, PORTRAIT, tone(tmp_path / "tone.wav")):
            over_the_wire = client.scan(path, timeout_seconds=120).to_json()
            direct = detector.scan(path).to_json()
            for verdict in (over_the_wire, direct):
                del verdict["seconds"], verdict["path"]
            assert over_the_wire == direct


def test_a_reference_is_used_as_by_the_detector(real: Running, demo: Path, tmp_path: Path) -> None:
    genuine = make_demo(tmp_path / "demo")[0]
    direct = Detector.load(MODEL).scan(demo, reference=[genuine])
    with Client(str(real.client.base_url)) as client:
        found = client.scan(demo, reference=[genuine], timeout_seconds=240)
        faceless = client.submit(tone(tmp_path / "tone.wav"))["id"]
        job = client.wait(client.submit(demo, reference=[faceless])["id"], timeout_seconds=240)
    assert found.reference is not None
    assert direct.reference is not None
    assert found.reference.sha256 == direct.reference.sha256
    assert [one.similarity for one in found.reference.people] == pytest.approx(
        [one.similarity for one in direct.reference.people], abs=1e-3
    )
    assert {one.reference for one in found.reference.people} == {genuine.name}
    assert direct.video.fake_probability is not None
    assert found.video.fake_probability == pytest.approx(direct.video.fake_probability, abs=1e-3)
    assert job["reason"].startswith("The reference tone.wav was asked for a face")


def test_boxes_of_the_evidence_follow_the_face_and_the_report_shows_it(
    real: Running, demo: Path
) -> None:
    with demo.open("rb") as file:
        job = real.client.post("/api/v1/jobs", files={"file": ("demo.mp4", file)}).json()
    job = ended(real.client, job["id"])
    evidence = real.client.get(f"/api/v1/jobs/{job['id']}/evidence").json()
    (face,) = evidence["faces"]
    assert face["seconds"] == sorted(set(face["seconds"]))
    assert len(face["seconds"]) == len(face["boxes"]) == len(face["fake_probability"]) >= 12
    assert all(
        0 <= x0 < x1 <= evidence["width"] and 0 <= y0 < y1 <= evidence["height"]
        for x0, y0, x1, y1 in face["boxes"]
    )
    (person,) = job["verdict"]["people"]
    heights = sorted(y1 - y0 for _, y0, _, y1 in face["boxes"])
    assert heights[len(heights) // 2] == pytest.approx(person["face_px"], rel=0.15)
    report = real.client.get(f"/api/v1/jobs/{job['id']}/report").text
    assert "demo.mp4" in report
    assert str(real.service.files.root) not in report


def test_the_model_is_told_with_its_card(real: Running) -> None:
    (card,) = real.client.get("/api/v1/models").json()
    bundle = Detector.load(MODEL).bundle
    assert (card["name"], card["sha256"]) == (MODEL, bundle.sha256)
    assert card["card"] == bundle.card
    assert json.dumps(card["figures"])
