"""What a training run is: a frozen record, read from YAML and overridden key by key."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from seamline.models.build import DEFAULT_KIND, ModelConfig
from seamline.scoring.crop_logits import CropWeights
from seamline.training.config_checks import check_config
from seamline.training.records import make_record


@dataclass(frozen=True)
class TrainConfig:
    """One branch's training; a bundle is exported from the runs of its branches."""

    name: str = "unnamed"
    """Name of the run; its folder is `out/name`."""
    branch: str = "picture"
    """What is trained: `picture` (single crops), `voice`, `sync` (lips and sound) or `motion` (a
    face's frames, beside a picture branch), which make a bundle; `autoencoder` (frames),
    `sound_autoencoder`, `clip` (frames over time) or `both` (picture and sound)."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The network; its own keys are set as `model.key`."""
    cache: str = "cache/research"
    """Clip cache made by `seamline prepare`; for branch sync also several, joined by commas."""
    audio_cache: str = ""
    """Cache that branch both takes its sound from; empty: the same cache."""
    manifest: str = ""
    """Table of videos for an autoencoder of whole frames, which no cache holds."""
    extra_cache: str = ""
    """Further cache whose faces join the training, but for people who are held out."""
    out: str = "runs"
    """Folder for run folders."""
    seed: int = 0
    """Seed of weights and of every draw; item i of a run is the same on every machine."""
    threads: int = 0
    """CPU threads; 0 lets torch choose."""
    precision: str = "auto"
    """`float32`, `bfloat16` (weights stay float32), or `auto`: whichever is faster here."""
    workers: int = 0
    """Processes that draw training items beside the training; 0 draws them within it."""

    epochs: int = 10
    """Epochs; a checkpoint is written after each."""
    steps_per_epoch: int = 300
    """Optimiser steps an epoch."""
    batch_size: int = 32
    """Items a step; pictures come in pairs, so it is even there."""
    optimizer: str = "adamw"
    """`adamw`, or `muon`: orthogonal steps for what mixes channels, AdamW for the rest."""
    learning_rate: float = 3e-4
    """Peak learning rate."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    warmup_steps: int = 100
    """Steps of linear warm-up before the cosine decay to a hundredth."""
    gradient_clip: float = 1.0
    """Largest gradient norm."""
    ema_decay: float = 0.998
    """Decay of the averaged weights, which are the ones validated and exported; 0 for none."""

    accelerator: str = "auto"
    """Lightning's `accelerator`: `auto`, `cpu`, `gpu`."""
    devices: int = 1
    """Processes a machine (Lightning's `devices`); `batch_size` is shared out among all."""
    nodes: int = 1
    """Machines (Lightning's `num_nodes`)."""
    strategy: str = "auto"
    """Lightning's `strategy`, such as `ddp` or `ddp_spawn`."""

    validate_every_epochs: int = 1
    """Epochs between validations on the held-out fold and val."""
    stop_on: str = ""
    """Figure on which to stop early, such as `holdout/auc` or `holdout/loss`; the weights of the
    best validation are kept. Empty: train to the end and keep the last."""
    stop_patience: int = 3
    """Validations without a better figure before stopping."""
    holdout_fold: int = 0
    """Which of `folds` identity-disjoint folds of the training split is kept for calibration."""
    fold_by: str = "identity"
    """What a fold keeps together: `identity` (people) or `source` (whole collections)."""
    folds: int = 7
    """Number of folds; 0 takes the rows whose split is `holdout`, if there are any."""
    join_val: bool = False
    """Whether the val split joins train before folds are dealt, for cross-validation over all."""
    leave_out: str = ""
    """What is held out instead of a fold: `source=NAME` (every source whose name begins so) or
    `method=NAME` (that method's fakes, with half of all named people), for leave-one-out; or
    `listed=FILE`, a CSV file of `path` and `use` (`holdout`, or `drop`: not used at all)."""
    size_px: int = 160
    """Side of the crops."""
    scan_size_px: int = 0
    """Side of the picture branch's crops in validation and scans; 0: `size_px`. Up to half as much
    again sees more: random framing makes faces in training larger than they are in a scan (Touvron
    et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019)."""
    margin: float = 1.3
    """Margin of the crops at scan time; training jitters it by `margin_range`."""
    margin_range: tuple[float, float] = (1.05, 1.5)
    """Margins drawn in training."""
    margin_limit: dict[str, float] = field(default_factory=dict)
    """Largest margin of sources whose pictures end near the face; beyond it lies the border."""
    initial: str = "imagenet"
    """`imagenet`, `random`, or what to go on from: a run's or a bundle's folder, a model's name."""
    frozen_stages: int = 0
    """Parts of the network, from the input on, kept as they start: saves their backward pass."""
    train_norms: bool = False
    """Whether batch norms go on adapting; frozen ones train a third faster on CPUs."""
    mask_weight: float = 0.5
    """Weight of the mask loss beside the classification loss."""
    self_blend_share: float = 0.5
    """Share of pairs that are a genuine crop and its self-blend; the rest are forged clips."""
    cross_blend_share: float = 0.0
    """Share of pairs that are a genuine crop and its blend with another person's face."""
    redrawers: str = ""
    """Folder of networks that redraw faces, made by scripts/train_redrawers.py; empty: none."""
    redraw_share: float = 0.0
    """Share of self-blends whose pasted view such a network drew."""
    moment_share: float = 0.5
    """Share of redrawn blends that show another moment of the same face."""
    forged_blend_share: float = 0.0
    """Share of forged-and-genuine pairs of one scene whose forged face is blended into the genuine
    crop: a forged file has few frames, which are soon known by heart."""
    cutout_share: float = 0.0
    """Share of pairs of which one part is hidden, on both sides alike: whole faces of a few dozen
    people are soon known by heart, and which of them is forged."""
    mouth_share: float = 0.0
    """Share of self-blends that are drawn as lip-region blends, beside those drawn anyway."""
    strong_colours: float = 0.0
    """Share of self-blends that always change colours, as `forge` does, rather than seldom."""
    h264_share: float = 0.0
    """Share of pairs that pass H.264 after the forgery."""
    poor_share: float = 0.0
    """Share of pairs that come from small, blurred or coarsely coded footage."""
    cast_share: float = 0.0
    """Share of pairs whose colours are changed throughout, in both crops alike."""
    smooth_share: float = 0.0
    """Share of pairs whose skin is smoothed in both crops."""
    paired: bool = True
    """Whether a forged crop's genuine partner is of its source (and person, if there is one)."""
    genuine: dict[str, float] = field(default_factory=dict)
    """Weight of each source as a giver of genuine faces to self-blend; empty: all alike."""
    forged: dict[str, float] = field(default_factory=dict)
    """Weight of each source as a giver of forged-and-genuine pairs; empty: all alike."""
    mask_share: float = 0.0
    """Share of a crop's logit that its highest mask logit makes up where whole files are judged;
    training asks the network's own logit alone (`seamline.scoring.crop_logits`)."""
    detail_weight: float = 0.0
    """Logits added there for every e-fold of fine detail in the crop."""
    pool_sharpness: float = 1.0
    """Sharpness of the log-mean-exp over time; 0 is the mean."""
    sound_seconds: tuple[float, float] = (1.0, 2.4)
    """Range of lengths of the voice branch's random crops."""
    sound_context_seconds: float = 0.0
    """Sound on either side of a window that the exported voice branch hears with it."""
    hide_share: float = 1.0
    """Share of sound crops that pass a random channel (band limit, codec, room, noise)."""
    suppress_share: float = 0.0
    """Share of the voice branch's crops of both classes whose noise is suppressed before that."""
    sync_steps: int = 20
    """Steps of 40 ms of mouth in the sync branch's training clips."""
    sync_slack: int = 8
    """Further steps of sound, some before the mouth's first: or else the ends tell a moment."""
    sync_teacher: str = ""
    """Bundle that lays each clip's sound to its mouth first; what fits nowhere is left out."""
    motion_frames: int = 7
    """Successive frames of the motion branch's training clips; every second one is judged."""
    rank_weight: float = 0.3
    """Weight of the motion branch's loss on the difference of a pair."""
    mouth_px: int = 32
    """Side of the mouth crops."""
    copy_share: float = 0.0
    """Share of synthetic crops that are genuine speech resynthesised by Griffin-Lim."""
    splice_share: float = 0.0
    """Share of the voice branch's steps on clips with a stretch of another one in them."""
    own_copy_share: float = 0.0
    """Share of its steps on genuine speech a stretch of which was resynthesised."""
    vocoders: str = ""
    """Folder of networks that do so too, made by scripts/train_vocoders.py; empty: none."""
    keep: str = ""
    """Folder of a voice run's first `kept_batches` batches, which it then meets again."""
    kept_batches: int = 0
    """How many; 0 draws every batch anew."""
    encoder_run: str = ""
    """Run or model whose frame encoder branches clip and both take over, frozen; or `initial`."""
    audio_run: str = ""
    """Run whose voice network the fusion takes over, frozen."""
    video_run: str = ""
    """Run whose clip network the fusion takes over, frozen."""
    audio_model: ModelConfig = field(default_factory=ModelConfig)
    """The fusion's voice network, as in `audio_run`; `model` is that of `video_run`."""
    blended_clips: int = 0
    """Temporal self-blends made of each genuine training clip, for branch clip."""
    clip_frames: int = 8
    """Frames of a clip, from the file's first on."""
    classify_weight: float = 0.0
    """Weight of the classification loss beside an autoencoder's reconstruction loss."""
    drop_side: float = 0.1
    """How often branch both hides one of its two sides in training."""

    def __post_init__(self) -> None:
        check_config(self)

    @property
    def network(self) -> ModelConfig:
        """The model's config with what the branch and the crops say of it."""
        kind = self.model.kind or DEFAULT_KIND[self.branch]
        return dataclasses.replace(self.model, kind=kind, size_px=self.size_px)

    @property
    def processes(self) -> int:
        """How many processes share a batch."""
        return self.devices * self.nodes

    @property
    def reads_samples(self) -> bool:
        """Whether the sound's samples go into the network, rather than their log-mel."""
        model = self.audio_model if self.network.kind == "fusion" else self.model
        return self.branch == "sound_autoencoder" or not model.front.startswith("log_mel")

    @property
    def scan_px(self) -> int:
        """Side of the crops that are validated and scanned."""
        return self.scan_size_px or self.size_px

    @property
    def crop_weights(self) -> CropWeights:
        """What else than a picture network's own logit counts where whole files are judged."""
        return CropWeights(self.mask_share, self.detail_weight)

    @property
    def run_folder(self) -> Path:
        """Where checkpoints, logs and the bundle of this run go."""
        return Path(self.out) / self.name


def read_config(path: str | Path, overrides: list[str] | None = None) -> TrainConfig:
    """Read a YAML file and apply ``key=value`` overrides; unknown keys name the known ones."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold `key: value` lines, found {type(values).__name__}.")
    values.setdefault("name", Path(path).stem)
    for override in overrides or []:
        key, sign, text = override.partition("=")
        if not sign:
            raise ValueError(f"--set takes key=value, got {override!r}.")
        values[key] = yaml.safe_load(text)
    return make_config(values)


def make_config(values: dict[str, Any]) -> TrainConfig:
    """Build the config, checking names and types; `a.b` sets key b of the record a."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        record, dot, inner = key.partition(".")
        if dot:
            nested[record] = {**nested.get(record, {}), inner: value}
        else:
            nested[key] = value
    made: TrainConfig = make_record(TrainConfig, nested)
    return made


def config_json(config: TrainConfig) -> dict[str, Any]:
    """The config as plain values, to lie beside a checkpoint."""
    return dataclasses.asdict(config)
