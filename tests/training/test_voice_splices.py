"""Spliced clips: what is laid where, and what each step is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seamline.models.build import ModelConfig
from seamline.training.config import TrainConfig
from seamline.training.export import Run
from seamline.training.fit import fit
from seamline.training.voice_data import VoiceData
from seamline.training.voice_splices import Copies, splice_clips, splice_own_copy, step_truth
from voice_runs import voice_config

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

STEP = 16


def test_each_step_is_told_the_share_of_it_that_is_fake() -> None:
    torch.manual_seed(0)
    labels = torch.tensor([0.0, 1.0] * 8)
    # Fakes fall with the band, genuine clips rise: the mean power is alike, so levels are kept.
    ramp = torch.linspace(-3, 3, 80)[None, :, None].expand(16, 80, 150)
    mel = torch.where(labels[:, None, None] > 0, -ramp, ramp)
    spliced, truth = splice_clips(mel, labels, STEP)
    assert spliced.shape == mel.shape
    assert truth.shape == (16, 10)
    fake = (spliced[:, 0] > spliced[:, -1]).float()  # by column
    for step in range(10):
        told = fake[:, step * STEP : (step + 1) * STEP].mean(dim=1)
        torch.testing.assert_close(told, truth[:, step])
    mixed = (truth.min(dim=1).values < 0.5) & (truth.max(dim=1).values > 0.5)
    assert 4 <= int(mixed.sum()) < 16


def test_a_stretch_is_as_loud_as_its_clip() -> None:
    torch.manual_seed(1)
    mel = torch.zeros(4, 80, 100) + torch.tensor([0.0, 5.0, -5.0, 2.0])[:, None, None]
    spliced, _ = splice_clips(mel, torch.tensor([0.0, 1.0, 0.0, 1.0]), STEP)
    torch.testing.assert_close(spliced, torch.zeros_like(spliced))


def test_clips_too_short_to_splice_are_refused() -> None:
    with pytest.raises(ValueError, match="sound_seconds must give more than 40"):
        splice_clips(torch.zeros(2, 80, 40), torch.tensor([0.0, 1.0]), STEP)


def test_a_network_learns_from_splices(tmp_path: Path) -> None:
    config = voice_config(tmp_path, "voice_residual", splice_share=1.0, sound_seconds=(0.8, 1.0))
    assert Run.read(fit(config)).scores["holdout"]


def test_a_network_that_reads_samples_takes_none() -> None:
    for share in ({"splice_share": 0.5}, {"own_copy_share": 0.5}):
        with pytest.raises(ValueError, match="splice_share"):
            TrainConfig(branch="voice", model=ModelConfig(front="sinc"), **share)


def test_a_copy_is_made_once_as_long_and_as_loud_as_its_original() -> None:
    speech = np.random.default_rng(5).normal(0, 0.1, 24000).astype(np.float32)
    copies = Copies(3, 16000)
    for name in ("a.wav", "b.wav", "c.wav", "d.wav"):
        copied = copies.of(name, speech)
        assert copied.shape == speech.shape
        assert np.sqrt(np.mean(copied**2)) == pytest.approx(0.1, rel=0.05)
        assert abs(np.corrcoef(copied, speech)[0, 1]) < 0.999
        np.testing.assert_array_equal(copies.of(name, np.zeros_like(speech)), copied)
        np.testing.assert_array_equal(Copies(3, 16000).of(name, speech), copied)


def test_a_resynthesised_stretch_is_all_that_changes() -> None:
    speech, copied = np.random.default_rng(5).normal(0, 0.1, (2, 24000)).astype(np.float32)
    seen = set()
    for seed in range(40):
        spliced, (start, stop) = splice_own_copy(speech, copied, np.random.default_rng(seed), 16000)
        assert spliced.shape == speech.shape
        changed = np.flatnonzero(spliced != speech)
        if stop == start:
            assert changed.size == 0
        else:
            assert start <= changed[0] < start + 400
            assert stop - 400 < changed[-1] + 1 <= stop
            inside = slice(start + 200, stop - 200)
            np.testing.assert_array_equal(spliced[inside], copied[inside])
        seen.add("none" if stop == start else "all" if stop - start == 24000 else "part")
    assert seen == {"none", "all", "part"}


def test_batches_of_own_copies_tell_each_column(tmp_path: Path) -> None:
    config = voice_config(tmp_path, "voice_residual", own_copy_share=1.0)
    data = VoiceData(config)
    mel, truth = next(iter(data.train_dataloader()))
    assert truth.shape == (mel.shape[0], mel.shape[2])
    assert set(truth.unique().tolist()) == {0.0, 1.0}
    plain, labels = next(iter(VoiceData(replace(config, own_copy_share=0.0)).train_dataloader()))
    assert labels.shape == (plain.shape[0],)


def test_a_network_learns_from_its_speakers_own_copies(tmp_path: Path) -> None:
    config = voice_config(tmp_path, "voice_residual", own_copy_share=0.5, sound_seconds=(0.8, 1.0))
    assert Run.read(fit(config)).scores["holdout"]


def test_step_truth_is_the_share_of_forged_columns() -> None:
    truth = torch.zeros(1, 40)
    truth[:, 12:30] = 1
    torch.testing.assert_close(step_truth(truth, STEP), torch.tensor([[4 / 16, 14 / 16, 0.0]]))
