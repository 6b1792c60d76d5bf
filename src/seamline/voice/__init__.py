"""Turns sound into log-mel spectrograms and marks where somebody speaks."""
