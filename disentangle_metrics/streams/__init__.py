"""Scores of rows that come in batches or blocks."""
