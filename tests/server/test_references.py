"""Jobs that are judged against genuine footage of the same people, itself uploaded before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server_fakes import wav
from services import Running, ended, running, send

from seamline import Client


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("references")) as found:
        yield found


def sent_against(service: Running, *ids: str, order: str = "0.9") -> Any:
    return service.client.post(
        "/api/v1/jobs", params={"reference": ids}, files={"file": ("talk.wav", wav(order))}
    )


def test_a_job_is_judged_against_uploads_before_it(service: Running) -> None:
    first = send(service.client, wav("0.1"), "monday.wav").json()
    second = send(service.client, wav("0.2"), "friday.wav").json()
    job = sent_against(service, first["id"], second["id"], first["id"]).json()
    assert job["reference_ids"] == [first["id"], second["id"]]
    used = ended(service.client, job["id"])["verdict"]["reference"]
    assert used["paths"] == ["monday.wav", "friday.wav"]
    assert len(set(used["sha256"])) == 2
    alone = ended(service.client, first["id"])
    assert (alone["reference_ids"], alone["verdict"]["reference"]) == ([], None)


def test_a_reference_that_cannot_serve_fails_the_job_under_its_senders_name(
    service: Running,
) -> None:
    reference = send(service.client, wav("faceless"), "back.wav").json()
    job = ended(service.client, sent_against(service, reference["id"]).json()["id"])
    assert job["state"] == "failed"
    assert job["reason"] == "The reference back.wav shows no face. Name another."


def test_an_unknown_reference_is_refused_before_the_upload(service: Running) -> None:
    for unknown in ("A" * 22, "../../etc/passwd", "\x00"):
        answer = sent_against(service, unknown)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "no_reference"
        assert "is no job of this service" in answer.json()["error"]["message"]


def test_more_references_than_are_taken_are_refused(service: Running) -> None:
    assert sent_against(service, *["A" * 22] * 9).status_code == 400


def test_a_deleted_reference_is_refused(service: Running) -> None:
    reference = send(service.client, wav(), "gone.wav").json()
    ended(service.client, reference["id"])
    service.client.delete(f"/api/v1/jobs/{reference['id']}")
    assert "is no job of this service" in sent_against(service, reference["id"]).text


def test_a_reference_whose_upload_is_gone_is_refused(service: Running) -> None:
    reference = send(service.client, wav(), "lost.wav").json()
    ended(service.client, reference["id"])
    service.service.files.media(reference["id"]).unlink()
    assert "is gone. Send it again" in sent_against(service, reference["id"]).text


def test_a_service_that_keeps_nothing_has_nothing_to_judge_against(tmp_path: Path) -> None:
    with running(tmp_path, keep_seconds=0.0) as service:
        reference = send(service.client, wav("slow 0.5"), "monday.wav").json()
        answer = sent_against(service, reference["id"])
        assert answer.status_code == 400
        assert "keeps no upload" in answer.text


def test_the_client_sends_references_first(service: Running, tmp_path: Path) -> None:
    genuine, asked = tmp_path / "genuine.wav", tmp_path / "asked.wav"
    genuine.write_bytes(wav("0.1"))
    asked.write_bytes(wav("0.8"))
    with Client(str(service.client.base_url)) as client:
        verdict = client.scan(asked, reference=[genuine], timeout_seconds=60)
    assert verdict.reference is not None
    assert verdict.reference.paths == ("genuine.wav",)
