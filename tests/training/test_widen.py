"""A voice made wider: it says what the narrower one said, and its twins part in training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seamline.models.build import ModelConfig, build_model
from seamline.models.voice_cnn import VoiceCNN
from seamline.models.voice_residual import VoiceBoth, VoiceResidual
from seamline.training.build import build_module
from seamline.training.config import TrainConfig
from seamline.training.export import Run, export_bundle
from seamline.training.fit import fit
from seamline.training.widen import deepen_voice, further_blocks, widen_voice
from voice_runs import voice_config

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

MEL = 3.0 * torch.randn(4, 80, 120, generator=torch.Generator().manual_seed(0)) - 4.0


@pytest.fixture
def narrow() -> VoiceBoth:
    """A network whose norms have met something."""
    torch.manual_seed(0)
    made = build_model(ModelConfig(kind="voice_both")).train()
    assert isinstance(made, VoiceBoth)
    with torch.no_grad():
        for _ in range(10):
            made(MEL)
    return made.eval()


def wide() -> VoiceBoth:
    made = build_model(ModelConfig(kind="voice_wide"))
    assert isinstance(made, VoiceBoth)
    return made.eval()


def test_it_says_what_the_narrower_one_said(narrow: VoiceBoth) -> None:
    made = wide()
    widen_voice(made, narrow)
    with torch.no_grad():
        apart = (made(MEL) - narrow(MEL)).std() / narrow(MEL).std()
    assert 0.0 < float(apart) < 0.1  # the noise, no more
    weights = made.picture.look[3].first.weight
    assert weights.shape == (48, 24, 3, 3)
    assert len({each.numpy().tobytes() for each in weights.detach()}) == 48


def test_without_noise_it_says_the_very_same(
    narrow: VoiceBoth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seamline.training.widen.NOISE", 0.0)
    made = wide()
    widen_voice(made, narrow, seed=3)
    with torch.no_grad():
        torch.testing.assert_close(made(MEL), narrow(MEL), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("kind", "blocks"), [("voice_deep", 1), ("voice_deeper", 2)])
def test_a_deeper_one_says_the_very_same_and_learns(
    narrow: VoiceBoth, kind: str, blocks: int
) -> None:
    shallow, deep = wide(), build_model(ModelConfig(kind=kind))
    widen_voice(shallow, narrow)
    assert isinstance(deep, VoiceBoth)
    assert further_blocks(shallow.state_dict()) == 0
    assert further_blocks(deep.state_dict()) == blocks
    deepen_voice(deep, shallow.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(deep.eval()(MEL), shallow.eval()(MEL), atol=1e-5, rtol=1e-5)
    deep.train()(MEL).mean().backward()
    for block in range(blocks):
        gradient = deep.get_parameter(f"picture.low.{block}.second_norm.weight").grad
        assert gradient is not None
        assert float(gradient.abs().max()) > 0


def test_only_the_added_blocks_may_be_missing(narrow: VoiceBoth) -> None:
    deep = build_model(ModelConfig(kind="voice_deep"))
    assert isinstance(deep, VoiceBoth)
    lacking = {k: v for k, v in wide().state_dict().items() if k != "picture.score.bias"}
    with pytest.raises(ValueError, match=r"picture\.score\.bias is amiss"):
        deepen_voice(deep, lacking)
    with pytest.raises(RuntimeError, match="size mismatch"):
        deepen_voice(deep, narrow.state_dict())
    deeper = build_model(ModelConfig(kind="voice_deeper"))
    with pytest.raises(ValueError, match=r"picture\.low\.1\.\S+ is amiss"):
        deepen_voice(deep, deeper.state_dict())


def test_nothing_becomes_narrower_or_three_times_as_wide(narrow: VoiceBoth) -> None:
    for channels in ((16, 32, 48, 64), (64, 32, 48, 96)):
        other = VoiceBoth(VoiceCNN(), VoiceResidual(channels))
        with pytest.raises(ValueError, match="up to twice as many can"):
            widen_voice(other, narrow)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("voice_both", "voice_wide"),
        ("voice_wide", "voice_deep"),
        ("voice_wide", "voice_deeper"),
        ("voice_deep", "voice_deeper"),
    ],
)
def test_training_starts_from_a_smaller_run_or_bundle_and_goes_on_from_its_own(
    tmp_path: Path, smaller: str, larger: str
) -> None:
    first = fit(voice_config(tmp_path, smaller))
    told = {"name": "x", "version": "1", "card": "", "summary": {}, "halve": False}
    export_bundle(tmp_path / "narrow", [Run.read(first)], **told)
    known = build_module(replace(Run.read(first).config, initial=str(first))).eval().model
    wider = replace(Run.read(first).config, name="wide", model=ModelConfig(kind=larger))
    for start in (first, tmp_path / "narrow"):
        model = build_module(replace(wider, initial=str(start))).eval().model
        with torch.no_grad():
            apart = (model(MEL) - known(MEL)).std() / known(MEL).std()
        assert float(apart) < 0.1
    config: TrainConfig = replace(wider, initial=str(first))
    second = fit(config)
    export_bundle(tmp_path / "wide", [Run.read(second)], **told)
    trained = build_module(replace(config, initial=str(second))).eval().model
    again = build_module(replace(config, initial=str(tmp_path / "wide"))).eval().model
    with torch.no_grad():
        torch.testing.assert_close(again(MEL), trained(MEL), atol=1e-2, rtol=1e-2)
