"""From logits to calibrated probabilities, segments and a verdict."""
