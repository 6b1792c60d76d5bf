"""The residual voice network in the pipeline: trained, exported, replayed by the runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seamline.training.build import load_weights
from seamline.training.export import Run, export_bundle
from seamline.training.fit import fit
from seamline.training.graphs import largest_difference, make_graph
from voice_runs import voice_config

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.mark.parametrize(
    "kind", ["voice_residual", "voice_both", "voice_wide", "voice_deep", "voice_deeper"]
)
def test_a_run_becomes_a_bundle_that_scores_as_torch_does(tmp_path: Path, kind: str) -> None:
    config = voice_config(tmp_path, kind, frozen_stages=1, ema_decay=0.5)
    run = Run.read(fit(config))
    assert json.loads((run.folder / "config.json").read_text())["model"]["kind"] == kind
    assert {row["label"] for row in run.scores["holdout"]} == {0, 1}
    bundle = export_bundle(
        tmp_path / "bundle", [run], name="voice", version="1", card="", summary={}, halve=False
    )
    assert bundle.branches["voice"].step_seconds == pytest.approx(0.16)
    graph = make_graph(load_weights(run.config, run.folder), run.config)
    assert largest_difference(graph, tmp_path / "bundle" / "voice.onnx") < 1e-3
    for columns, steps in ((1, 1), (77, 5), (1001, 63)):
        heard = np.zeros((bundle.contract.mel.mels, columns), np.float32)
        assert len(bundle.score_voice(heard)) == steps
