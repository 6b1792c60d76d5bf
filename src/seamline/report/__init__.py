"""A self-contained HTML page for a human reader."""
