"""Bundles: the only thing that the runtime loads."""
