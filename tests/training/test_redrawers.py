"""Networks that redraw faces: what they learn, what they leave, what training does with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cache_factory import STORE, write_cache
from seamline.clips.cache import read_cache
from seamline.data.demo_clips import read_portrait
from seamline.data.redrawn_blend import redrawn_blend
from seamline.models.redraw_net import ENLARGE, RedrawNet, RedrawShape
from seamline.training.config import TrainConfig
from seamline.training.pairs import PairDataset
from seamline.training.pool import FacePool, face_entries
from seamline.training.redrawers import Redrawers, Told, fit_redrawers

SMALL = RedrawShape(halvings=2, code_channels=4, width=6)
MARKS = np.array([(60.0, 70.0), (100.0, 70.0), (80.0, 95.0), (64.0, 115.0), (96.0, 115.0)])


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> FacePool:
    folder = write_cache(tmp_path_factory.mktemp("cache"))
    return FacePool(face_entries(read_cache(folder)))


@pytest.fixture(scope="module")
def fitted(pool: FacePool, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Told]]:
    folder, told = tmp_path_factory.mktemp("redrawers"), list[Told]()
    shapes = (SMALL, replace(SMALL, enlarge="nearest", sharpened=False))
    fit_redrawers(pool, folder, shapes=shapes, steps=40, tell=told.append)
    return folder, told


@pytest.mark.parametrize("enlarge", ENLARGE)
@pytest.mark.parametrize("halvings", [2, 3])
def test_every_shape_gives_back_pictures_of_the_size_it_took(enlarge: str, halvings: int) -> None:
    import torch

    network = RedrawNet(RedrawShape(halvings=halvings, enlarge=enlarge, width=4))
    assert network(torch.zeros(2, 3, 40, 56)).shape == (2, 3, 40, 56)


def test_an_unknown_way_to_enlarge_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="enlarge is 'magic'; known: transposed, nearest"):
        RedrawShape(enlarge="magic")


def test_fitting_brings_pictures_nearer_to_their_originals(
    fitted: tuple[Path, list[Told]],
) -> None:
    differences = [one.difference for one in fitted[1] if one.step in (0, 39)]
    for first, last in zip(differences[::2], differences[1::2], strict=True):
        assert last < 0.6 * first


def test_what_is_fitted_already_stays(pool: FacePool, fitted: tuple[Path, list[Told]]) -> None:
    again: list[Told] = []
    fit_redrawers(pool, fitted[0], shapes=(SMALL, SMALL), steps=40, tell=again.append)
    assert again == []


def test_a_picture_is_redrawn_alike_for_a_seed_and_keeps_its_shape(
    fitted: tuple[Path, list[Told]],
) -> None:
    networks, image = Redrawers.read(fitted[0]), read_portrait()[:150, :111]
    first, same, other = (networks.redraw(image, np.random.default_rng(n)) for n in (1, 1, 2))
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No networks .* Run scripts/train_redrawers.py"):
        Redrawers.read(tmp_path)


def test_a_blend_shows_the_other_moment_under_its_mask_alone() -> None:
    generator = np.random.default_rng(0)
    crop, other = (generator.integers(40, 220, (160, 160, 3), dtype=np.uint8) for _ in range(2))
    moment = other, MARKS
    for _ in range(20):
        blend = redrawn_blend(crop, MARKS, moment, None, generator)
        assert blend.mask.max() <= 1
        np.testing.assert_array_equal(blend.fake[blend.mask == 0], crop[blend.mask == 0])
        assert np.abs(blend.fake.astype(int) - crop)[blend.mask > 0.9].mean() > 3


def test_training_pairs_show_redrawn_faces_alike_for_a_seed(
    pool: FacePool, fitted: tuple[Path, list[Told]]
) -> None:
    config = TrainConfig(
        size_px=64, steps_per_epoch=2, batch_size=8, self_blend_share=1.0,
        redrawers=str(fitted[0]), redraw_share=1.0,
    )  # fmt: skip

    def pairs(config: TrainConfig) -> PairDataset:
        return PairDataset(pool, config, store_margin=STORE.margin, epoch=0)

    redrawn, again = pairs(config), pairs(config)
    plain = pairs(replace(config, redraw_share=0.0))
    for place in range(len(redrawn)):
        pair = redrawn[place]
        assert (pair.crops == again[place].crops).all()
        assert pair.masks[1].max() > 0
        assert (pair.crops[0] != pair.crops[1]).any()
    assert any((redrawn[i].crops != plain[i].crops).any() for i in range(len(plain)))


def test_a_share_without_networks_is_refused() -> None:
    with pytest.raises(ValueError, match="redrawers names no folder"):
        TrainConfig(redraw_share=0.5)
