"""A bundle: the folder that holds a model, and the only thing that the runtime loads.

In: a folder as `seamline.zoo.layout` describes it, then crops and sound. Out: logits, and how far
the stored golden outputs are from what this machine computes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from jaxtyping import Float, UInt8

from seamline.clips.contract import CropContract
from seamline.errors import BadBundle, UnknownModel
from seamline.scoring.branch import Branch, judge_of
from seamline.scoring.crop_logits import weigh_crops
from seamline.scoring.quality import QualityLimits
from seamline.scoring.verdict import ModelId
from seamline.zoo.device import execution_providers
from seamline.zoo.layout import read_branch, verify_files

GOLDEN_TOLERANCE = 2e-2  # logits; processors round differently, weights are stored as float16
STAND_IN_SECONDS = 0.25  # of silence, where a graph for both senses has no sound to hear


class FaceLogits(NamedTuple):
    """What a branch says of the crops of one window."""

    logits: Float[np.ndarray, " time"]
    masks: Float[np.ndarray, "time rows columns"] | None = None
    """Mask logits of the heatmaps, from a branch that tells where."""
    strangeness: Float[np.ndarray, " time"] | None = None
    """How far each lies from the faces of training, where the branch knows them; 1 is usual."""


class PairLogits(NamedTuple):
    """What a branch for both senses says of one person and the sound of the same seconds."""

    together: float
    picture: float | None
    """With the sound hidden; None without a picture."""
    voice: float | None
    """With the picture hidden; None without sound."""


@dataclass(frozen=True)
class GoldenCheck:
    """One replayed golden output."""

    name: str
    largest_difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Tell whether the replay gave what was stored."""
        return self.largest_difference <= self.tolerance


@dataclass(frozen=True)
class Bundle:
    """A loaded, verified bundle."""

    folder: Path
    name: str
    version: str
    sha256: str
    contract: CropContract
    branches: dict[str, Branch]
    summary: dict[str, Any] = field(default_factory=dict)
    quality: QualityLimits = field(default_factory=QualityLimits)
    threads: int = 0
    device: str = "cpu"

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 0, device: str = "cpu") -> Bundle:
        """Read and verify a bundle; `UnknownModel` if there is none, `BadBundle` if altered."""
        folder = Path(folder)
        path = folder / "bundle.json"
        if not path.is_file():
            raise UnknownModel(
                f"No bundle in {folder}: bundle.json is missing. `seamline models` lists what "
                "is installed; a training run makes a bundle with `seamline train`."
            )
        data = path.read_bytes()
        try:
            values = json.loads(data)
            verify_files(folder, values)
            for sense in ("video", "audio"):
                judge_of(sense, values["branches"])
            if "sync" in values["branches"] and not values["contract"].get("mouth"):
                raise ValueError("a sync branch needs a contract that says how mouths are cut")
            if "motion" in values["branches"] and (
                "picture" not in values["branches"] or not values["contract"].get("motion")
            ):
                raise ValueError(
                    "a motion branch needs a picture branch to add to, and a contract that says "
                    "how successive frames are cut"
                )
            return cls(
                folder=folder,
                name=values["name"],
                version=values["version"],
                sha256=hashlib.sha256(data).hexdigest(),
                contract=CropContract.from_json(values["contract"]),
                branches={k: read_branch(v) for k, v in values["branches"].items()},
                summary=values.get("summary", {}),
                quality=QualityLimits.from_json(values.get("quality")),
                threads=threads,
                device=device,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadBundle(
                f"{path} does not follow the layout ({type(error).__name__}: {error}). "
                "Export the bundle again."
            ) from error

    @property
    def model_id(self) -> ModelId:
        """Name, version and hash, as a verdict carries them."""
        return ModelId(self.name, self.version, self.sha256)

    @property
    def card(self) -> str:
        """The text of the model card."""
        return (self.folder / "card.md").read_text(encoding="utf-8")

    @property
    def sound_margin_seconds(self) -> float:
        """Sound on either side of a window that `extract` must give for the voice branch."""
        voice = self.branches.get("voice")
        return 0.0 if voice is None else voice.context_seconds

    @cached_property
    def _sessions(self) -> dict[str, ort.InferenceSession]:
        providers = execution_providers(self.device)
        return {
            k: _session(self.folder / b.graph, self.threads, providers)
            for k, b in self.branches.items()
        }

    def score_faces(self, crops: UInt8[np.ndarray, "time size size 3"]) -> FaceLogits:
        """Score crops of one window, in uint8 RGB; a picture branch's logits as it weighs them.

        A temporal branch judges the crops together: each has its one logit, and no heatmap.
        """
        self._check_crops(crops)
        if "temporal" in self.branches:
            (logit,) = self._sessions["temporal"].run(None, {"frames": crops})
            return FaceLogits(np.full(len(crops), float(logit[0])))
        logit, mask, *strangeness = self._sessions["picture"].run(None, {"crops": crops})
        weights = self.branches["picture"].crops
        return FaceLogits(weigh_crops(logit, mask, crops, weights), mask, *strangeness)

    def score_motion(
        self, maps: Float[np.ndarray, "moment 4 size size"]
    ) -> Float[np.ndarray, " moment"]:
        """Score maps of change between frames (`seamline.faces.flow`): a logit a moment."""
        (logit,) = self._sessions["motion"].run(None, {"maps": maps})
        return logit.astype(np.float64)

    def score_voice(
        self,
        log_mel: Float[np.ndarray, "mel frame"] | None,
        samples: Float[np.ndarray, " sample"] | None = None,
    ) -> Float[np.ndarray, " step"]:
        """Score sound: a forgery logit every `step_seconds` of the voice branch.

        The graph names what it reads, and only that is needed.
        """
        (logit,) = self._sessions["voice"].run(None, self._sound("voice", log_mel, samples))
        return logit[0].astype(np.float64)

    def score_pair(
        self,
        crops: UInt8[np.ndarray, "time size size 3"] | None,
        log_mel: Float[np.ndarray, "mel frame"] | None,
        samples: Float[np.ndarray, " sample"] | None = None,
    ) -> PairLogits:
        """Score crops and sound of the same seconds by the branch for both; one may lack."""
        size, heard = self.contract.size_px, log_mel is not None or samples is not None
        if crops is None:
            frames = np.full((1, size, size, 3), 128, np.uint8)
        else:
            self._check_crops(crops)
            frames = crops
        if not heard:
            mel = self.contract.mel
            samples = np.zeros(round(STAND_IN_SECONDS * mel.sample_rate_hz), np.float32)
            log_mel = np.zeros((mel.mels, mel.frames(len(samples))), np.float32)
        sound = self._sound("both", log_mel, samples)
        (logit,) = self._sessions["both"].run(None, {"frames": frames, **sound})
        together, picture, voice = (float(each) for each in logit)
        if crops is None:
            return PairLogits(voice, None, voice)
        return PairLogits(together, picture, voice) if heard else PairLogits(picture, picture, None)

    def embed_sync(
        self,
        mouths: UInt8[np.ndarray, "step size size"] | None,
        log_mel: Float[np.ndarray, "mel column"],
    ) -> tuple[Float[np.ndarray, "step dim"], Float[np.ndarray, "other dim"]]:
        """Give the sync branch's vectors of a mouth and of sound, one every 40 ms of each."""
        mouth = self.contract.mouth
        assert mouth is not None  # loading made sure of it
        if mouths is None:
            mouths = np.zeros((2, mouth.size_px, mouth.size_px), np.uint8)
        if mouths.shape[1:] != (mouth.size_px, mouth.size_px):
            raise ValueError(
                f"{self.name} takes mouths of {mouth.size_px}×{mouth.size_px} px, got "
                f"{mouths.shape[1:]}. Extract them with the bundle's contract."
            )
        inputs = {"mouths": mouths, "log_mel": log_mel[None].astype(np.float32)}
        seen, heard = self._sessions["sync"].run(None, inputs)
        return seen, heard

    def reads(self, branch: str, name: str) -> bool:
        """Tell whether a branch's graph has an input of a name, such as `log_mel` or `samples`."""
        return any(one.name == name for one in self._sessions[branch].get_inputs())

    def _check_crops(self, crops: UInt8[np.ndarray, "time height width 3"]) -> None:
        size = self.contract.size_px
        if crops.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{self.name} takes crops of {size}×{size}×3 px, got {crops.shape[1:]}. "
                "Extract them with the bundle's contract."
            )

    def _sound(
        self, branch: str, log_mel: np.ndarray | None, samples: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """Pick the sound that a branch's graph reads."""
        known = {"log_mel": log_mel, "samples": samples}
        needed = [name for name in known if self.reads(branch, name)]
        picked = {k: v[None].astype(np.float32) for k in needed if (v := known[k]) is not None}
        if len(picked) < len(needed):
            raise ValueError(f"{self.name}'s {branch} branch reads {', '.join(needed)}, got none.")
        return picked

    def replay_golden(self) -> list[GoldenCheck]:
        """Run the stored inputs again and compare with the stored outputs."""
        with np.load(self.folder / "golden.npz", allow_pickle=False) as golden:
            checks = []
            if "picture" in self.branches:
                shown = {"crops": golden["crops"]}  # of the graph itself, before it is weighed
                logit, mask, *strange = self._sessions["picture"].run(None, shown)
                checks.append(_check("picture logits", logit, golden["picture_logit"]))
                checks.append(_check("picture masks", mask, golden["picture_mask"]))
                if strange:
                    share = strange[0] / golden["picture_strangeness"]  # made-up crops are far off
                    checks.append(_check("picture strangeness", share, np.ones_like(share)))
            if "temporal" in self.branches:
                logit = self.score_faces(golden["frames"]).logits
                checks.append(_check("temporal logit", logit[:1], golden["temporal_logit"]))
            if "voice" in self.branches:
                voice = self.score_voice(golden.get("log_mel"), golden.get("samples"))
                checks.append(_check("voice logits", voice, golden["voice_logit"]))
            if "both" in self.branches:
                sound = golden.get("log_mel"), golden.get("samples")
                pair = np.array(self.score_pair(golden["frames"], *sound))
                checks.append(_check("pair logits", pair, golden["both_logit"]))
            if "motion" in self.branches:
                moved = self.score_motion(golden["maps"])
                checks.append(_check("motion logits", moved, golden["motion_logit"]))
            if "sync" in self.branches:
                seen, heard = self.embed_sync(golden["mouths"], golden["sync_log_mel"])
                checks.append(_check("mouth vectors", seen, golden["sync_mouth"]))
                checks.append(_check("sound vectors", heard, golden["sync_sound"]))
        return checks


def _session(path: Path, threads: int, providers: list[Any]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Spinning threads would steal the decoder's cores between calls.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=providers)


def _check(name: str, found: np.ndarray, expected: np.ndarray) -> GoldenCheck:
    if found.shape != expected.shape:
        return GoldenCheck(name, float("inf"), GOLDEN_TOLERANCE)
    return GoldenCheck(name, float(np.max(np.abs(found - expected))), GOLDEN_TOLERANCE)
