"""Measures a model over a manifest of labelled files."""
