"""How the logits of one branch of a model become probabilities; a bundle carries one a sense."""

from __future__ import annotations

from dataclasses import dataclass

from seamline.scoring.calibration import Calibration


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
    usual_logits: tuple[float, float] | None = None
    """Range of file logits in validation; outside it the evidence is out of the model's range."""
    threshold: float = 0.5
    """Probability from which the sense calls a fake."""

    def out_of_range(self, logit: float) -> bool:
        """Tell whether a file's logit lies where validation never saw any."""
        return self.usual_logits is not None and not (
            self.usual_logits[0] <= logit <= self.usual_logits[1]
        )
