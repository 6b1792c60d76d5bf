"""Picture training items: a genuine crop and a fake of the same source under the same chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from seamline.clips.cache import decode_jpeg
from seamline.data.augment import apply_chain, draw_chain, frame_crop
from seamline.data.cross_blend import cross_blend, nearest_shape
from seamline.data.cutout import hide_part
from seamline.data.redrawn_blend import redrawn_blend
from seamline.data.self_blend import Blend, change_of, change_view, self_blend, subtle_view
from seamline.training.config import TrainConfig
from seamline.training.pool import FaceEntry, FacePool, scene_of
from seamline.training.redrawers import Redrawers

MASK_STRIDE = 16  # of the mask head
DRAWS = 4
LEAST_CHANGE = 1.5  # grey levels under the mask
DRAWN_SHARE = 0.75  # of redrawn blends; the others show another moment as an editor would
DONORS = 24  # faces of whom the nearest in shape is pasted


class Pair(NamedTuple):
    """Genuine first, fake second."""

    crops: Float[Tensor, "2 3 size size"]
    masks: Float[Tensor, "2 rows rows"]
    mask_known: Float[Tensor, " 2"]


class PairDataset(Dataset[Pair]):
    """Item i depends on the seed and i alone: a resumed run sees what an unbroken one saw."""

    def __init__(
        self, pool: FacePool, config: TrainConfig, *, store_margin: float, epoch: int
    ) -> None:
        self._pool, self._config = pool, config
        self._store_margin = store_margin
        self._count = config.steps_per_epoch * config.batch_size // 2
        self._first = epoch * self._count
        self._redrawers = Redrawers.read(config.redrawers) if config.redrawers else None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Pair:
        config = self._config
        generator = np.random.default_rng([config.seed, self._first + index])
        kind = generator.random()
        if kind < config.self_blend_share:
            return self._self_blended(generator)
        if kind < config.self_blend_share + config.cross_blend_share:
            return self._cross_blended(generator)
        return self._forged(generator)

    def _self_blended(self, generator: np.random.Generator) -> Pair:
        entry = self._genuine(generator)
        crop, landmarks = self._frame(entry, generator)
        if self._redrawers is not None and generator.random() < self._config.redraw_share:
            blend = self._redrawn(entry, crop, landmarks, generator)
            return self._pair(crop, blend.fake, blend.mask, entry.source, generator)
        region = "mouth" if generator.random() < self._config.mouth_share else None
        blend = self._visible_blend(crop, landmarks, generator, region)
        return self._pair(crop, blend.fake, blend.mask, entry.source, generator)

    def _redrawn(
        self,
        entry: FaceEntry,
        crop: np.ndarray,
        landmarks: np.ndarray,
        generator: np.random.Generator,
    ) -> Blend:
        """Blend in a redrawn view of the crop or of another moment."""
        redrawers = self._redrawers
        assert redrawers is not None

        def draw() -> Blend:
            moment = None
            if len(entry.jpegs) > 1 and generator.random() < self._config.moment_share:
                moment = self._frame(entry, generator)
            drawn = generator.random() < DRAWN_SHARE
            redraw = redrawers.redraw if drawn else None
            return redrawn_blend(crop, landmarks, moment, redraw, generator)

        return _until_it_shows(draw, crop)

    def _visible_blend(
        self,
        crop: np.ndarray,
        landmarks: np.ndarray,
        generator: np.random.Generator,
        region: str | None,
    ) -> Blend:
        strong = generator.random() < self._config.strong_colours
        change = change_view if strong else subtle_view
        return _until_it_shows(lambda: self_blend(crop, landmarks, generator, region, change), crop)

    def _cross_blended(self, generator: np.random.Generator) -> Pair:
        entry = self._genuine(generator)
        crop, landmarks = self._frame(entry, generator)
        donors = [self._genuine(generator) for _ in range(DONORS)]
        donors = [donor for donor in donors if donor.path != entry.path] or donors
        places = [int(generator.integers(len(donor.jpegs))) for donor in donors]
        marks = [d.landmarks[i].astype(np.float64) for d, i in zip(donors, places, strict=True)]
        best = nearest_shape(landmarks, marks)
        donor, donor_marks = self._at_work(donors[best], places[best])
        blend = cross_blend(crop, landmarks, donor, donor_marks, generator)
        return self._pair(crop, blend.fake, blend.mask, entry.source, generator)

    def _genuine(self, generator: np.random.Generator) -> FaceEntry:
        return self._pool.draw(generator, self._pool.genuine, self._config.genuine)

    def _forged(self, generator: np.random.Generator) -> Pair:
        config = self._config
        fake = self._pool.draw(generator, self._pool.fake, config.forged)
        if config.paired:
            genuine = self._pool.genuine_for(generator, fake)
        else:
            genuine = self._genuine(generator)
        share, scene = config.forged_blend_share, scene_of(fake.person)
        if share and scene and genuine.person == scene and generator.random() < share:
            crop, blend = self._forgery_blend(genuine, fake, generator)
            if change_of(blend, crop) >= LEAST_CHANGE:
                return self._pair(crop, blend.fake, blend.mask, fake.source, generator)
        sides = (self._frame(genuine, generator)[0], self._frame(fake, generator)[0])
        return self._pair(*sides, None, fake.source, generator)

    def _forgery_blend(
        self, genuine: FaceEntry, fake: FaceEntry, generator: np.random.Generator
    ) -> tuple[np.ndarray, Blend]:
        """Blend what a forger drew into a genuine crop of the same moment, where there is one."""
        place = int(generator.integers(len(genuine.jpegs)))
        crop, landmarks = self._at_work(genuine, place)
        if len(fake.jpegs) != len(genuine.jpegs):
            place = int(generator.integers(len(fake.jpegs)))
        drawn = self._at_work(fake, place)
        blend = _until_it_shows(
            lambda: redrawn_blend(crop, landmarks, drawn, _as_drawn, generator), crop
        )
        return crop, blend

    def _frame(
        self, entry: FaceEntry, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._at_work(entry, int(generator.integers(len(entry.jpegs))))

    def _at_work(self, entry: FaceEntry, index: int) -> tuple[np.ndarray, np.ndarray]:
        return at_work(entry, index, self._config, store_margin=self._store_margin)

    def _pair(
        self,
        genuine: np.ndarray,
        fake: np.ndarray,
        mask: np.ndarray | None,
        source: str,
        generator: np.random.Generator,
    ) -> Pair:
        config = self._config
        least, most = config.margin_range
        most = min(most, config.margin_limit.get(source, most))
        chain = draw_chain(
            generator,
            margin_range=(min(least, most), most),
            h264_share=config.h264_share,
            poor_share=config.poor_share,
            cast_share=config.cast_share,
            smooth_share=config.smooth_share,
        )
        sides = [
            apply_chain(crop, chain, store_margin=self._store_margin, size_px=config.size_px)
            for crop in (genuine, fake)
        ]
        hidden = None
        if config.cutout_share and generator.random() < config.cutout_share:
            *sides, hidden = hide_part(sides[0], sides[1], generator)
        rows = config.size_px // MASK_STRIDE
        masks = np.zeros((2, rows, rows), np.float32)
        if mask is not None:
            framed = frame_crop(
                mask, chain, store_margin=self._store_margin, size_px=rows * MASK_STRIDE
            )
            if hidden is not None:
                framed = framed * ~hidden
            masks[1] = framed.reshape(rows, MASK_STRIDE, rows, MASK_STRIDE).mean(axis=(1, 3))
        known = torch.tensor([1.0, 0.0 if mask is None else 1.0])
        crops = torch.from_numpy(np.stack(sides)).permute(0, 3, 1, 2).float()
        return Pair(crops, torch.from_numpy(masks), known)


def _until_it_shows(draw: Callable[[], Blend], crop: np.ndarray) -> Blend:
    """Draw again while nothing shows: a fake that equals its original teaches the wrong label."""
    for _ in range(DRAWS):
        blend = draw()
        if change_of(blend, crop) >= LEAST_CHANGE:
            break
    return blend


def _as_drawn(picture: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Leave what the forger drew as it is."""
    return picture


def at_work(
    entry: FaceEntry, index: int, config: TrainConfig, *, store_margin: float
) -> tuple[UInt8[np.ndarray, "height width 3"], Float[np.ndarray, "5 2"]]:
    """Read a crop and its landmarks at the model's scale: what is blended finer would not show."""
    crop, landmarks = decode_jpeg(entry.jpegs[index]), entry.landmarks[index]
    work_px = round(config.size_px * store_margin / config.margin)
    factor = work_px / crop.shape[0]
    if factor < 1:
        crop = cv2.resize(crop, (work_px, work_px), interpolation=cv2.INTER_AREA)
        landmarks = (landmarks + 0.5) * factor - 0.5
    return crop, landmarks.astype(np.float64)
