from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from seamline.cli import doctor as doctor_module
from seamline.cli.main import app
from seamline.zoo import bundle, catalog
from seamline.zoo.catalog import ModelEntry


@pytest.fixture
def entry(tmp_path: Path, monkeypatch) -> ModelEntry:
    (tmp_path / "bundle.json").write_text("{}")
    (tmp_path / "card.md").write_text("# Tiny\n\nTrained on nothing.\n")
    found = ModelEntry("tiny", "3", tmp_path, 2_500_000, "learns nothing")
    monkeypatch.setattr(catalog, "list_models", lambda *_: [found])
    return found


def golden(difference: float) -> type:
    class Loaded:
        @classmethod
        def load(cls, *_: object, **__: object) -> Loaded:
            return cls()

        def replay_golden(self) -> list:
            passed = difference < 0.01
            return [SimpleNamespace(name="voice logits", largest_difference=difference,
                                    tolerance=0.01, passed=passed)]  # fmt: skip

    return Loaded


def test_models_are_listed_for_humans_and_machines(entry):
    shown = CliRunner().invoke(app, ["models"]).stdout
    assert "tiny  version 3  2.5 MB" in shown
    assert "learns nothing" in shown
    line = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert (line["name"], line["size_bytes"]) == ("tiny", 2_500_000)


def test_a_models_card_is_printed_and_an_unknown_name_is_status_2(entry):
    found = CliRunner().invoke(app, ["models", str(entry.folder)])
    assert found.stdout == "# Tiny\n\nTrained on nothing.\n"
    missing = CliRunner().invoke(app, ["models", "nosuch"])
    assert missing.exit_code == 2
    assert "No model 'nosuch'" in missing.stderr


def test_a_healthy_installation_passes(entry, monkeypatch):
    monkeypatch.setattr(bundle, "Bundle", golden(0.001))
    found = CliRunner().invoke(app, ["doctor"])
    assert found.exit_code == 0, found.output
    assert "ok      onnxruntime: " in found.stdout
    assert "ok      face detector: loads and runs" in found.stdout
    assert "ok      model tiny: 1 stored outputs repeat within 1.0e-03" in found.stdout
    assert found.stdout.endswith("All is well.\n")


def test_each_illness_is_named_with_what_to_try(entry, monkeypatch):
    monkeypatch.setattr(bundle, "Bundle", golden(0.5))
    monkeypatch.setattr(doctor_module, "PACKAGES", ("numpy", "nosuchpackage"))

    def broken() -> str:
        raise OSError("weights are torn")

    monkeypatch.setattr(doctor_module, "_face_detector", broken)
    found = CliRunner().invoke(app, ["doctor"])
    assert found.exit_code == 1
    assert "FAILED  nosuchpackage: not installed" in found.stdout
    assert "pip install nosuchpackage" in found.stdout
    assert "FAILED  face detector: OSError: weights are torn" in found.stdout
    assert "voice logits off by 0.5" in found.stdout
    assert "3 of the checks failed." in found.stdout
    assert "Traceback" not in found.output


def test_no_model_at_all_is_an_illness(monkeypatch):
    monkeypatch.setattr(catalog, "list_models", lambda *_: [])
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1
    assert "No model is installed" in CliRunner().invoke(app, ["models"]).stdout
