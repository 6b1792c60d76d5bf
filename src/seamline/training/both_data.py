"""Data of models that look and listen: tokens of a picture and of a sound, put together.

Collections with both senses forged are rare, so pairs are composed: the faces of one file with the
voice of another. A pair is genuine if both are. Nothing of how lips and sound move together can be
learned from such pairs, only what each side shows; see docs/results/paper.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from seamline.models.clip_models import CrossClassifier, FusedClassifier
from seamline.training.clip_data import clip_frames
from seamline.training.config import TrainConfig
from seamline.training.loading import train_batches
from seamline.training.paper_modules import ClipItem, padded
from seamline.training.picture_data import clip_faces
from seamline.training.pool import FaceEntry
from seamline.training.voice_data import VoiceData
from seamline.training.voice_entries import VoiceEntry
from seamline.voice.logmel import log_mel

PAIR_SEED = 20240607  # fixed: every model is scored on the same pairs
FILES_A_SET = 200
# Which sides of a pair are forged: half of the pairs are genuine, the rest one of three kinds.
GENUINE = (False, False)
FORGERIES = ((True, False), (False, True), (True, True))


@dataclass(frozen=True)
class PairEntry:
    """A composed pair, with the columns that scores are stored under."""

    video: FaceEntry
    audio: VoiceEntry

    @property
    def path(self) -> str:
        """Both paths."""
        return f"{self.video.path}|{self.audio.path}"

    @property
    def source(self) -> str:
        """Both sources."""
        return f"{self.video.source}|{self.audio.source}"

    @property
    def method(self) -> str:
        """Both methods; empty for a genuine side."""
        return f"{self.video.method}|{self.audio.method}"

    @property
    def person(self) -> str:
        """Everybody in it."""
        return "+".join(name for name in (self.video.person, self.audio.person) if name)

    @property
    def fake(self) -> bool:
        """Whether either side is forged."""
        return self.video.fake or self.audio.fake


class Pair(NamedTuple):
    """A pair and the tokens of its sides."""

    entry: PairEntry
    video: Tensor
    audio: Tensor

    def items(self, lengths: tuple[int, int]) -> tuple[ClipItem, ClipItem]:
        """Pad both sides."""
        return padded(self.video, lengths[0]), padded(self.audio, lengths[1])


class Sides:
    """Entries of both senses by class, with their tokens."""

    def __init__(
        self, video: list[tuple[FaceEntry, Tensor]], audio: list[tuple[VoiceEntry, Tensor]]
    ) -> None:
        self._video = [[each for each in video if each[0].fake is fake] for fake in (False, True)]
        self._audio = [[each for each in audio if each[0].fake is fake] for fake in (False, True)]
        if not all([*self._video, *self._audio]):
            raise ValueError("Pairs need genuine and forged files of both picture and sound.")

    def draw(self, generator: np.random.Generator, fake: bool) -> Pair:
        """Draw a genuine pair, or one of which a side or both are forged."""
        which = FORGERIES[int(generator.integers(3))] if fake else GENUINE
        video, audio = self._video[which[0]], self._audio[which[1]]
        (face, face_tokens) = video[int(generator.integers(len(video)))]
        (voice, voice_tokens) = audio[int(generator.integers(len(audio)))]
        return Pair(PairEntry(face, voice), face_tokens, voice_tokens)


class PairClips(Dataset[tuple[ClipItem, ClipItem, Tensor]]):
    """Item i depends on the seed and i alone; a side is hidden now and then."""

    def __init__(
        self, sides: Sides, config: TrainConfig, lengths: tuple[int, int], *, epoch: int
    ) -> None:
        self._sides, self._config, self._lengths = sides, config, lengths
        self._count = config.steps_per_epoch * config.batch_size
        self._first = epoch * self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[ClipItem, ClipItem, Tensor]:
        generator = np.random.default_rng([self._config.seed, self._first + index])
        pair = self._sides.draw(generator, bool(index % 2))
        video, audio = pair.items(self._lengths)
        fake = pair.entry.fake
        if generator.random() < self._config.drop_side:
            if generator.random() < 0.5:
                video, fake = _hidden(video), pair.entry.audio.fake
            else:
                audio, fake = _hidden(audio), pair.entry.video.fake
        return video, audio, torch.tensor(float(fake))


class PairFiles(Dataset[dict[str, Any]]):
    """A fixed set of pairs, half of them genuine."""

    def __init__(self, sides: Sides, lengths: tuple[int, int], split: str) -> None:
        generator = np.random.default_rng(PAIR_SEED)
        self._pairs = [sides.draw(generator, bool(index % 2)) for index in range(FILES_A_SET)]
        self.entries = [pair.entry for pair in self._pairs]
        self._lengths, self._split = lengths, split

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair = self._pairs[index]
        inputs = pair.items(self._lengths)
        return {"inputs": inputs, "label": float(pair.entry.fake), "split": self._split}


class BothData(L.LightningDataModule):
    """Encodes every clip and every sound once, then deals in pairs of tokens."""

    def __init__(self, config: TrainConfig, model: FusedClassifier | CrossClassifier) -> None:
        super().__init__()
        self.config, self._model = config, model.eval()
        faces = clip_faces(config)
        voices = VoiceData(replace(config, cache=config.audio_cache or config.cache))
        self._store_margin, self._mel = faces.store_margin, voices.contract.mel
        files = {
            "train": (faces.pool.entries, voices.train),
            "holdout": (faces.holdout, voices.holdout),
            "val": (faces.val, voices.val),
        }
        self.sides: dict[str, Sides] = {}
        for name, (video, audio) in files.items():
            seen = [(entry, self._video_tokens(entry)) for entry in video]
            heard = [(entry, self._audio_tokens(entry)) for entry in audio]
            self.sides[name] = Sides(seen, heard)
            if name == "train":
                longest = [max(len(each[1]) for each in side) for side in (seen, heard)]
                self.lengths = (longest[0], longest[1])

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the pairs of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = PairClips(self.sides["train"], self.config, self.lengths, epoch=epoch)
        return train_batches(dataset, self.config, self.trainer)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the held-out fold (for calibration) and the val split, one pair a batch."""
        return [self.files("holdout"), self.files("val")]

    def files(self, split: str) -> DataLoader[Any]:
        """Return one validation set, one pair a batch."""
        return DataLoader(PairFiles(self.sides[split], self.lengths, split), batch_size=None)

    @torch.no_grad()
    def _video_tokens(self, entry: FaceEntry) -> Tensor:
        frames = clip_frames(entry, self.config, store_margin=self._store_margin)
        seen = torch.ones(1, len(frames), dtype=torch.bool)
        return self._model.video_tokens(frames[None], seen)[0]

    @torch.no_grad()
    def _audio_tokens(self, entry: VoiceEntry) -> Tensor:
        most = round(self.config.sound_seconds[1] * self._mel.sample_rate_hz)
        samples = entry.samples[:most]
        sound = samples if self.config.reads_samples else log_mel(samples, self._mel)
        return self._model.audio_tokens(torch.from_numpy(np.ascontiguousarray(sound))[None])[0]


def _hidden(item: ClipItem) -> ClipItem:
    return ClipItem(item.tokens, torch.zeros_like(item.seen))
