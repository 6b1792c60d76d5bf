"""Finds, follows and aligns the faces of a picture stream."""
