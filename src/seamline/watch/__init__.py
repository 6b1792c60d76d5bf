"""Judges what is happening now: a camera, a stream, or a file played at its own speed."""
