"""Networks that say speech again: what they learn, what they leave, what training makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seamline.models.vocoder_net import DRAWS, VocoderNet, VocoderShape
from seamline.training.vocoders import CROP_SAMPLES, Told, Vocoders, fit_vocoders, rms
from seamline.training.voice_splices import Copies

SMALL = VocoderShape(mels=40, width=16)


def speech(seconds: float = 1.5, pitch_hz: float = 120.0) -> np.ndarray:
    """A buzz under a moving loudness: as much of speech as a network of this size can say."""
    time = np.arange(int(seconds * 16000)) / 16000
    buzz = sum(np.sin(2 * np.pi * pitch_hz * n * time) / n for n in range(1, 20))
    loudness = 0.1 * (1.2 + np.sin(2 * np.pi * 3 * time))
    return np.asarray(buzz * loudness, dtype=np.float32)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Told]]:
    folder, told = tmp_path_factory.mktemp("vocoders"), list[Told]()
    shapes = (replace(SMALL, draws="spectrum"), replace(SMALL, reads="wave", levels=8))
    recordings = [speech(pitch_hz=pitch) for pitch in (100, 140, 180)]
    fit_vocoders(recordings, folder, shapes=shapes, steps=16, tell=told.append)
    return folder, told


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("reads", ["mel", "wave"])
def test_every_shape_says_as_much_as_it_heard(draws: str, reads: str) -> None:
    network = VocoderNet(VocoderShape(reads=reads, draws=draws, width=16))
    for count in (1600, 1601, 4799):
        assert network(torch.zeros(2, count)).shape == (2, count)


def test_a_coarse_code_keeps_few_levels() -> None:
    network = VocoderNet(VocoderShape(reads="wave", levels=5, width=16))
    code = network.code(torch.randn(1, 16000))
    assert set(np.unique(code.detach().numpy()).round(4)) <= {-1.0, -0.5, 0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"draws": "magic"}, "draws is 'magic'; known: transposed, repeated, spectrum"),
        ({"reads": "text"}, "reads is 'text'; known: mel, wave"),
    ],
)
def test_an_unknown_shape_is_refused_with_the_known_ones(
    wrong: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        VocoderShape(**wrong)  # type: ignore[arg-type]


def test_fitting_brings_speech_nearer_to_its_original(fitted: tuple[Path, list[Told]]) -> None:
    differences = [one.difference for one in fitted[1] if one.step in (0, 15)]
    assert len(differences) == 4
    for first, last in zip(differences[::2], differences[1::2], strict=True):
        assert last < 0.9 * first


def test_what_is_fitted_already_stays(fitted: tuple[Path, list[Told]]) -> None:
    again: list[Told] = []
    fit_vocoders([speech()], fitted[0], shapes=(SMALL, SMALL), steps=5, tell=again.append)
    assert again == []


def test_speech_too_short_to_learn_from_is_refused(tmp_path: Path) -> None:
    short = np.zeros(CROP_SAMPLES // 2, np.float32)
    with pytest.raises(ValueError, match=r"No recording of 2 lasts 0.8 s; give longer"):
        fit_vocoders([short, short], tmp_path)


def test_a_copy_is_alike_for_a_seed_as_long_and_as_loud(fitted: tuple[Path, list[Told]]) -> None:
    networks, heard = Vocoders.read(fitted[0]), speech(1.03)
    first, same, other = (networks.copy(heard, np.random.default_rng(n)) for n in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    assert first.shape == heard.shape
    assert rms(first) == pytest.approx(rms(heard), rel=1e-3)


def test_silence_stays_silent(fitted: tuple[Path, list[Told]]) -> None:
    copied = Vocoders.read(fitted[0]).copy(np.zeros(8000, np.float32), np.random.default_rng(0))
    assert np.abs(copied).max() < 1e-4


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No networks .* Run scripts/train_vocoders.py"):
        Vocoders.read(tmp_path)


def test_networks_copy_beside_the_other_vocoders(fitted: tuple[Path, list[Told]]) -> None:
    copies, plain = Copies(0, 16000, str(fitted[0])), Copies(0, 16000)
    heard, names = speech(), [f"talk {number}.wav" for number in range(12)]
    made = [copies.of(name, heard) for name in names]
    assert all(len(copy) == len(heard) and (copy != heard).any() for copy in made)
    np.testing.assert_array_equal(made[0], copies.of(names[0], heard))
    others = [plain.of(name, heard) for name in names]
    assert any((a != b).any() for a, b in zip(made, others, strict=True))


def test_networks_refuse_a_rate_that_is_not_theirs(fitted: tuple[Path, list[Told]]) -> None:
    copies, heard = Copies(0, 22050, str(fitted[0])), speech()

    def copy_by_every_vocoder() -> None:
        for number in range(40):
            copies.of(f"talk {number}.wav", heard)

    with pytest.raises(ValueError, match="copy sound at 16000 Hz, not at 22050 Hz"):
        copy_by_every_vocoder()
