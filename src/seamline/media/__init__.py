"""Reads video, image and sound files as timed frames and samples."""
