"""How the logits of one branch of a model become probabilities; a bundle carries one a sense."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from seamline.scoring.calibration import Calibration
from seamline.scoring.crop_logits import CropWeights
from seamline.scoring.splices import SpliceRule

JUDGES: dict[str, tuple[str, ...]] = {
    "video": ("picture", "temporal", "both"),
    "audio": ("voice", "both"),
}
"""Branches that can judge a sense. `picture` judges single crops, `temporal` the crops of a window
together, `voice` sound, `both` crops and sound of a window together, either of which may lack.
Beside a `picture` branch a `motion` branch may stand, which adds to its logits."""


def judge_of(sense: Literal["video", "audio"], branches: Iterable[str]) -> str | None:
    """Name the branch that judges a sense, if there is one; two for one sense are refused."""
    found = [name for name in JUDGES[sense] if name in set(branches)]
    if len(found) > 1:
        raise ValueError(f"{' and '.join(found)} both judge the {sense}; a bundle has one of them.")
    return found[0] if found else None


@dataclass(frozen=True)
class Branch:
    """One sense of a model: its graph, how its logits pool over time, how they calibrate."""

    graph: str
    """File name of the ONNX graph in the bundle."""
    calibration: Calibration
    """Fitted to pooled logits of files neither trained nor tested on."""
    pool_sharpness: float
    """Sharpness of the log-mean-exp over time."""
    step_seconds: float | None = None
    """Seconds between the voice branch's logits; None for the picture's, which come a frame."""
    context_seconds: float = 0.0
    """Sound on either side of a window that the voice branch hears with it: its network looks
    about a second far, and at a window's ends it would look at nothing."""
    usual_logits: tuple[float, float] | None = None
    """Range of file logits in validation; outside it the evidence is out of the model's range."""
    threshold: float = 0.5
    """Probability from which the sense calls a fake."""
    reference_calibration: Calibration | None = None
    """The same for the pooled logit less ``reference_share`` of that of genuine footage of the
    person; None: unfit."""
    reference_share: float = 1.0
    """How much of that footage's level is taken away: its own score is a noisy measure of it."""
    reference_threshold: float | None = None
    """Probability from which a person is called a fake against such footage."""
    reference_usual_logits: tuple[float, float] | None = None
    """Range of those differences in validation."""
    splices: SpliceRule | None = None
    """How stretches that stand out from their own track are judged; None: they are not."""
    even_logit: float | None = None
    """Of synchrony: the logit above which, over a long time, nothing belongs together; evidence
    counts from there, by the root of its length (`synchrony.weighed`). None: length is no matter,
    as before version 12 of the shipped bundle."""
    shortfall_weight: float = 0.0
    """Of synchrony: what a likeness that stays below the one reached step by step counts beside
    the margin between offsets (`synchrony.Fit.logit_with`)."""
    crops: CropWeights = field(default_factory=CropWeights)
    """Of a picture branch: what else of a crop counts in its logit."""
    weight: float = 1.0
    """Of a branch that adds to another one: that one's raw logits per natural log of odds."""

    @property
    def takes_references(self) -> bool:
        """Tell whether scores relative to genuine footage can be judged."""
        return self.reference_calibration is not None and self.reference_threshold is not None

    def against_reference(self) -> Branch:
        """Give the branch that judges logits relative to genuine footage."""
        if self.reference_calibration is None or self.reference_threshold is None:
            raise ValueError(f"{self.graph} has no calibration for scores relative to a reference")
        return replace(
            self,
            calibration=self.reference_calibration,
            threshold=self.reference_threshold,
            usual_logits=self.reference_usual_logits,
        )

    def evidence(self, logit: float) -> float:
        """Give what a logit adds to another branch's: more the less genuine, and never less than 0.

        It is the negative logarithm of the probability that the file is genuine. So flicker counts
        in full, and a calm face, which many forgeries have as well, counts for nothing. A logit
        beyond what validation saw counts as the last that it saw.
        """
        if self.usual_logits is not None:
            logit = min(max(logit, self.usual_logits[0]), self.usual_logits[1])
        return self.weight * float(np.logaddexp(0.0, self.calibration.log_odds(logit)))

    def out_of_range(self, logit: float) -> bool:
        """Tell whether a file's logit lies where validation never saw any."""
        return self.usual_logits is not None and not (
            self.usual_logits[0] <= logit <= self.usual_logits[1]
        )
