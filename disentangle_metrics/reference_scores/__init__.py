"""Scores of the bundled checkpoints and of all runs of the comparison, as a packaged table."""
