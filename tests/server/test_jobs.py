"""A job from its upload to its end, over the real application with a detector of tests."""

from __future__ import annotations

import json

import httpx
import pytest
from server_fakes import wav
from services import Running, ended, send


def test_an_upload_becomes_a_job_and_the_job_a_verdict(client: httpx.Client) -> None:
    answer = send(client, wav("0.9"))
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["state"], job["verdict"], job["name"]) == ("queued", None, "talk.wav")
    assert job["media_type"] == "audio/wav"
    found = ended(client, job["id"])
    assert (found["state"], found["reason"], found["attempts"]) == ("done", None, 1)
    assert found["progress"] == {"stage": "done", "share": 1.0, "queue_position": None}
    assert found["verdict"]["path"] == "talk.wav"
    assert found["verdict"]["label"] == "fake_video"
    assert found["created"] <= found["started"] <= found["ended"] < found["expires"]


def test_events_tell_every_stage_and_end_with_the_job(client: httpx.Client) -> None:
    job_id = send(client, wav("slow 1")).json()["id"]
    states = []
    with client.stream("GET", f"/api/v1/jobs/{job_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                job = json.loads(line.removeprefix("data: "))
                states.append((job["state"], job["progress"]["stage"], job["progress"]["share"]))
    shares = [share for _, _, share in states]
    assert states[-1] == ("done", "done", 1.0)
    assert ("running", "examining") in {state[:2] for state in states}
    assert shares == sorted(shares)


def test_what_cannot_be_read_fails_with_its_reason(client: httpx.Client) -> None:
    job = ended(client, send(client, wav("bad the sound is scrambled")).json()["id"])
    assert (job["state"], job["reason"]) == ("failed", "the sound is scrambled")
    assert (job["verdict"], job["has_report"], job["attempts"]) == (None, False, 1)


def test_a_deleted_job_is_gone_with_its_files(service: Running) -> None:
    client = service.client
    job_id = send(client, wav()).json()["id"]
    ended(client, job_id)
    folder = service.service.files.job(job_id)
    assert (folder / "media").is_file()
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert not folder.exists()
    for path in ("", "/report", "/media", "/evidence", "/verdict", "/events"):
        assert client.get(f"/api/v1/jobs/{job_id}{path}").status_code == 404
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 404


def test_pages_hold_every_job_once_newest_first(client: httpx.Client) -> None:
    made = [send(client, wav(), name=f"{n}.wav").json()["id"] for n in range(5)]
    seen: list[str] = []
    after = None
    while True:
        params = {"limit": "2", **({"after": after} if after else {})}
        page = client.get("/api/v1/jobs", params=params).json()
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        after = page["next"]
        if after is None:
            break
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))


def test_files_of_a_job_are_what_they_say(client: httpx.Client) -> None:
    content = wav("0.9")
    job_id = send(client, content, name="a b.wav").json()["id"]
    ended(client, job_id)
    where = f"/api/v1/jobs/{job_id}"
    media = client.get(f"{where}/media")
    assert (media.content, media.headers["content-type"]) == (content, "audio/wav")
    part = client.get(f"{where}/media", headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, content[4:10])
    report = client.get(f"{where}/report", params={"download": "1"})
    assert "a b.wav" in report.text
    assert report.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%20b.seamline.html"
    )
    assert "sandbox" in report.headers["content-security-policy"]
    verdict = client.get(f"{where}/verdict", params={"download": "1"})
    assert verdict.json() == client.get(where).json()["verdict"]
    assert "a%20b.seamline.json" in verdict.headers["content-disposition"]


def test_evidence_has_every_frame_and_pictures_of_one_size(client: httpx.Client) -> None:
    job_id = send(client, wav("0.9")).json()["id"]
    ended(client, job_id)
    found = client.get(f"/api/v1/jobs/{job_id}/evidence").json()
    assert (found["width"], found["height"]) == (640, 480)
    (face,) = found["faces"]
    assert face["seconds"] == [0.0, 0.5, 1.0]
    assert face["boxes"] == [[10.0, 20.0, 110.0, 140.0]] * 3
    assert face["fake_probability"] == [0.9] * 3
    import cv2
    import numpy as np

    assert [look["seconds"] for look in found["looks"]] == [0.0, 0.5]
    assert found["looks"][0]["heat_peak"] == "highest 90\u00a0%, top left"
    shapes = []
    for key in ("face_url", "heat_url"):
        answer = client.get(found["looks"][0][key])
        assert answer.headers["content-type"] == "image/png"
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
        shapes.append(picture.shape)
    assert shapes == [(32, 32, 3), (32, 32, 4)]


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs/none", "/api/v1/jobs/..%2F..%2Fhome", "/api/v1/jobs/%00" + "a" * 21]
)
def test_an_unknown_job_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
