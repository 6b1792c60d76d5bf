"""What can be said of the image and the cluster without a container engine."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from seamline.cli.main import app

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

ROOT = Path(__file__).parents[1]
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT, "uniqueItems": True}
COMMAND = {"type": "array", "items": TEXT}
SERVICE = {
    "type": "object",
    "additionalProperties": False,  # a misspelt key is silently nothing in most tools
    "required": ["image", "read_only", "cap_drop", "security_opt"],
    "properties": {
        "image": TEXT,
        "build": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"context": TEXT, "dockerfile": TEXT},
        },
        "init": {"type": "boolean"},
        "read_only": {"const": True},
        "tmpfs": TEXTS,
        "cap_drop": {"const": ["ALL"]},
        "security_opt": TEXTS,
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "entrypoint": COMMAND,
        "command": COMMAND,
        "environment": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        "shm_size": {"type": "string", "pattern": r"^\d+(b|k|m|g|kb|mb|gb)$"},
        "networks": TEXTS,
        "ports": TEXTS,
        "volumes": TEXTS,
        "cpus": {"type": ["string", "number"]},
        "mem_limit": TEXT,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"condition": {"enum": ["service_started", "service_healthy"]}},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "test": COMMAND,
                "disable": {"type": "boolean"},
                "interval": TEXT,
                "timeout": TEXT,
                "start_period": TEXT,
                "retries": {"type": "integer"},
            },
        },
    },
}  # fmt: skip
COMPOSE = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": TEXT,
        "services": {"type": "object", "additionalProperties": SERVICE},
        "networks": {"type": "object"},
        "volumes": {"type": "object"},
    },
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


def dockerfile() -> list[str]:
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_compose_file_has_only_keys_and_values_of_the_specification(compose):
    jsonschema.validate(compose, COMPOSE)
    assert set(compose["services"]) == {"head", "worker", "server"}


def test_what_services_refer_to_is_there(compose):
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith("${") or source in compose["volumes"], (name, volume)
        assert set(service.get("networks", [])) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
    build = compose["services"]["server"]["build"]
    context = ROOT / "deploy" / build["context"]
    assert (context / build["dockerfile"]).is_file()


def test_ray_is_reached_from_its_own_network_only_and_asks_for_a_token(compose):
    assert compose["networks"]["ray"]["internal"] is True
    for name in ("head", "worker"):
        service = compose["services"][name]
        assert "ports" not in service
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["server"]["ports"])


def test_ray_knows_the_options_that_its_nodes_are_started_with(compose):
    scripts = pytest.importorskip("ray.scripts.scripts", reason="Ray is not installed")
    known = {option for parameter in scripts.start.params for option in parameter.opts}
    for name in ("head", "worker"):
        first, *options = compose["services"][name]["command"]
        assert first == "start"
        assert {option.partition("=")[0] for option in options} <= known


def test_commands_in_the_image_are_ones_that_seamline_knows(compose):
    shown = re.findall(r"seamline (scan .+)", (ROOT / "deploy" / "compose.yaml").read_text())
    default = re.search(r"CMD (\[\"serve.+)", (ROOT / "Dockerfile").read_text())
    assert default is not None
    lines = [*(shlex.split(line) for line in shown), yaml.safe_load(default[1])]
    assert len(lines) == 2
    for command, *arguments in lines:
        found = get_command(app).commands[command]  # type: ignore[attr-defined]
        known = {option for parameter in found.params for option in parameter.opts}
        assert {a for a in arguments if a.startswith("--")} <= known, command


def test_the_image_runs_as_nobody_in_particular_and_says_whether_it_is_well():
    lines = dockerfile()
    (user,) = [line for line in lines if line.startswith("USER")]
    assert re.fullmatch(r"USER [1-9]\d+:[1-9]\d+", user)
    assert lines.index(user) < next(i for i, s in enumerate(lines) if s.startswith("ENTRYPOINT"))
    assert any(line.startswith("HEALTHCHECK") and "/health" in line for line in lines)
    assert all("torch" not in line for line in lines)


def test_what_the_image_copies_is_there_and_is_let_through():
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied: set[str] = set()
    for line in dockerfile():
        if line.startswith("COPY") and "--from" not in line:
            copied.update(line.split()[1:-1])
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
