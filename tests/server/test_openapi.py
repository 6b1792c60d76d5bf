"""The OpenAPI document is the truth: what schemathesis makes of it finds no error of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from server_fakes import wav
from services import ended, running, send

TOKEN = "correct horse battery"
# What a form's bytes must be stands in no schema, so forms of noise are rightly refused.
EXCLUDED = "positive_data_acceptance"


def test_requests_made_from_the_schema_find_no_undocumented_answer(tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    limits = {"jobs_a_minute": 10**6, "silent_seconds": 5.0}
    with running(tmp_path, token=TOKEN, limits=limits, headers=headers) as service:
        service.service.guard._guesses._most = 10**6
        for order in ("0.9", "bad scrambled"):
            ended(service.client, send(service.client, wav(order)).json()["id"])
        command = [
            sys.executable, "-m", "schemathesis.cli", "run",
            f"{service.client.base_url}/api/v1/openapi.json", "--max-examples", "4", "--seed", "1",
            "--checks", "all", "--exclude-checks", EXCLUDED, "--request-timeout", "20",
            "--generation-database", "none", "--no-color",
            "--header", f"Authorization: Bearer {TOKEN}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert "Selected: 16/16" in done.stdout
        assert (
            ended(service.client, send(service.client, wav("0.9")).json()["id"])["state"] == "done"
        )


def test_a_service_without_a_token_declares_none(tmp_path: Path) -> None:
    with running(tmp_path / "open") as service:
        schema = service.client.get("/api/v1/openapi.json").json()
        assert "securitySchemes" not in schema["components"]
        assert "422" not in str(schema["paths"])
    with running(tmp_path / "locked", token=TOKEN) as service:
        schema = service.client.get("/api/v1/openapi.json").json()
        jobs = schema["paths"]["/api/v1/jobs"]
        assert {"202", "400", "401", "403", "408", "413", "415", "421", "429", "503", "507"} == set(
            jobs["post"]["responses"]
        )
        assert all(operation["security"] for operation in jobs.values())
        assert "security" not in schema["paths"]["/health"]["get"]
