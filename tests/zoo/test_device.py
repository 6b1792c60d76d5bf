from __future__ import annotations

import onnxruntime
import pytest

from seamline.errors import WrongUsage
from seamline.zoo.bundle import Bundle
from seamline.zoo.device import CUDA, execution_providers
from tiny_bundle import write_tiny_bundle


def test_the_cpu_is_what_graphs_run_on_unless_asked_otherwise(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "tiny")
    assert {s.get_providers()[0] for s in bundle._sessions.values()} == {"CPUExecutionProvider"}


def test_a_gpu_comes_first_where_there_is_one(monkeypatch):
    there = [CUDA, "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    first, last = execution_providers("cuda")
    assert first[0] == CUDA
    assert last == "CPUExecutionProvider"


def test_a_gpu_that_is_not_there_is_an_error_and_not_a_slow_run(tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    write_tiny_bundle(tmp_path / "tiny")
    bundle = Bundle.load(tmp_path / "tiny", device="cuda")
    with pytest.raises(WrongUsage, match=r"only CPUExecutionProvider\. Install onnxruntime-gpu"):
        _ = bundle._sessions
    with pytest.raises(ValueError, match=r"Unknown device 'tpu'\. Known: cpu, cuda"):
        execution_providers("tpu")
