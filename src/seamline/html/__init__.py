"""What every page of ours has in common: its looks, its locked doors, and how it is written."""
