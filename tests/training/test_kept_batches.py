"""Batches that are kept: drawn once, met again in another order, the same for a resumed run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seamline.training.config import TrainConfig
from seamline.training.export import Run
from seamline.training.fit import fit
from seamline.training.kept_batches import Drawn, KeptBatches
from seamline.training.voice_data import VoiceData
from seamline.voice.logmel import LogMelSettings, log_mel
from voice_runs import voice_config

# Lightning's own use of torch's deprecated interfaces is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

HOP, ROWS = 160, 6


class Drawer:
    """Makes batch n: samples that tell n, and a label of every column where n is odd."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, number: int) -> Drawn:
        self.asked.append(number)
        samples = torch.full((ROWS, 10 * HOP), number / 100.0)
        samples[:, 1] = torch.arange(ROWS)
        labels = torch.ones(ROWS, 11) if number % 2 else torch.arange(ROWS) % 2.0
        return Drawn(samples, labels, [(f"file-{row}", "made:world") for row in range(ROWS)])


def kept(
    folder: Path, draw: Drawer, epoch: int, steps: int = 4, without: frozenset[str] = frozenset()
) -> KeptBatches:
    return KeptBatches(
        folder, draw, count=4, steps=steps, epoch=epoch, seed=1, mel=None, without=without
    )


def numbers(batches: KeptBatches) -> list[int]:
    return [round(float(batches[i][0][0, 0]) * 100) for i in range(len(batches))]


def test_each_batch_is_drawn_once_and_met_in_every_pass(tmp_path: Path) -> None:
    draw = Drawer()
    assert numbers(kept(tmp_path / "b", draw, 0)) == [0, 1, 2, 3]
    passes = [numbers(kept(tmp_path / "b", draw, epoch)) for epoch in range(1, 6)]
    assert draw.asked == [0, 1, 2, 3]
    assert all(sorted(each) == [0, 1, 2, 3] for each in passes)
    assert len({tuple(each) for each in passes}) > 1
    files = [f"00000{n}.{kind}" for n in range(4) for kind in ("json", "npz")]
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == files


def test_log_mels_start_anew_each_time_and_labels_stay_with_their_columns(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 20 * HOP).astype(np.float32)
    mel, met = LogMelSettings(), []

    def draw(number: int) -> Drawn:
        return Drawn(torch.from_numpy(sound)[None], torch.arange(21.0)[None], [("file",)])

    for epoch in range(8):
        batches = KeptBatches(tmp_path, draw, count=1, steps=1, epoch=epoch, seed=1, mel=mel)
        bands, labels = batches[0]
        assert labels.tolist() == [list(range(bands.shape[2]))]
        met.append(bands[0].numpy())
    plain = log_mel(sound, mel)
    assert all(abs(bands.shape[1] - plain.shape[1]) <= 1 for bands in met)
    assert len({bands[:, 5].tobytes() for bands in met}) > 5
    assert all(np.abs(bands[:, 5:15] - plain[:, 5:15]).mean() < 2.0 for bands in met)


def test_an_epoch_may_end_within_a_pass(tmp_path: Path) -> None:
    draw = Drawer()
    found = [n for epoch in range(4) for n in numbers(kept(tmp_path, draw, epoch, steps=3))]
    assert [sorted(found[i : i + 4]) for i in (0, 4, 8)] == [[0, 1, 2, 3]] * 3


def test_rows_made_of_what_is_left_out_are_skipped(tmp_path: Path) -> None:
    draw, without = Drawer(), frozenset({"file-1", "file-4", "file-9"})
    batches = kept(tmp_path, draw, 0, without=without)
    for samples, labels in (batches[0], batches[1]):
        assert samples[:, 1].tolist() == [0, 2, 3, 5]
        assert len(labels) == 4
    assert batches[0][1].tolist() == [0, 0, 1, 1]
    assert len(kept(tmp_path, draw, 0)[0][0]) == ROWS  # another run has all of them
    assert draw.asked == [0, 1]
    with pytest.raises(ValueError, match="leaves 0 of 6 rows of batch 0"):
        _ = kept(tmp_path, draw, 0, without=frozenset({"made:world"}))[0]
    (tmp_path / "000001.json").unlink()
    with pytest.raises(FileNotFoundError, match="tells what batch 1 was drawn from"):
        _ = batches[1]


def test_names_tell_what_was_drawn(tmp_path: Path) -> None:
    shares = {"own_copy_share": 0.5, "copy_share": 0.5, "sound_seconds": (0.3, 0.4)}
    config = voice_config(
        tmp_path, "voice_both", **shares, keep=str(tmp_path / "k"), kept_batches=40
    )
    data = VoiceData(replace(config, steps_per_epoch=40))
    crops, entries = data._crops(0), {entry.path: entry for entry in data.train}
    makers, found = set(), 0
    for index in range(len(crops)):
        path, *made = crops.drawn_from(index)
        sound, label = crops[index]
        makers |= set(made)
        assert entries[path].fake == (label.ndim == 0 and bool(label) and not made)
        if not made:
            assert sound.numpy().tobytes() in entries[path].samples.tobytes()
            others = [e for e in entries.values() if e.path != path]
            assert not any(sound.numpy().tobytes() in e.samples.tobytes() for e in others)
            found += 1
    assert found > 40
    assert "made:griffin-lim" in makers
    assert makers <= {"made:griffin-lim", "made:world"}


def test_a_batch_of_the_data_is_kept_as_it_was_drawn(tmp_path: Path) -> None:
    config = voice_config(
        tmp_path, "voice_both", own_copy_share=0.5, keep=str(tmp_path / "k"), kept_batches=2
    )
    first = list(VoiceData(config).train_dataloader())
    again = list(VoiceData(config).train_dataloader())
    for (drawn, told), (read, told_again) in zip(first, again, strict=True):
        assert drawn.shape[:2] == (4, 80)
        loudest = float(drawn.exp().max())  # quieter than a step of 16 bits is not kept
        torch.testing.assert_close(drawn.exp(), read.exp(), atol=1e-4 * loudest, rtol=0.0)
        assert torch.equal(told, told_again)
        assert told.shape in ((4,), (4, drawn.shape[2]))


def test_a_run_on_kept_batches_can_be_resumed(tmp_path: Path) -> None:
    config = voice_config(
        tmp_path, "voice_both", splice_share=0.5, keep=str(tmp_path / "k"), kept_batches=3
    )
    assert Run.read(fit(config)).scores["holdout"]
    assert len(list((tmp_path / "k").glob("*.npz"))) == 2  # of three: it made two steps


def test_batches_of_another_recipe_are_refused(tmp_path: Path) -> None:
    config = voice_config(
        tmp_path, "voice_both", own_copy_share=0.5, keep=str(tmp_path / "k"), kept_batches=2
    )
    VoiceData(config).train_dataloader()
    VoiceData(replace(config, seed=config.seed + 1)).train_dataloader()
    other = VoiceData(replace(config, own_copy_share=0.25))
    with pytest.raises(ValueError, match=r"own_copy_share 0\.5, not 0\.25\. Name another folder"):
        other.train_dataloader()


@pytest.mark.parametrize("changes", [{}, {"keep": "k", "devices": 2}])
def test_what_cannot_be_kept_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kept_batches needs keep"):
        TrainConfig(branch="voice", kept_batches=3, **changes)  # type: ignore[arg-type]
